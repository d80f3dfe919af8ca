// Made by "npm run types" from the server's OpenAPI document. Not for editing.

export interface paths {
    "/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The channels of the server, by title. */
        get: operations["conversations_channels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a conversation. A second direct one of the same two is the first. */
        post: operations["conversations_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{conversation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A conversation. */
        get: operations["conversations_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes settings. Absent fields stay as they are. */
        patch: operations["conversations_change"];
        trace?: never;
    };
    "/v1/conversations/{conversation}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Raw entries, ascending. */
        get: operations["messages_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{conversation}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Folded messages, ascending. */
        get: operations["messages_page"];
        put?: never;
        /** Sends a message; durable when it is answered. */
        post: operations["messages_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{conversation}/participants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The members, in the order of their ids. */
        get: operations["conversations_participants"];
        put?: never;
        /** Adds a member, or joins a channel. */
        post: operations["conversations_add"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{conversation}/participants/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a member, or leaves. */
        delete: operations["conversations_remove"];
        options?: never;
        head?: never;
        /** Gives a member another role. */
        patch: operations["conversations_change_role"];
        trace?: never;
    };
    "/v1/gateway": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The socket to connect to now. */
        get: operations["server_gateway"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Describes this server and its limits. */
        get: operations["server_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes an invite, with which one person can sign up. */
        post: operations["users_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sends a media: its bytes are the body. Durable when it is answered. */
        post: operations["media_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/{media}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bytes of a media, or a range of them. */
        get: operations["media_bytes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/{media}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The thumbnail of a picture: JPEG or WebP, its longer side 512 pixels at most. */
        get: operations["media_thumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/{media}/url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A url that opens a media without a token, for an hour. */
        get: operations["media_url"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{message}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One folded message. */
        get: operations["messages_one"];
        put?: never;
        post?: never;
        /** Deletes a message for everyone: one's own, or as an admin. */
        delete: operations["messages_delete"];
        options?: never;
        head?: never;
        /** Gives one's own message another text. */
        patch: operations["messages_edit"];
        trace?: never;
    };
    "/v1/messages/{message}/reactions/{emoji}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Puts an emoji to a message. */
        put: operations["messages_react"];
        post?: never;
        /** Takes an emoji back. */
        delete: operations["messages_unreact"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{message}/read_receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells when each other member got and read a message; of a channel only how many. */
        get: operations["messages_read_receipts"];
        put?: never;
        /** Says that everything up to and including this message is read. */
        post: operations["messages_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/polls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a poll. The body is a `hello` without token. */
        post: operations["polls_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/polls/{poll}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Fetches frames, or waits for one. A second GET ends the first. */
        get: operations["polls_fetch"];
        put?: never;
        post?: never;
        /** Ends a poll. */
        delete: operations["polls_end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/polls/{poll}/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Says what a client would say on the socket. */
        post: operations["polls_commands"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tells the operator of a user, a conversation, or messages as the caller sees them now. */
        post: operations["reports_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The messages that have the words and that the caller may read, best first. */
        get: operations["search_find"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs a device in. */
        post: operations["sessions_sign_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Signs this device out: its token stops working, its socket closes. */
        delete: operations["sessions_sign_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins an upload; the bytes that the request has are its first. */
        post: operations["uploads_create"];
        delete?: never;
        /** Tells which parts of tus are spoken here. */
        options: operations["uploads_options"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{upload}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells how far an upload is, and what it has become. */
        get: operations["uploads_info"];
        put?: never;
        /** A POST from where no other method can be sent: it is the one that it names. */
        post: operations["uploads_instead"];
        /** Forgets an upload. */
        delete: operations["uploads_terminate"];
        options?: never;
        /** Tells how far an upload is, to whoever goes on with it: whoever else still writes to it is stopped. */
        head: operations["uploads_head"];
        /** Adds bytes to an upload. With the last of them it becomes a media. */
        patch: operations["uploads_append"];
        trace?: never;
    };
    "/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The first people whose username begins so, by name. */
        get: operations["users_search"];
        put?: never;
        /** Makes an account and signs its first device in. */
        post: operations["users_sign_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/blocked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the people whom one blocks. */
        get: operations["users_blocked"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/blocked/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Blocks a user. */
        put: operations["users_block"];
        post?: never;
        /** Blocks a user no longer. */
        delete: operations["users_unblock"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/conversations/{conversation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes one's own settings of a conversation, on all of one's devices. */
        put: operations["conversations_personalize"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One's devices, in the order in which they signed in. All are on one page. */
        get: operations["devices_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/devices/{device}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Signs a device out: its token stops working, its socket closes. */
        delete: operations["devices_revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/devices/{device}/push": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Has a device woken while it is not connected, instead of where it was woken before. */
        put: operations["devices_subscribe"];
        post?: never;
        /** Has a device woken no longer. */
        delete: operations["devices_unsubscribe"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/mentions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The messages that mention the caller, newest first. */
        get: operations["messages_mentions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes one's password. All other devices are signed out. */
        put: operations["sessions_change_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the conversations that strangers began with the caller, or added them to, and that wait for an answer; newest
         *     first, 100 at most.
         */
        get: operations["conversations_requests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/requests/{conversation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Answers a request. */
        put: operations["conversations_answer"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A profile. */
        get: operations["users_profile"];
        /** Changes one's own profile. Absent fields stay as they are. */
        put: operations["users_change"];
        post?: never;
        /** Erases one's account. */
        delete: operations["users_erase"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{user}/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's conversations, newest activity first. */
        get: operations["conversations_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{user}/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells if a user is there, as far as the caller may know. */
        get: operations["users_of"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description The people who may add one to groups and channels.
         * @enum {string}
         */
        Adders: "everyone" | "contacts";
        /** @description `PUT /v1/users/me/requests/{conversation}` */
        AnswerRequest: {
            /** @description The answer. */
            answer: components["schemas"]["RequestAnswer"];
        };
        /**
         * @description The people who see when one was last there.
         * @enum {string}
         */
        Audience: "everyone" | "contacts" | "nobody";
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
        /** @description `PUT /v1/users/me/password` */
        ChangePassword: {
            /** @description The password from now on. */
            new: string;
            /** @description The password up to now. */
            old: string;
        };
        /** @description `PUT /v1/users/me/conversations/{id}`: absent fields stay as they are. */
        ChangePersonal: {
            /** @description True if it is put away. */
            archived?: boolean | null;
            muted_until?: components["schemas"]["Timestamp"] | null;
            /** @description True if it stays on top. */
            pinned?: boolean | null;
        };
        /** @description The part of `PUT /v1/users/{id}` that says what others may know, and do to one. */
        ChangePrivacy: {
            groups?: components["schemas"]["Adders"] | null;
            last_seen?: components["schemas"]["Audience"] | null;
            /** @description True if one sends, and sees, read pointers of direct conversations. */
            read_receipts?: boolean | null;
        };
        /** @description `PUT /v1/users/{id}`: absent fields stay as they are, an empty text unsets. */
        ChangeProfile: {
            /** @description The text about oneself. */
            about?: string | null;
            /** @description One's picture. */
            avatar?: string | null;
            /** @description The name to show. */
            display_name?: string | null;
            /** @description Seen by oneself only. */
            email?: string | null;
            /** @description Seen by oneself only. */
            phone?: string | null;
            privacy?: components["schemas"]["ChangePrivacy"] | null;
        };
        /** @description `PATCH /v1/conversations/{id}/participants/{user}` */
        ChangeRole: {
            /** @description The role from now on. */
            role: components["schemas"]["Role"];
        };
        /** @description A channel that anybody may join. */
        ChannelItem: {
            /** @description For ever. */
            id: components["schemas"]["ConversationId"];
            /** @description Its title. */
            title: string;
        };
        /** @description A frame of a client. */
        ClientFrame: (components["schemas"]["Hello"] & {
            /** @enum {string} */
            t: "hello";
        }) | (components["schemas"]["Ping"] & {
            /** @enum {string} */
            t: "ping";
        }) | (components["schemas"]["Send"] & {
            /** @enum {string} */
            t: "send";
        }) | (components["schemas"]["Sync"] & {
            /** @enum {string} */
            t: "sync";
        }) | (components["schemas"]["Pointer"] & {
            /** @enum {string} */
            t: "delivered";
        }) | (components["schemas"]["Pointer"] & {
            /** @enum {string} */
            t: "read";
        }) | (components["schemas"]["TypingIn"] & {
            /** @enum {string} */
            t: "typing";
        }) | (components["schemas"]["Watch"] & {
            /** @enum {string} */
            t: "watch";
        }) | (components["schemas"]["Watch"] & {
            /** @enum {string} */
            t: "unwatch";
        });
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
        /** @description A conversation: `GET /v1/conversations/{id}`. */
        ConversationInfo: {
            /** @description Its picture. */
            avatar?: string | null;
            /** @description The time at which it began. */
            created_at: components["schemas"]["Timestamp"];
            /**
             * Format: u-int32
             * @description Seconds after which messages sent now disappear.
             */
            expire_after_s?: number | null;
            /**
             * Format: u-int64
             * @description The last seq of its log.
             */
            head: number;
            /** @description For ever. */
            id: components["schemas"]["ConversationId"];
            /** @description Its kind. */
            kind: components["schemas"]["ConversationKind"];
            /**
             * Format: u-int32
             * @description The number of its members.
             */
            members: number;
            /**
             * Format: u-int64
             * @description The seq of the last entry that changed it or its members.
             */
            rev: number;
            /** @description The caller's role. */
            role: components["schemas"]["Role"];
            /**
             * Format: u-int64
             * @description The caller's first seq: their history begins there.
             */
            since: number;
            /** @description Its title. */
            title?: string | null;
            /** @description Its topic. */
            topic?: string | null;
            /** @description The members who may write. */
            writers: components["schemas"]["Writers"];
        };
        /** @description One conversation of the user's list. */
        ConversationItem: components["schemas"]["HeadItem"] & {
            /** @description True if it is put away. */
            archived: boolean;
            /** @description Its picture; absent of a direct one. */
            avatar?: string | null;
            /** @description The kind of the conversation. */
            kind: components["schemas"]["ConversationKind"];
            /** @description Its last entry. */
            last: components["schemas"]["Entry"];
            muted_until?: components["schemas"]["Timestamp"] | null;
            peer_user?: components["schemas"]["UserId"] | null;
            /** @description True if it stays on top. */
            pinned: boolean;
            request?: components["schemas"]["RequestInfo"] | null;
            /** @description Its title; absent of a direct one. */
            title?: string | null;
        };
        /**
         * @description The kind of a conversation.
         * @enum {string}
         */
        ConversationKind: "direct" | "group" | "channel";
        /** @description The conversations of a user, a page at a time. */
        ConversationList: {
            /**
             * @description Conversations of the user that the server cannot read: those that it knows of on the first page, others where they
             *     would have been.
             */
            damaged?: components["schemas"]["DamagedConversation"][];
            /** @description The items. */
            items: components["schemas"]["ConversationItem"][];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
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
        /** @description A conversation that is closed to everybody until the server's operator has repaired it. */
        DamagedConversation: {
            /** @description The conversation. */
            id: components["schemas"]["ConversationId"];
            kind?: components["schemas"]["ConversationKind"] | null;
            /** @description Its title, where it has one that can be read. */
            title?: string | null;
        };
        /** @description `degraded` */
        Degraded: {
            /** @description The kinds of frames that are shed from now on; none when it is over. */
            shed: components["schemas"]["Sheddable"][];
        };
        /** @description `DELETE /v1/users/{id}` */
        DeleteUser: {
            /** @description One's password, once more. */
            password: string;
        };
        /** @description One of one's own devices. */
        Device: {
            /** @description The time at which it signed in. */
            created_at: components["schemas"]["Timestamp"];
            /** @description True for the device that asks. */
            current?: boolean;
            /** @description The features that it named last; no older server tells them. */
            features?: string[];
            /** @description For ever. */
            id: components["schemas"]["DeviceId"];
            /** @description The name that it gives itself. */
            name: string;
            /** @description The platform on which it runs. */
            platform: string;
        };
        DeviceId: string;
        /** @description The name and the platform that a device gives of itself. */
        DeviceInfo: {
            /** @description Names of what the device can do beyond what every device can: 32 of 32 bytes at most, of `a-z 0-9 . _ -`. */
            features?: string[];
            /** @description A name that its owner recognises. */
            name?: string;
            /** @description `web`, `linux`, `android` … */
            platform?: string;
        };
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
        /** @description `PATCH /v1/messages/{id}` */
        EditMessage: {
            /** @description The users whom it mentions from now on. */
            mentions?: components["schemas"]["UserId"][];
            /** @description The text from now on. */
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
        /** @description One field of a request that is not valid. */
        FieldError: {
            /** @description The error, for a person. */
            detail: string;
            /** @description A JSON Pointer (RFC 6901) into the body; `?name` for a field of the query. */
            pointer: string;
        };
        /** @description `GET /v1/polls/{poll}` */
        Frames: {
            /** @description In order. */
            items: components["schemas"]["NumberedFrame"][];
        };
        /** @description `GET /v1/gateway` */
        Gateway: {
            /** @description The node that serves it. */
            node: string;
            /** @description The region of the server. */
            region?: string | null;
            /** @description The socket to connect to now. */
            url: string;
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
        /** @description A part of a text, in UTF-16 code units, as JavaScript counts them: `text.slice(start, end)`. */
        Highlight: {
            /**
             * Format: u-int32
             * @description The unit behind its last.
             */
            end: number;
            /**
             * Format: u-int32
             * @description Its first unit.
             */
            start: number;
        };
        /** @description The description of a server: `GET /v1/info`. */
        Info: {
            /** @description The features of this server beyond those that every server has. */
            features: string[];
            /**
             * Format: u-int32
             * @description A device that has sent nothing for so long must send `ping`.
             */
            heartbeat_ms: number;
            instance?: components["schemas"]["InstanceId"] | null;
            /** @description Its limits. */
            limits: components["schemas"]["Limits"];
            /** @description The server's name, chosen by its operator. */
            name: string;
            /**
             * Format: u-int32
             * @description The protocol's version: 1.
             */
            protocol: number;
            push?: components["schemas"]["PushInfo"] | null;
            /** @description The people who may sign up. */
            registration: components["schemas"]["Registration"];
            /** @description The program's version. */
            version: string;
        };
        InstanceId: string;
        /** @description `POST /v1/invites` */
        Invite: {
            /** @description The code with which the invited person signs up, once. */
            code: string;
            /** @description The time until which it is good. */
            expires_at: components["schemas"]["Timestamp"];
        };
        /** @description The limits that a server states in its `info`. */
        Limits: {
            /**
             * Format: u-int32
             * @description Attachments of one message.
             */
            attachments: number;
            /**
             * Format: u-int32
             * @description Conversations that one user may begin on one day, UTC.
             */
            begins_per_day?: number;
            /**
             * Format: u-int32
             * @description Bytes of a REST body.
             */
            body_bytes: number;
            /**
             * Format: u-int32
             * @description Members of a channel.
             */
            channel_members: number;
            /**
             * Format: u-int32
             * @description Conversations that one user may have begun or accepted.
             */
            conversations?: number;
            /**
             * Format: u-int32
             * @description Devices of one user.
             */
            devices: number;
            /**
             * Format: u-int64
             * @description Bytes of all entries that one user causes in a day of UTC: messages, edits, reactions, changes of members.
             */
            entry_bytes_per_day?: number;
            /**
             * Format: u-int32
             * @description Bytes of a frame from a client.
             */
            frame_bytes: number;
            /**
             * Format: u-int32
             * @description Members of a group.
             */
            group_members: number;
            /**
             * Format: u-int64
             * @description Bytes of a media that is sent in one request.
             */
            media_bytes?: number;
            /**
             * Format: u-int64
             * @description Bytes of all media of one user.
             */
            media_quota_bytes?: number;
            /**
             * Format: u-int32
             * @description Users that one message mentions.
             */
            mentions: number;
            /**
             * Format: u-int32
             * @description Characters of a user's or a device's displayed name.
             */
            name_chars: number;
            /**
             * Format: u-int32
             * @description Items of one page.
             */
            page_items: number;
            /** @description Characters of a password, at least and at most. */
            password_chars: number[];
            /**
             * Format: u-int64
             * @description Bytes of a picture, however it is sent.
             */
            picture_bytes?: number;
            /**
             * Format: u-int32
             * @description Direct conversations with which strangers reach one user on one day; those beyond wait as requests.
             */
            stranger_directs_per_day?: number;
            /**
             * Format: u-int32
             * @description Groups and channels to which strangers add one user on one day; those beyond wait as requests.
             */
            stranger_groups_per_day?: number;
            /**
             * Format: u-int32
             * @description Bytes of a message's text in UTF-8.
             */
            text_bytes: number;
            /**
             * Format: u-int32
             * @description Characters of a conversation's title.
             */
            title_chars: number;
            /**
             * Format: u-int32
             * @description Characters of a conversation's topic, or of a profile's `about`.
             */
            topic_chars: number;
            /**
             * Format: u-int64
             * @description Bytes of a media that is sent in parts.
             */
            upload_bytes?: number;
            /**
             * Format: u-int32
             * @description Uploads of one user that may be unfinished at a time.
             */
            uploads_open?: number;
            /** @description Characters of a username, at least and at most, of `a-z 0-9 . _ -`. */
            username_chars: number[];
        };
        /** @description Raw entries. */
        Log: {
            /**
             * Format: u-int64
             * @description The last seq of the log.
             */
            head: number;
            /** @description In ascending order, without gap. */
            items: components["schemas"]["Entry"][];
            /** @description As of [`Messages::more`]. */
            more?: boolean | null;
        };
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
        /** @description A url that opens a media without a token: `GET /v1/media/{id}/url`. */
        MediaUrl: {
            /** @description The time until which they open it. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description The same of the thumbnail, if there is one. */
            thumbnail_url?: string | null;
            /** @description The path and query of the bytes, on the server that answers. */
            url: string;
        };
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
        /** @description A folded entry: one that shows in a timeline, with every edit, deletion and reaction up to now applied. */
        Message: components["schemas"]["Entry"] & {
            /** @description True once its content was deleted or has expired. */
            deleted?: boolean;
            edited_at?: components["schemas"]["Timestamp"] | null;
            /** @description The reactions to it, in the order of their first use. */
            reactions?: components["schemas"]["ReactionUsers"][];
        };
        MessageId: string;
        /** @description Folded messages. */
        Messages: {
            /**
             * Format: u-int64
             * @description The seq up to which edits, deletions and reactions are applied.
             */
            head: number;
            /** @description In ascending order. */
            items: components["schemas"]["Message"][];
            /**
             * @description True if there may be more at the far end of the page: before it where it ends at a seq or at the end, after it where
             *     it begins at a seq, on either side where something is in its middle. Where a server does not say, a page with fewer
             *     items than asked for is the last one.
             */
            more?: boolean | null;
        };
        /** @description `POST /v1/conversations` */
        NewConversation: {
            /** @description `none`; anything else is refused until it exists. */
            encryption?: string | null;
            /**
             * Format: u-int32
             * @description Seconds after which its messages disappear.
             */
            expire_after_s?: number | null;
            /** @description The kind that it is to be. */
            kind: components["schemas"]["ConversationKind"];
            /** @description Its members beside the caller; exactly one for a direct one. */
            members?: components["schemas"]["UserId"][];
            /** @description Its title; needed for a channel, refused for a direct one. */
            title?: string | null;
        };
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
        /** @description `POST /v1/conversations/{id}/participants` */
        NewParticipant: {
            role?: components["schemas"]["Role"] | null;
            /** @description The user to add; oneself to join a channel. */
            user: components["schemas"]["UserId"];
        };
        /** @description `POST /v1/reports`: at least one of a user, a conversation and messages. */
        NewReport: {
            conversation?: components["schemas"]["ConversationId"] | null;
            /** @description Messages that the operator is to see as they stand now, 20 at most. */
            messages?: components["schemas"]["MessageId"][];
            /** @description The reason, in one's own words: 1000 characters at most. */
            reason?: string | null;
            user?: components["schemas"]["UserId"] | null;
        };
        /** @description Sign-in: `POST /v1/sessions`. */
        NewSession: {
            device?: components["schemas"]["DeviceInfo"] | null;
            /** @description The secret that an earlier sign-in of this name gave this device, so that it waits among known devices only. */
            device_secret?: string | null;
            /** @description Their password. */
            password: string;
            /** @description The name of the account. */
            username: string;
        };
        /** @description Sign-up: `POST /v1/users`. */
        NewUser: {
            device?: components["schemas"]["DeviceInfo"] | null;
            /** @description The name that others see; the username where absent. */
            display_name?: string | null;
            /** @description The code of an invite, where registration needs one. */
            invite?: string | null;
            /** @description 8–128 characters. */
            password: string;
            /** @description 3–32 of `a-z 0-9 . _ -`. */
            username: string;
        };
        /** @description A server frame with its number in a long poll. */
        NumberedFrame: {
            /** @description The frame. */
            frame: components["schemas"]["ServerFrame"];
            /**
             * Format: u-int64
             * @description From 1, without gap.
             */
            n: number;
        };
        /** @description One page of a list. */
        Page_ChannelItem: {
            /** @description The items. */
            items: {
                /** @description For ever. */
                id: components["schemas"]["ConversationId"];
                /** @description Its title. */
                title: string;
            }[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_ConversationItem: {
            /** @description The items. */
            items: (components["schemas"]["HeadItem"] & {
                /** @description True if it is put away. */
                archived: boolean;
                /** @description Its picture; absent of a direct one. */
                avatar?: string | null;
                /** @description The kind of the conversation. */
                kind: components["schemas"]["ConversationKind"];
                /** @description Its last entry. */
                last: components["schemas"]["Entry"];
                muted_until?: components["schemas"]["Timestamp"] | null;
                peer_user?: components["schemas"]["UserId"] | null;
                /** @description True if it stays on top. */
                pinned: boolean;
                request?: components["schemas"]["RequestInfo"] | null;
                /** @description Its title; absent of a direct one. */
                title?: string | null;
            })[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Device: {
            /** @description The items. */
            items: {
                /** @description The time at which it signed in. */
                created_at: components["schemas"]["Timestamp"];
                /** @description True for the device that asks. */
                current?: boolean;
                /** @description The features that it named last; no older server tells them. */
                features?: string[];
                /** @description For ever. */
                id: components["schemas"]["DeviceId"];
                /** @description The name that it gives itself. */
                name: string;
                /** @description The platform on which it runs. */
                platform: string;
            }[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Message: {
            /** @description The items. */
            items: (components["schemas"]["Entry"] & {
                /** @description True once its content was deleted or has expired. */
                deleted?: boolean;
                edited_at?: components["schemas"]["Timestamp"] | null;
                /** @description The reactions to it, in the order of their first use. */
                reactions?: components["schemas"]["ReactionUsers"][];
            })[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Participant: {
            /** @description The items. */
            items: (components["schemas"]["MemberRole"] & {
                /**
                 * Format: u-int64
                 * @description Their first seq.
                 */
                since: number;
            })[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Profile: {
            /** @description The items. */
            items: {
                /** @description The text about themselves. */
                about?: string | null;
                /** @description Their picture. */
                avatar?: string | null;
                /** @description True once they have erased their account. */
                deleted?: boolean;
                /** @description The name to show. */
                display_name: string;
                /** @description One's own address. */
                email?: string | null;
                /** @description For ever. */
                id: components["schemas"]["UserId"];
                /** @description One's own number. */
                phone?: string | null;
                privacy?: components["schemas"]["Privacy"] | null;
                /** @description Absent of an erased user. */
                username?: string | null;
            }[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_SearchItem: {
            /** @description The items. */
            items: {
                /** @description The parts of its text that were looked for: ascending, apart, at least one and 100 at most. */
                highlights: components["schemas"]["Highlight"][];
                /** @description As it is now. */
                message: components["schemas"]["Message"];
            }[];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description A member of a conversation. */
        Participant: components["schemas"]["MemberRole"] & {
            /**
             * Format: u-int64
             * @description Their first seq.
             */
            since: number;
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
        /** @description One's own settings of a conversation. */
        Personal: {
            /** @description True if it is put away. */
            archived: boolean;
            muted_until?: components["schemas"]["Timestamp"] | null;
            /** @description True if it stays on top. */
            pinned: boolean;
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
        /** @description `POST /v1/polls` */
        Poll: {
            /** @description The poll's name. */
            poll: components["schemas"]["PollId"];
        };
        /** @description Frames of a client, as the documents show them. */
        PollCommands: {
            /** @description In order, 100 at most; their answers come with the next GET. */
            items: components["schemas"]["ClientFrame"][];
        };
        PollId: string;
        /** @description `pong` */
        Pong: {
            /** @description The server's clock. */
            at: components["schemas"]["Timestamp"];
        };
        /** @description The body of a message that is sent over REST: `client_id` may be given as `Idempotency-Key` instead. */
        PostMessage: {
            /** @description The media that it shows. */
            attachments?: components["schemas"]["MediaId"][];
            /**
             * Format: uuid
             * @description A UUIDv7 that the client made for this message; the `Idempotency-Key` where absent.
             */
            client_id?: string | null;
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
        /** @description `presence` */
        Presence: {
            last_seen?: components["schemas"]["Timestamp"] | null;
            /** @description The state: online while a device of theirs is connected. */
            state: components["schemas"]["PresenceState"];
            /** @description The user. */
            user: components["schemas"]["UserId"];
        };
        /** @description `GET /v1/users/{id}/presence` */
        PresenceInfo: {
            last_seen?: components["schemas"]["Timestamp"] | null;
            /** @description The state. */
            state: components["schemas"]["PresenceState"];
        };
        /**
         * @description The presence of a user.
         * @enum {string}
         */
        PresenceState: "online" | "offline";
        /** @description The privacy settings: what others may know of one, and do to one. */
        Privacy: {
            /** @description The people who may add one to groups and channels. */
            groups?: components["schemas"]["Adders"];
            /** @description The people who see presence and last seen. */
            last_seen?: components["schemas"]["Audience"];
            /** @description True if one sends, and sees, read pointers of direct conversations. */
            read_receipts?: boolean;
        };
        /** @description The body of every REST answer that is an error. */
        Problem: {
            /** @description The error code, by which a client decides. */
            code: components["schemas"]["Code"];
            /** @description The circumstances of this time, for a person. */
            detail?: string | null;
            /** @description The fields at fault. */
            errors?: components["schemas"]["FieldError"][];
            /** @description Names this request in the server's log. */
            request_id: string;
            /** @description True if the same request may succeed later. */
            retryable: boolean;
            /**
             * Format: u-int16
             * @description The HTTP status.
             */
            status: number;
            /** @description The error, for a person; the same for every problem of this code. */
            title: string;
            /** @description A URI reference that names the kind of problem. */
            type: string;
        };
        /** @description A user as another sees them; `email`, `phone` and `privacy` as one sees oneself. */
        Profile: {
            /** @description The text about themselves. */
            about?: string | null;
            /** @description Their picture. */
            avatar?: string | null;
            /** @description True once they have erased their account. */
            deleted?: boolean;
            /** @description The name to show. */
            display_name: string;
            /** @description One's own address. */
            email?: string | null;
            /** @description For ever. */
            id: components["schemas"]["UserId"];
            /** @description One's own number. */
            phone?: string | null;
            privacy?: components["schemas"]["Privacy"] | null;
            /** @description Absent of an erased user. */
            username?: string | null;
        };
        /** @description The way in which this server pushes; told in `GET /v1/info` where it does. */
        PushInfo: {
            /** @description The public key to subscribe with, `applicationServerKey`: a point of P-256, uncompressed, in base64url (RFC 8292). */
            vapid_key: string;
        };
        /** @description The keys of a subscription. */
        PushKeys: {
            /** @description 16 bytes, in base64url. */
            auth: string;
            /** @description A point of P-256, uncompressed, in base64url. */
            p256dh: string;
        };
        /**
         * @description A push subscription, as `PushSubscription.toJSON()` of a browser gives it: `PUT /v1/users/me/devices/{device}/push`.
         *
         *     A browser's `expirationTime` is ignored: a push service says itself when a subscription is no more.
         */
        PushSubscription: {
            /** @description The push service's address of this subscription: https, on a public host, 2048 characters at most. A secret. */
            endpoint: string;
            /** @description The keys to which the content is encrypted. */
            keys: components["schemas"]["PushKeys"];
        };
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
        /** @description An emoji and who put it. */
        ReactionUsers: {
            /** @description The emoji. */
            emoji: string;
            /** @description The users who put it, in that order. */
            users: components["schemas"]["UserId"][];
        };
        /** @description The times at which one member got and read a message; absent where it is not so, or not known any longer. */
        ReadReceipt: {
            /** @description True if a device of theirs has it. */
            delivered: boolean;
            delivered_at?: components["schemas"]["Timestamp"] | null;
            /** @description True if they have read it. */
            read: boolean;
            read_at?: components["schemas"]["Timestamp"] | null;
            /** @description The member. */
            user: components["schemas"]["UserId"];
        };
        /** @description `GET /v1/messages/{id}/read_receipts` */
        ReadReceipts: {
            /**
             * Format: u-int32
             * @description The number of members but the sender who have it on a device,
             */
            delivered?: number;
            /** @description One for each member but the sender, by their identifiers; none of a channel. */
            items: components["schemas"]["ReadReceipt"][];
            /** @description The `?cursor=` of the next page; absent on the last. */
            next_cursor?: string | null;
            /**
             * Format: u-int32
             * @description have read it,
             */
            read?: number;
            /**
             * Format: u-int32
             * @description and are there in all. Those of a channel are as of a second ago at most.
             */
            total?: number;
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
        /**
         * @description The people who may sign up.
         * @enum {string}
         */
        Registration: "open" | "invite" | "closed";
        ReportId: string;
        /** @description A report that the operator will find. */
        ReportMade: {
            /** @description Its name. */
            id: components["schemas"]["ReportId"];
        };
        /**
         * @description The answer of a user to a request.
         * @enum {string}
         */
        RequestAnswer: "accepted" | "declined" | "blocked";
        /** @description A conversation into which a stranger brought the user, and that waits for an answer. */
        RequestInfo: {
            /** @description The time of that. */
            at: components["schemas"]["Timestamp"];
            /** @description The user who began it, or added the other. */
            from: components["schemas"]["UserId"];
        };
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
        /** @description A message that a search found. */
        SearchItem: {
            /** @description The parts of its text that were looked for: ascending, apart, at least one and 100 at most. */
            highlights: components["schemas"]["Highlight"][];
            /** @description As it is now. */
            message: components["schemas"]["Message"];
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
        /** @description A frame of a server. */
        ServerFrame: (components["schemas"]["Ready"] & {
            /** @enum {string} */
            t: "ready";
        }) | (components["schemas"]["Heads"] & {
            /** @enum {string} */
            t: "heads";
        }) | (components["schemas"]["Pong"] & {
            /** @enum {string} */
            t: "pong";
        }) | (components["schemas"]["Sent"] & {
            /** @enum {string} */
            t: "sent";
        }) | (components["schemas"]["EntryFrame"] & {
            /** @enum {string} */
            t: "entry";
        }) | (components["schemas"]["Entries"] & {
            /** @enum {string} */
            t: "entries";
        }) | (components["schemas"]["Receipt"] & {
            /** @enum {string} */
            t: "receipt";
        }) | (components["schemas"]["Typing"] & {
            /** @enum {string} */
            t: "typing";
        }) | (components["schemas"]["Presence"] & {
            /** @enum {string} */
            t: "presence";
        }) | (components["schemas"]["ConversationFrame"] & {
            /** @enum {string} */
            t: "conversation";
        }) | (components["schemas"]["Requests"] & {
            /** @enum {string} */
            t: "requests";
        }) | (components["schemas"]["ErrorFrame"] & {
            /** @enum {string} */
            t: "error";
        }) | (components["schemas"]["Reset"] & {
            /** @enum {string} */
            t: "reset";
        }) | (components["schemas"]["Degraded"] & {
            /** @enum {string} */
            t: "degraded";
        }) | (components["schemas"]["Goaway"] & {
            /** @enum {string} */
            t: "goaway";
        });
        /**
         * @description A kind of frame that a server drops under load before it would refuse a message.
         * @enum {string}
         */
        Sheddable: "typing" | "presence" | "receipts";
        /** @description A device that is signed in. Its token is shown this once. */
        SignedIn: {
            /** @description On what. */
            device: components["schemas"]["Device"];
            /**
             * @description 256 random bits for the next sign-in of this name on this device. It outlives a sign-out, and opens nothing. An older
             *     server gives none.
             */
            device_secret?: string | null;
            /** @description 256 random bits, for `Authorization: Bearer` and for `hello`. */
            token: string;
            /** @description The user. */
            user: components["schemas"]["Profile"];
        };
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
        /** @description A media that is sent in parts: `GET /v1/uploads/{id}`. */
        Upload: {
            /** @description The time at which it is forgotten, unless more bytes come. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description Its name. */
            id: components["schemas"]["UploadId"];
            /**
             * Format: u-int64
             * @description The length in bytes that it will have.
             */
            length: number;
            media?: components["schemas"]["Media"] | null;
            /**
             * Format: u-int64
             * @description The number of bytes that have come.
             */
            offset: number;
        };
        UploadId: string;
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
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    conversations_channels: {
        parameters: {
            query?: {
                /** @description The beginning of the title; all channels where absent. */
                q?: string;
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ChannelItem"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names this request in its repetitions */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConversation"];
            };
        };
        responses: {
            /** @description the direct conversation that was there */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationInfo"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationInfo"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description blocked, not_contact, user_gone */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description conversation_full, too_many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description idempotency_mismatch */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_info: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationInfo"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ConversationChanged"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationInfo"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_log: {
        parameters: {
            query?: {
                /** @description Messages before this seq. */
                before?: number;
                /** @description Messages after this seq. */
                after?: number;
                /** @description This seq in the middle. */
                around?: number;
                /** @description The first at or after this time in the middle. */
                at?: components["schemas"]["Timestamp"];
                /** @description Items at most; 50 where absent. */
                limit?: number;
            };
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Log"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_page: {
        parameters: {
            query?: {
                /** @description Messages before this seq. */
                before?: number;
                /** @description Messages after this seq. */
                after?: number;
                /** @description This seq in the middle. */
                around?: number;
                /** @description The first at or after this time in the middle. */
                at?: components["schemas"]["Timestamp"];
                /** @description Items at most; 50 where absent. */
                limit?: number;
            };
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Messages"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_send: {
        parameters: {
            query?: never;
            header?: {
                /** @description The client_id, where the body has none */
                "Idempotency-Key"?: string | null;
            };
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PostMessage"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entry"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description blocked, user_gone, not_admin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_participants: {
        parameters: {
            query?: {
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Participant"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_add: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names this request in its repetitions */
                "Idempotency-Key"?: string | null;
            };
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewParticipant"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Participant"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin, not_contact, blocked */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description conversation_full, too_many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description idempotency_mismatch */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
                /** @description A user's id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_change_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeRole"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Participant"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    server_gateway: {
        parameters: {
            query?: {
                /** @description The region that the client prefers. A server of one node has one answer for all. */
                region?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gateway"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    server_info: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Info"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names this request in its repetitions */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invite"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description registration_closed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description idempotency_mismatch */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    media_send: {
        parameters: {
            query?: {
                /** @description Its name; a path loses its folders. */
                name?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The bytes, at least one */
        requestBody: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Media"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The bytes are not what they are said to be */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description storage_full */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    media_bytes: {
        parameters: {
            query?: {
                /** @description The end of the time in which it opens the media, in seconds since 1970. */
                expires?: number;
                /** @description Says so for the server. */
                signature?: string;
            };
            header?: {
                /** @description One range of bytes */
                Range?: string | null;
                /** @description The ETag of what one has */
                "If-None-Match"?: string | null;
            };
            path: {
                media: components["schemas"]["MediaId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes, of the media's own type */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The range that was asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description One has them */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description range_not_satisfiable */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    media_thumbnail: {
        parameters: {
            query?: {
                /** @description The end of the time in which it opens the media, in seconds since 1970. */
                expires?: number;
                /** @description Says so for the server. */
                signature?: string;
            };
            header?: {
                /** @description The ETag of what one has */
                "If-None-Match"?: string | null;
            };
            path: {
                media: components["schemas"]["MediaId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A picture */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description One has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Also for what has no thumbnail */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    media_url: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                media: components["schemas"]["MediaId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaUrl"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_one: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_edit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditMessage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_admin, blocked, user_gone */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_react: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
                emoji: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description blocked, user_gone */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_unreact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
                emoji: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description blocked, user_gone */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_read_receipts: {
        parameters: {
            query?: {
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadReceipts"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    polls_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Hello"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poll"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    polls_fetch: {
        parameters: {
            query?: {
                /** @description The number of the last frame that was got: it and those before do not come again. */
                after?: number;
                /** @description The time to wait for a frame; 50 s at most. */
                wait_s?: number;
            };
            header?: never;
            path: {
                poll: components["schemas"]["PollId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Frames"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    polls_end: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                poll: components["schemas"]["PollId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    polls_commands: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                poll: components["schemas"]["PollId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PollCommands"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reports_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewReport"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportMade"];
                };
            };
            /** @description invalid_request, also where it names what the caller may not see */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description rate_limited */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    search_find: {
        parameters: {
            query: {
                /** @description Words that must all be there, `"phrases"`; the last word may be the beginning of one. */
                q: string;
                /** @description Only in this conversation. */
                conversation?: components["schemas"]["ConversationId"];
                /** @description Only by this user. */
                from?: components["schemas"]["UserId"];
                /** @description Only before this time. */
                before?: components["schemas"]["Timestamp"];
                /** @description Items at most; 50 where absent. There may be fewer, or none, and still a next page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SearchItem"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_found: the conversation */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sessions_sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description wrong_password */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description suspended, password_expired */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sessions_sign_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_create: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus */
                "Tus-Resumable": string;
                /** @description So many bytes it will have, at least one */
                "Upload-Length": number;
                /** @description `filename` and `filetype`, each with its value in base64 */
                "Upload-Metadata"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        /** @description The first bytes, if any */
        requestBody?: {
            content: {
                "application/offset+octet-stream": unknown;
            };
        };
        responses: {
            /** @description Location: the upload; Upload-Expires; Upload-Offset where it had bytes */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_tus_version */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The bytes are not what they are said to be */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description storage_full */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_options: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tus-Version, Tus-Extension, Tus-Max-Size */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_info: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded: all has come, and is refused */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All has come, and is not what it is said to be */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_instead: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus */
                "Tus-Resumable": string;
                /** @description The method */
                "X-HTTP-Method-Override": string;
                /** @description As of PATCH */
                "Upload-Offset"?: number | null;
            };
            path: {
                upload: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        /** @description As of PATCH */
        requestBody?: {
            content: {
                "application/offset+octet-stream": unknown;
            };
        };
        responses: {
            /** @description As of HEAD */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description As of PATCH or DELETE */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It names no method, or another */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description wrong_offset */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_tus_version */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description As of PATCH */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description upload_in_use */
            423: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description storage_full */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_terminate: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus */
                "Tus-Resumable": string;
            };
            path: {
                upload: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_tus_version */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description upload_in_use: it becomes a media just now */
            423: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_head: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus */
                "Tus-Resumable": string;
            };
            path: {
                upload: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_tus_version */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded: all has come, and is refused */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All has come, and is not what it is said to be */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_append: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus */
                "Tus-Resumable": string;
                /** @description Where in the upload they begin: where it is */
                "Upload-Offset": number;
            };
            path: {
                upload: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        /** @description The bytes */
        requestBody: {
            content: {
                "application/offset+octet-stream": unknown;
            };
        };
        responses: {
            /** @description Upload-Offset, Upload-Expires */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description wrong_offset */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_tus_version */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_large, quota_exceeded */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No application/offset+octet-stream; or all has come, and is not what it is said to be */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description upload_in_use */
            423: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description storage_full */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_search: {
        parameters: {
            query: {
                /** @description The beginning of the username; 2 characters at least. */
                username: string;
                /** @description Items at most, and 20 in any case. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Profile"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_sign_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description registration_closed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description username_taken */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description storage_full */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_blocked: {
        parameters: {
            query?: {
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Profile"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_block: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_unblock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_personalize: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChangePersonal"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Personal"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    devices_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Device"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    devices_revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                device: components["schemas"]["DeviceId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    devices_subscribe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                device: components["schemas"]["DeviceId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PushSubscription"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    devices_unsubscribe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                device: components["schemas"]["DeviceId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_mentions: {
        parameters: {
            query?: {
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Message"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sessions_change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_requests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ConversationItem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_answer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AnswerRequest"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too_many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_profile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description One's own id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChangeProfile"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_erase: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description One's own id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeleteUser"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of a type that is taken here. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversations_list: {
        parameters: {
            query?: {
                /** @description Items at most; 50 where absent. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description One's own id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationList"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is nothing here that you may see. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_of: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's id, or `me` */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PresenceInfo"];
                };
            };
            /** @description The request is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first: the token is missing, wrong or revoked. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests. Wait, then try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server failed. The fault is in its log under the request's id. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot store this now. A retry with the same key tells what became of it. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
