// Made by "npm run types" from the server's AsyncAPI document. Not for editing.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The content of an entry; its `kind` names it and its `body` holds it. */
        Body: {
            /** @description The conversation began. Always seq 1. */
            body: components["schemas"]["Created"];
            /** @enum {string} */
            kind: "created";
        } | {
            /** @description Somebody wrote. */
            body: components["schemas"]["Text"];
            /** @enum {string} */
            kind: "message";
        } | {
            /** @description A message of one's own got another text. */
            body: components["schemas"]["Edit"];
            /** @enum {string} */
            kind: "edit";
        } | {
            /** @description A message was deleted for everyone. */
            body: components["schemas"]["Target"];
            /** @enum {string} */
            kind: "delete";
        } | {
            /** @description An emoji was put to a message, or taken back. */
            body: components["schemas"]["Reaction"];
            /** @enum {string} */
            kind: "reaction";
        } | {
            /** @description Somebody was added, or joined. */
            body: components["schemas"]["MemberAdded"];
            /** @enum {string} */
            kind: "member_added";
        } | {
            /** @description Somebody was removed, or left. */
            body: components["schemas"]["MemberRemoved"];
            /** @enum {string} */
            kind: "member_removed";
        } | {
            /** @description A member got another role. */
            body: components["schemas"]["RoleChanged"];
            /** @enum {string} */
            kind: "role_changed";
        } | {
            /** @description Settings of the conversation changed. */
            body: components["schemas"]["ConversationChanged"];
            /** @enum {string} */
            kind: "conversation_changed";
        } | {
            /** @description The rest of an entry whose content was deleted or has expired. */
            body: components["schemas"]["Redacted"];
            /** @enum {string} */
            kind: "redacted";
        };
        /**
         * @description The change of the user's list of conversations.
         * @enum {string}
         */
        Change: "added" | "changed" | "left";
        /**
         * @description The stable name of an error; a client decides by it.
         * @enum {string}
         */
        Code: "invalid_request" | "unauthenticated" | "wrong_password" | "password_expired" | "blocked" | "user_gone" | "not_admin" | "not_contact" | "registration_closed" | "suspended" | "not_found" | "method_not_allowed" | "username_taken" | "conversation_full" | "too_many" | "wrong_offset" | "unsupported_tus_version" | "too_large" | "quota_exceeded" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_mismatch" | "upload_in_use" | "rate_limited" | "internal" | "overloaded" | "unavailable" | "storage_full";
        /** @description The body of `conversation_changed`: the fields that changed, as they are from now on. An empty text or a zero unsets. */
        ConversationChanged: {
            /** @description Its picture. */
            avatar?: string | null;
            /**
             * Format: u-int32
             * @description Seconds after which messages sent from now on disappear; 0 for never.
             */
            expire_after_s?: number | null;
            /** @description The title. */
            title?: string | null;
            /** @description The topic. */
            topic?: string | null;
            writers?: components["schemas"]["Writers"] | null;
        };
        /** @description `conversation` */
        ConversationFrame: {
            /** @description The change. */
            change: components["schemas"]["Change"];
            /** @description The conversation. */
            id: components["schemas"]["ConversationId"];
            /**
             * Format: u-int64
             * @description The seq of the last entry that changed it or its members.
             */
            rev: number;
        };
        ConversationId: string;
        /**
         * @description The kind of a conversation.
         * @enum {string}
         */
        ConversationKind: "direct" | "group" | "channel";
        /** @description The body of `created`. */
        Created: {
            /**
             * Format: u-int32
             * @description Seconds after which its messages disappear.
             */
            expire_after_s?: number | null;
            /** @description The kind of the conversation, for ever. */
            kind: components["schemas"]["ConversationKind"];
            /** @description Its first members. */
            members: components["schemas"]["MemberRole"][];
            /** @description Its first title. */
            title?: string | null;
        };
        /** @description `degraded` */
        Degraded: {
            /** @description The kinds of frames that are shed from now on; none when it is over. */
            shed: components["schemas"]["Sheddable"][];
        };
        DeviceId: string;
        /** @description The body of `edit`. */
        Edit: {
            /** @description The users whom it mentions from now on. */
            mentions?: components["schemas"]["UserId"][];
            /**
             * Format: u-int64
             * @description The seq of the message.
             */
            target: number;
            /** @description Its text from now on. */
            text: string;
        };
        /** @description `entries` */
        Entries: {
            /** @description The client's seq is above the head: it drops what is above. */
            ahead?: boolean;
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description In order, without gap. */
            entries: components["schemas"]["Entry"][];
            /**
             * Format: u-int64
             * @description The last seq of the log.
             */
            head: number;
            /** @description True if there are entries after these. */
            more: boolean;
        };
        /** @description One entry of a conversation's log. */
        Entry: components["schemas"]["Body"] & {
            /** @description The time at which the server took it; never before the entry in front of it. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: uuid
             * @description The key under which its sender may send it again.
             */
            client_id?: string | null;
            /** @description The conversation whose log holds it. */
            conversation: components["schemas"]["ConversationId"];
            device?: components["schemas"]["DeviceId"] | null;
            expires_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its name everywhere. */
            id: components["schemas"]["MessageId"];
            /** @description The user whose doing it was. */
            sender: components["schemas"]["UserId"];
            /**
             * Format: u-int64
             * @description Its place in the log, from 1, without gap.
             */
            seq: number;
            true_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description `entry` */
        EntryFrame: {
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description The entry. */
            entry: components["schemas"]["Entry"];
        };
        /** @description `error` */
        ErrorFrame: {
            /**
             * Format: uuid
             * @description The `client_id` of the send that failed.
             */
            client_id?: string | null;
            /** @description The error code, by which a client decides. */
            code: components["schemas"]["Code"];
            conversation?: components["schemas"]["ConversationId"] | null;
            /** @description True where what was asked for is damaged on the server: asking again changes nothing, whatever `code` says. */
            damaged?: boolean;
            /** @description The circumstances of this time, for a person. */
            detail?: string | null;
            /** @description A JSON Pointer to the field at fault. */
            pointer?: string | null;
            /** @description The `t` of the frame that failed. */
            ref?: string | null;
            /**
             * Format: u-int32
             * @description The time after which it may succeed.
             */
            retry_after_ms?: number | null;
            /** @description The error, for a person. */
            title: string;
        };
        /** @description `goaway` */
        Goaway: {
            /**
             * Format: u-int32
             * @description The client reconnects after so long at the earliest,
             */
            reconnect_after_ms: number;
            /**
             * Format: u-int32
             * @description and at a random time within so long after that.
             */
            spread_ms: number;
            /** @description The address to go to, if not the same server. */
            url?: string | null;
        };
        /** @description The standing of a conversation for one user, in a `heads` frame. */
        HeadItem: {
            /**
             * @description True where the server cannot read the conversation: nothing of it can be asked for until its operator has repaired
             *     it, and all of this but `id` says nothing.
             */
            damaged?: boolean;
            /**
             * Format: u-int64
             * @description The seq up to which a device of the user got it.
             */
            delivered: number;
            /**
             * Format: u-int64
             * @description The last seq of its log.
             */
            head: number;
            /** @description The conversation. */
            id: components["schemas"]["ConversationId"];
            /**
             * Format: u-int64
             * @description The number of them that mention the user.
             */
            mentions: number;
            peer?: components["schemas"]["PeerPointers"] | null;
            /**
             * Format: u-int64
             * @description The seq up to which the user read.
             */
            read: number;
            /**
             * Format: u-int64
             * @description The seq of the last entry that changed it or its members.
             */
            rev: number;
            /**
             * Format: u-int64
             * @description Messages by others above `read`.
             */
            unread: number;
        };
        /** @description `heads` */
        Heads: {
            /** @description At most 500. */
            conversations: components["schemas"]["HeadItem"][];
            instance?: components["schemas"]["InstanceId"] | null;
            /** @description True if another page follows. */
            more: boolean;
        };
        /** @description `hello` */
        Hello: {
            /** @description The program's name and version, for the operator's statistics. */
            client?: string | null;
            /** @description Names of what the device can do, as at sign-in, from now on; as they were where absent. */
            features?: string[] | null;
            /** @description The seq up to which the device has each conversation, most recent first; at most 500. */
            have?: [
                string,
                number
            ][];
            /** @description The device's token. Absent in a resume on a socket that has said hello. */
            token?: string | null;
        };
        InstanceId: string;
        /** @description A media, as every entry that shows it describes it. It has no url, because entries are for ever and urls are not. */
        Media: {
            /** @description The content type, as the server found. */
            content_type: string;
            /**
             * Format: u-int32
             * @description Pixels of a picture from top to bottom, as it is to be shown.
             */
            height?: number | null;
            /** @description For ever. */
            id: components["schemas"]["MediaId"];
            /** @description The name that its owner gave it. */
            name?: string | null;
            /** @description SHA-256 of the bytes, in hexadecimal. */
            sha256: string;
            /**
             * Format: u-int64
             * @description Its size in bytes.
             */
            size: number;
            /** @description A picture in some 25 bytes, in base64: what to show until it is there (<https://evanw.github.io/thumbhash/>). */
            thumbhash?: string | null;
            /** @description True if it has a thumbnail. */
            thumbnail?: boolean;
            /**
             * Format: u-int32
             * @description Pixels of a picture from left to right, as it is to be shown.
             */
            width?: number | null;
        };
        MediaId: string;
        /** @description The body of `member_added`. */
        MemberAdded: {
            /** @description The user who added them; themselves where they joined. */
            by: components["schemas"]["UserId"];
            /** @description The role of the user. */
            role: components["schemas"]["Role"];
            /** @description The user who was added. */
            user: components["schemas"]["UserId"];
        };
        /** @description The body of `member_removed`. */
        MemberRemoved: {
            /** @description The user who removed them; themselves where they left. */
            by: components["schemas"]["UserId"];
            /** @description The user who was removed. */
            user: components["schemas"]["UserId"];
        };
        /** @description A user and the role in which they belong to a conversation. */
        MemberRole: {
            /** @description The role of the user. */
            role: components["schemas"]["Role"];
            /** @description The user. */
            user: components["schemas"]["UserId"];
        };
        MessageId: string;
        /** @description A message as a client sends it; also the body of the REST route. */
        NewMessage: {
            /** @description The media that it shows. */
            attachments?: components["schemas"]["MediaId"][];
            /**
             * Format: uuid
             * @description A UUIDv7 that the client made for this message, the same in every retry.
             */
            client_id: string;
            /** @description The users whom it mentions. */
            mentions?: components["schemas"]["UserId"][];
            /**
             * Format: u-int64
             * @description The seq of the message that it answers.
             */
            reply_to?: number | null;
            /** @description The text; at least this or an attachment. */
            text?: string;
        };
        /** @description The other side's pointers in a direct conversation. */
        PeerPointers: {
            /**
             * Format: u-int64
             * @description The seq up to which a device of theirs got it.
             */
            delivered: number;
            /**
             * Format: u-int64
             * @description The seq up to which they read.
             */
            read: number;
        };
        /** @description `ping` */
        Ping: {
            /** @description True if the person did something since the last one. */
            active?: boolean;
        };
        /** @description `delivered` and `read`: cumulative. */
        Pointer: {
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /**
             * Format: u-int64
             * @description The entry up to which, it included.
             */
            seq: number;
        };
        /** @description `pong` */
        Pong: {
            /** @description The server's clock. */
            at: components["schemas"]["Timestamp"];
        };
        /** @description `presence` */
        Presence: {
            last_seen?: components["schemas"]["Timestamp"] | null;
            /** @description The state: online while a device of theirs is connected. */
            state: components["schemas"]["PresenceState"];
            /** @description The user. */
            user: components["schemas"]["UserId"];
        };
        /**
         * @description The presence of a user.
         * @enum {string}
         */
        PresenceState: "online" | "offline";
        /** @description The body of `reaction`. */
        Reaction: {
            /** @description The emoji. */
            emoji: string;
            /** @description True when it is put, false when it is taken back. */
            on: boolean;
            /**
             * Format: u-int64
             * @description The seq of the message.
             */
            target: number;
        };
        /** @description `ready` */
        Ready: {
            /** @description The kinds of frames that are shed at the moment. */
            degraded: components["schemas"]["Sheddable"][];
            /** @description The device of the token. */
            device: components["schemas"]["DeviceId"];
            /**
             * Format: u-int32
             * @description A device that has sent nothing for so long must send `ping`.
             */
            heartbeat_ms: number;
            instance?: components["schemas"]["InstanceId"] | null;
            /** @description The node that answers. */
            node: string;
            /** @description The user of the token. */
            user: components["schemas"]["UserId"];
        };
        /** @description `receipt` */
        Receipt: {
            /** @description The time at which they moved. */
            at: components["schemas"]["Timestamp"];
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /**
             * Format: u-int64
             * @description The seq up to which a device of theirs got it.
             */
            delivered: number;
            /**
             * Format: u-int64
             * @description The seq up to which they read it.
             */
            read: number;
            /** @description The user whose pointers moved. */
            user: components["schemas"]["UserId"];
        };
        /** @description The body of `redacted`. */
        Redacted: {
            /** @description The kind of the entry whose content is gone: `message` or `edit`. */
            was: components["schemas"]["RedactedKind"];
        };
        /**
         * @description The kind that a redacted entry had.
         * @enum {string}
         */
        RedactedKind: "message" | "edit";
        /** @description `requests` */
        Requests: {
            /**
             * Format: u-int32
             * @description The number of requests that wait.
             */
            waiting: number;
        };
        /** @description `reset` */
        Reset: {
            /**
             * Format: u-int32
             * @description The client resumes at a random time within so long.
             */
            spread_ms: number;
        };
        /**
         * @description The role of a member, from the most rights to the least.
         * @enum {string}
         */
        Role: "member" | "admin" | "owner";
        /** @description The body of `role_changed`. */
        RoleChanged: {
            /** @description The user who gave it. */
            by: components["schemas"]["UserId"];
            /** @description The role from now on. */
            role: components["schemas"]["Role"];
            /** @description The user whose role changed. */
            user: components["schemas"]["UserId"];
        };
        /** @description `send` */
        Send: components["schemas"]["NewMessage"] & {
            /** @description The conversation to which it goes. */
            conversation: components["schemas"]["ConversationId"];
        };
        /** @description `sent` */
        Sent: {
            /** @description The time at which the server took it. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: uuid
             * @description The name of the message.
             */
            client_id: string;
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /**
             * Format: u-int64
             * @description Its place in the log.
             */
            seq: number;
            true_at?: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description A kind of frame that a server drops under load before it would refuse a message.
         * @enum {string}
         */
        Sheddable: "typing" | "presence" | "receipts";
        /** @description `sync` */
        Sync: {
            /**
             * Format: u-int64
             * @description The entries after this seq.
             */
            after: number;
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /**
             * Format: u-int32
             * @description The largest number of entries; 200 at most, and 200 where absent.
             */
            limit?: number | null;
        };
        /** @description The body of `delete`. */
        Target: {
            /**
             * Format: u-int64
             * @description The seq of the message.
             */
            target: number;
        };
        /** @description The body of `message`. */
        Text: {
            /** @description The media that it shows. */
            attachments?: components["schemas"]["Media"][];
            /** @description The users whom it mentions. */
            mentions?: components["schemas"]["UserId"][];
            /**
             * Format: u-int64
             * @description The seq of the message that it answers.
             */
            reply_to?: number | null;
            /** @description The text; empty where there are only attachments. */
            text?: string;
        };
        /** Format: date-time */
        Timestamp: string;
        /** @description `typing`, from the server. */
        Typing: {
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description The user who is writing. */
            user: components["schemas"]["UserId"];
        };
        /** @description `typing`, from a client. */
        TypingIn: {
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
        };
        UserId: string;
        /** @description `watch` and `unwatch` */
        Watch: {
            /** @description Conversations whose receipts are watched; at most 20 at a time. */
            conversations?: components["schemas"]["ConversationId"][];
            /** @description Users whose presence is watched; at most 500 at a time. */
            users?: components["schemas"]["UserId"][];
        };
        /**
         * @description The members who may write in a channel.
         * @enum {string}
         */
        Writers: "everyone" | "admins";
        /** @description Everything up to this seq reached the device. */
        client_delivered: components["schemas"]["Pointer"] & {
            /** @enum {string} */
            t: "delivered";
        };
        /**
         * @description The token of the device and the heads that it has; must be the first, within 10 s. Without a token, on an open socket:
         *     resume.
         */
        client_hello: components["schemas"]["Hello"] & {
            /** @enum {string} */
            t: "hello";
        };
        /** @description The heartbeat. */
        client_ping: components["schemas"]["Ping"] & {
            /** @enum {string} */
            t: "ping";
        };
        /** @description Everything up to this seq was read. */
        client_read: components["schemas"]["Pointer"] & {
            /** @enum {string} */
            t: "read";
        };
        /** @description A message. */
        client_send: components["schemas"]["Send"] & {
            /** @enum {string} */
            t: "send";
        };
        /** @description Asks for entries. */
        client_sync: components["schemas"]["Sync"] & {
            /** @enum {string} */
            t: "sync";
        };
        /** @description The person is writing. */
        client_typing: components["schemas"]["TypingIn"] & {
            /** @enum {string} */
            t: "typing";
        };
        /** @description Users and conversations that no longer are. */
        client_unwatch: components["schemas"]["Watch"] & {
            /** @enum {string} */
            t: "unwatch";
        };
        /** @description Users and conversations that are on screen from now on. */
        client_watch: components["schemas"]["Watch"] & {
            /** @enum {string} */
            t: "watch";
        };
        /** @description The user's list of conversations changed. */
        server_conversation: components["schemas"]["ConversationFrame"] & {
            /** @enum {string} */
            t: "conversation";
        };
        /** @description The kinds of frames that are shed at the moment. */
        server_degraded: components["schemas"]["Degraded"] & {
            /** @enum {string} */
            t: "degraded";
        };
        /** @description Entries that were asked for, or that a hello lacked. */
        server_entries: components["schemas"]["Entries"] & {
            /** @enum {string} */
            t: "entries";
        };
        /** @description Something was said. */
        server_entry: components["schemas"]["EntryFrame"] & {
            /** @enum {string} */
            t: "entry";
        };
        /** @description A frame of the client failed. */
        server_error: components["schemas"]["ErrorFrame"] & {
            /** @enum {string} */
            t: "error";
        };
        /** @description This node drains. */
        server_goaway: components["schemas"]["Goaway"] & {
            /** @enum {string} */
            t: "goaway";
        };
        /** @description The heads of the user's conversations. */
        server_heads: components["schemas"]["Heads"] & {
            /** @enum {string} */
            t: "heads";
        };
        /** @description The answer to a ping. */
        server_pong: components["schemas"]["Pong"] & {
            /** @enum {string} */
            t: "pong";
        };
        /** @description Somebody came or went. */
        server_presence: components["schemas"]["Presence"] & {
            /** @enum {string} */
            t: "presence";
        };
        /** @description The hello was good. */
        server_ready: components["schemas"]["Ready"] & {
            /** @enum {string} */
            t: "ready";
        };
        /** @description Somebody's pointers moved. */
        server_receipt: components["schemas"]["Receipt"] & {
            /** @enum {string} */
            t: "receipt";
        };
        /** @description The requests that wait for the user's answer changed. */
        server_requests: components["schemas"]["Requests"] & {
            /** @enum {string} */
            t: "requests";
        };
        /** @description Something may have been missed: say `have` again. */
        server_reset: components["schemas"]["Reset"] & {
            /** @enum {string} */
            t: "reset";
        };
        /** @description The message is durable. Stands for the entry on the socket that sent it. */
        server_sent: components["schemas"]["Sent"] & {
            /** @enum {string} */
            t: "sent";
        };
        /** @description Somebody is writing. */
        server_typing: components["schemas"]["Typing"] & {
            /** @enum {string} */
            t: "typing";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
