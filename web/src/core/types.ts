// The names that the rest of the client uses for what the server's documents define.
import type { components as Frames } from "../generated/frames";
import type { components as Rest } from "../generated/rest";

type FrameSchemas = Frames["schemas"];
type RestSchemas = Rest["schemas"];

/** What the server says on the socket. */
export type ServerFrame = { [K in keyof FrameSchemas as K extends `server_${string}` ? K : never]: FrameSchemas[K] } extends infer All
  ? All[keyof All]
  : never;

/** What a client says on the socket. */
export type ClientFrame = { [K in keyof FrameSchemas as K extends `client_${string}` ? K : never]: FrameSchemas[K] } extends infer All
  ? All[keyof All]
  : never;

export type Entry = RestSchemas["Entry"];
/** An entry that shows in a timeline, with its edits, reactions and deletion applied. */
export type Message = RestSchemas["Message"];
export type Messages = RestSchemas["Messages"];
export type ConversationItem = RestSchemas["ConversationItem"];
/** A conversation that the server cannot read. */
export type DamagedConversation = RestSchemas["DamagedConversation"];
export type ConversationList = RestSchemas["ConversationList"];
export type ConversationInfo = RestSchemas["ConversationInfo"];
export type ConversationKind = RestSchemas["ConversationKind"];
export type HeadItem = FrameSchemas["HeadItem"];
export type Profile = RestSchemas["Profile"];
export type Participant = RestSchemas["Participant"];
export type Personal = RestSchemas["Personal"];
export type ReadReceipt = RestSchemas["ReadReceipt"];
export type ReadReceipts = RestSchemas["ReadReceipts"];
export type Device = RestSchemas["Device"];
export type Problem = RestSchemas["Problem"];
export type SignedIn = RestSchemas["SignedIn"];
export type Info = RestSchemas["Info"];
export type NewMessage = FrameSchemas["NewMessage"];
/** Where in a text something was found, in UTF-16 units. */
export type Highlight = RestSchemas["Highlight"];
export type SearchItem = RestSchemas["SearchItem"];
export type Invite = RestSchemas["Invite"];
export type Presence = RestSchemas["PresenceInfo"];
/** A picture, recording or file, as entries describe it. */
export type Media = RestSchemas["Media"];
export type MediaUrl = RestSchemas["MediaUrl"];
export type Code = RestSchemas["Code"];

/** One page of a list, and where the next one begins. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
