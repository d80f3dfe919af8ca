import { signal } from "@preact/signals";
import { BackOff } from "./backoff";
import { now } from "./now";
import { isOver, shows, Thread } from "./thread";
import type { ConversationInfo, ConversationItem, ConversationKind, Entry, Message, Participant } from "./types";

/** The first and the longest wait before a page is read again that could not be, in milliseconds. */
const PAGE_AGAIN_MS = 1_000;
const PAGE_AGAIN_AT_MOST_MS = 60_000;

/** How long somebody counts as typing after a `typing`, in milliseconds. */
export const TYPING_MS = 5_000;

/** Up to where somebody has got and read. */
export interface Pointers {
  delivered: number;
  read: number;
}

/** A conversation as this device knows it. */
export class Conversation {
  /** As the list shows it. */
  readonly item;
  /** As it is, once it was opened. */
  readonly info = signal<ConversationInfo | null>(null);
  readonly members = signal<Participant[]>([]);
  /** What is seen of the history; empty until it is opened. */
  readonly messages = signal<Message[]>([]);
  /** Where the others are. */
  readonly pointers = signal(new Map<string, Pointers>());
  /** Who types, and until when. */
  readonly typing = signal(new Map<string, number>());
  /** The read pointer when the conversation was opened: the line "new" stands behind it. */
  readonly newAfter = signal<number | null>(null);
  /** True while a page that is wanted is damaged on the server. */
  readonly damaged = signal(false);
  readonly thread = new Thread();
  opened = false;
  /** Whether a page is being read. */
  loading = false;
  /** The reading of further pages, which the person's scrolling asks for. */
  readonly paging = new BackOff(PAGE_AGAIN_MS, PAGE_AGAIN_AT_MOST_MS, Number.POSITIVE_INFINITY);
  /** The last seq of the log that the server spoke of with entries. */
  heard = 0;
  /** Counts the places where the window was wanted: a page that was read for another one is of no use. */
  private place = 0;

  constructor(item: ConversationItem) {
    this.item = signal(item);
    this.takePeer(item);
  }

  get id(): string {
    return this.item.value.id;
  }

  /** It is for ever. */
  get kind(): ConversationKind {
    return this.item.peek().kind;
  }

  /** Takes the list's item. It may be older than what this device has heard and told meanwhile. */
  take(item: ConversationItem): void {
    const { head, read, last, unread, mentions } = this.item.value;
    if (head > item.head) this.item.value = { ...item, head, read: Math.max(read, item.read), last, unread, mentions };
    else if (head === item.head && read > item.read) this.item.value = { ...item, read, unread, mentions };
    else this.item.value = item;
    this.takePeer(item);
  }

  /** The window is wanted at another place, and a page is read for it. */
  goElsewhere(): number {
    this.place += 1;
    return this.goOn();
  }

  /** A page is read for the window where it is. */
  goOn(): number {
    this.loading = true;
    return this.place;
  }

  /** Whether the window is still wanted at a place. */
  isAt(place: number): boolean {
    return place === this.place;
  }

  /** The page for a place has come, or will not; whether the window is still wanted there. */
  arrive(place: number): boolean {
    if (this.isAt(place)) this.loading = false;
    return this.isAt(place);
  }

  /** The server said with entries where the log ends. */
  hearHead(head: number): void {
    this.heard = head;
  }

  /** Shows what the thread has. */
  show(): void {
    this.messages.value = this.thread.messages;
  }

  /** Notes a new entry in the item: the head, what was said last, and what is unread of it. */
  note(entry: Entry, me: string): void {
    const item = this.item.value;
    if (entry.seq <= item.head) return;
    const counts = entry.kind === "message" && entry.sender !== me;
    const mentions = counts && (entry.body.mentions ?? []).includes(me);
    const own = entry.sender === me && entry.kind === "message";
    this.item.value = {
      ...item,
      head: entry.seq,
      last: shows(entry) ? entry : item.last,
      read: own ? entry.seq : item.read,
      unread: own ? 0 : item.unread + Number(counts),
      mentions: own ? 0 : item.mentions + Number(mentions),
    };
    if (entry.kind === "message" && this.typing.value.has(entry.sender)) this.hearTyping(entry.sender, 0);
  }

  /** Lets go of everything above the server's head, which is lower than it was: a backup was restored. */
  rewind(head: number): void {
    this.thread.rewind(head);
    this.heard = Math.min(this.heard, head);
    this.show();
    // What is read and unread of the rest the list says.
    this.item.value = { ...this.item.value, head, read: 0, delivered: 0, unread: 0, mentions: 0 };
    const back = ([user, { delivered, read }]: [string, Pointers]): [string, Pointers] => [user, { delivered: Math.min(delivered, head), read: Math.min(read, head) }];
    this.pointers.value = new Map([...this.pointers.value].map(back));
    this.newAfter.value = null;
  }

  /** Lets go of everything that seqs name: the server's data is another instance, and the list says how it stands there. */
  forget(): void {
    this.arrive(this.goElsewhere());
    this.opened = false;
    this.heard = 0;
    this.thread.replace({ items: [], head: 0 }, false, false);
    this.show();
    this.item.value = { ...this.item.value, head: 0, read: 0, delivered: 0, unread: 0, mentions: 0 };
    this.pointers.value = new Map();
    this.newAfter.value = null;
  }

  /** Takes away what has disappeared at `now`; whether there was anything. */
  expire(now: number): boolean {
    const { last } = this.item.value;
    const said = last.kind === "message" && isOver(last, now);
    if (said) this.item.value = { ...this.item.value, last: { ...last, kind: "redacted", body: { was: "message" } } };
    const seen = this.opened && this.thread.expire(now);
    if (seen) this.show();
    return said || seen;
  }

  /** Notes that this user has read up to `seq`. */
  noteRead(seq: number, me: string): void {
    const item = this.item.value;
    if (seq <= item.read) return;
    const all = seq >= item.head;
    // What was passed over counts no longer, as far as it is in the window.
    const { first, messages } = this.thread;
    const passed = first > item.read + 1 ? [] : messages.filter((message) => message.seq > item.read && message.seq <= seq && message.sender !== me);
    const mentions = passed.filter((message) => message.kind === "message" && (message.body.mentions ?? []).includes(me));
    this.item.value = {
      ...item,
      read: seq,
      unread: all ? 0 : Math.max(item.unread - passed.filter(({ kind }) => kind === "message").length, 0),
      mentions: all ? 0 : Math.max(item.mentions - mentions.length, 0),
    };
  }

  /** Notes where another member is. Pointers never move back. */
  notePointers(user: string, { delivered, read }: Pointers): void {
    const known = this.pointers.value.get(user) ?? { delivered: 0, read: 0 };
    const moved = { delivered: Math.max(known.delivered, delivered, read), read: Math.max(known.read, read) };
    this.pointers.value = new Map(this.pointers.value).set(user, moved);
  }

  hearTyping(user: string, until: number): void {
    const typing = new Map(this.typing.value);
    if (until > now()) typing.set(user, until);
    else typing.delete(user);
    this.typing.value = typing;
  }

  private takePeer(item: ConversationItem): void {
    if (item.peer && item.peer_user) this.notePointers(item.peer_user, item.peer);
  }
}
