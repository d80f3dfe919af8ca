import type { Message } from "../core/types";

/** What the composer is about besides a new message. */
export type Aim = { reply: Message } | { edit: Message } | null;
