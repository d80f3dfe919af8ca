import { timeOf } from "./now";
import type { Entry, Message, Messages } from "./types";
import { isSame, qualified } from "./words";

/** What applying an entry came to. `gap`: entries before it are missing. */
export type Applied = "applied" | "known" | "gap";

/** A message that somebody wrote, and whose content is there. */
type Written = Extract<Message, { kind: "message" }>;

/** Messages that a window holds at most: what is further away is let go, and read again when it is wanted. */
export const WINDOW_MESSAGES = 400;

/**
 * A window on the history of a conversation: messages without a hole between them, folded up to a seq.
 *
 * Pages come from the server folded up to its head then; entries after it are folded in here. Folding an entry twice is
 * harmless, so a page may be newer than the window that it joins.
 */
export class Thread {
  messages: Message[] = [];
  /** The seq through which `messages` are folded. */
  folded = 0;
  /** Whether the history begins with the first message. */
  atStart = false;
  /** Whether the last message is the newest one. */
  atEnd = false;

  get first(): number {
    return this.messages[0]?.seq ?? this.folded + 1;
  }

  get last(): number {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** Begins anew with a page around some place. */
  replace(page: Messages, atEnd: boolean, atStart: boolean): void {
    this.messages = page.items.slice();
    this.folded = page.head;
    this.atStart = atStart;
    this.atEnd = atEnd;
  }

  /** Puts the page before the window. */
  prepend(page: Messages, asked: number): void {
    const first = this.first;
    this.messages = [...page.items.filter((message) => message.seq < first), ...this.messages];
    this.atStart = isLast(page, asked);
    this.folded = Math.min(this.folded, page.head);
    if (this.messages.length > WINDOW_MESSAGES) {
      this.messages.length = WINDOW_MESSAGES;
      this.atEnd = false;
    }
  }

  /** Puts the page behind the window. */
  append(page: Messages, asked: number): void {
    const last = this.last;
    this.messages = [...this.messages, ...page.items.filter((message) => message.seq > last)];
    this.atEnd = isLast(page, asked);
    this.folded = Math.min(this.folded, page.head);
    if (this.messages.length > WINDOW_MESSAGES) {
      this.messages = this.messages.slice(-WINDOW_MESSAGES);
      this.atStart = false;
    }
  }

  /** Folds the next entry of the log in. */
  apply(entry: Entry): Applied {
    if (entry.seq <= this.folded) return "known";
    if (entry.seq > this.folded + 1) return "gap";
    this.folded = entry.seq;
    this.fold(entry);
    return "applied";
  }

  /** Lets go of everything above a seq: the server does not have it. */
  rewind(head: number): void {
    this.messages = this.messages.filter((message) => message.seq <= head);
    this.folded = Math.min(this.folded, head);
  }

  /** Takes what disappears at `now` away; whether there was anything. */
  expire(now: number): boolean {
    const kept = this.messages.filter((message) => !isOver(message, now));
    const some = kept.length < this.messages.length;
    this.messages = kept;
    return some;
  }

  private fold(entry: Entry): void {
    switch (entry.kind) {
      case "edit": {
        const { target, text, mentions } = entry.body;
        return this.amend(target, (message) => ({ ...message, body: { ...message.body, text, mentions }, edited_at: timeOf(entry) }));
      }
      case "delete":
        return this.amend(entry.body.target, deleted);
      case "reaction": {
        const { target, emoji, on } = entry.body;
        return this.amend(target, (message) => react(message, emoji, entry.sender, on));
      }
      default:
        if (!shows(entry)) return;
        if (this.atEnd && !this.messages.some((message) => message.seq === entry.seq)) {
          this.messages = [...this.messages, entry.kind === "redacted" ? deleted(entry) : entry].slice(-WINDOW_MESSAGES * 2);
        }
    }
  }

  /** Changes a message, unless it is gone or is none. */
  private amend(seq: number, to: (message: Written) => Message): void {
    this.messages = this.messages.map((message) => (message.seq === seq && message.kind === "message" ? to(message) : message));
  }
}

/**
 * Whether nothing is beyond a page of which `asked` messages were asked for. A server that does not say it cuts no page by
 * its bytes: there a short one is the last.
 */
export function isLast({ items, more }: Messages, asked: number): boolean {
  return items.length === 0 || !(more ?? items.length >= asked);
}

/** Whether an entry shows in a timeline by itself; one of a kind that this client does not know shows as nothing. */
export function shows(entry: Entry): boolean {
  switch (entry.kind) {
    case "redacted":
      return entry.body.was === "message";
    case "message":
    case "created":
    case "member_added":
    case "member_removed":
    case "role_changed":
    case "conversation_changed":
      return true;
    default:
      return false;
  }
}

/** Whether an entry has disappeared at `now`. */
export function isOver({ expires_at }: Entry, now: number): boolean {
  return !!expires_at && Date.parse(expires_at) <= now;
}

function deleted(message: Message): Message {
  const { edited_at: _, ...rest } = message;
  return { ...rest, kind: "redacted", body: { was: "message" }, deleted: true, reactions: [] };
}

function react(message: Message, emoji: string, user: string, on: boolean): Message {
  const reactions = (message.reactions ?? []).map((reaction) => {
    if (!isSame(reaction.emoji, emoji) || reaction.users.includes(user) === on) return reaction;
    return { ...reaction, users: on ? [...reaction.users, user] : reaction.users.filter((other) => other !== user) };
  });
  if (on && !reactions.some((reaction) => isSame(reaction.emoji, emoji))) {
    reactions.push({ emoji: qualified(emoji) ?? emoji, users: [user] });
  }
  return { ...message, reactions: reactions.filter((reaction) => reaction.users.length > 0) };
}
