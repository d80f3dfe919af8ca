import { computed, signal } from "@preact/signals";
import { Conversation, TYPING_MS } from "./conversation";
import type { Keep } from "./keep";
import { Outbox, type Unsent } from "./outbox";
import { People } from "./people";
import type { Rest } from "./rest";
import { Socket, type Standing } from "./socket";
import type { ConversationItem, Entry, NewMessage, Profile, ServerFrame } from "./types";
import { uuidv7 } from "./uuid";

/** Messages of a page of history. */
const PAGE = 60;
/** How long pointers are gathered before they are told, in milliseconds. */
const POINTERS_MS = 200;
/** How often typing is told while somebody types, in milliseconds. */
const TYPING_EVERY_MS = 3_000;
/** Seconds until a message that was refused for now is said again. */
const LATER_MS = 2_000;

/** A device that is signed in: what it knows, and what can be done with it. Everything that it knows is a signal. */
export class Client {
  readonly standing = signal<Standing>("connecting");
  readonly conversations = signal(new Map<string, Conversation>());
  /** Whether the list has come once. */
  readonly listed = signal(false);
  readonly open = signal<string | null>(null);
  readonly people: People;
  readonly outbox: Outbox;
  /** Newest activity first, what is pinned before the rest. */
  readonly list = computed(() => {
    const all = [...this.conversations.value.values()];
    const activity = (conversation: Conversation) => conversation.item.value.last.at;
    return all.sort((a, b) => {
      const pinned = Number(b.item.value.pinned) - Number(a.item.value.pinned);
      return pinned || (activity(a) < activity(b) ? 1 : -1);
    });
  });
  private readonly socket: Socket;
  private readonly due = new Map<string, { delivered?: number; read?: number }>();
  private pointerTimer: ReturnType<typeof setTimeout> | undefined;
  private listTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly clock: ReturnType<typeof setInterval>;
  private typedAt = 0;
  private acted = false;

  constructor(
    readonly me: Profile,
    readonly rest: Rest,
    keep: Keep,
    socketUrl: string,
    token: string,
    signedOut: () => void,
  ) {
    this.people = new People(rest);
    this.people.take(me);
    this.outbox = new Outbox(keep);
    this.socket = new Socket(socketUrl, token, {
      frame: (frame) => this.hear(frame),
      standing: (standing) => {
        this.standing.value = standing;
      },
      signedOut,
      have: () => [...this.conversations.value.values()].filter((one) => one.opened).map((one) => [one.id, one.thread.folded]),
      active: () => {
        const acted = this.acted;
        this.acted = false;
        return acted;
      },
    });
    this.clock = setInterval(() => this.tick(), 1_000);
    this.socket.connect();
  }

  end(): void {
    clearInterval(this.clock);
    clearTimeout(this.pointerTimer);
    clearTimeout(this.listTimer);
    this.socket.end();
  }

  /** The person did something. */
  act(): void {
    this.acted = true;
  }

  /** The network or the screen has come back. */
  wake(): void {
    this.socket.wake();
  }

  get(id: string): Conversation | undefined {
    return this.conversations.value.get(id);
  }

  /** Opens a conversation at its first unread message, and watches it. */
  async show(id: string | null): Promise<void> {
    const before = this.open.value;
    if (before === id) return;
    if (before) this.watch("unwatch", before);
    this.open.value = id;
    const conversation = id === null ? undefined : this.get(id);
    if (!id || !conversation) return;
    this.watch("watch", id);
    const { read, unread, head } = conversation.item.value;
    conversation.newAfter.value = unread > 0 ? read : null;
    const outside = unread > 0 && read + 1 < conversation.thread.first;
    if (!conversation.opened || outside) await this.load(conversation, unread > 0 && read < head ? read : null);
    void this.describe(conversation);
  }

  /** Reads the window anew: around a seq, or at the end. */
  async load(conversation: Conversation, around: number | null): Promise<void> {
    conversation.loading = true;
    try {
      const place = around === null ? {} : { around };
      const page = await this.rest.messages(conversation.id, place, PAGE);
      const last = page.items.at(-1)?.seq ?? 0;
      const newest = around === null || page.items.length < PAGE / 2 || last >= conversation.item.value.last.seq;
      conversation.thread.replace(page, newest, around === null && page.items.length < PAGE);
      conversation.opened = true;
      conversation.show();
      this.catchUp(conversation);
    } finally {
      conversation.loading = false;
    }
  }

  /** Reads the page before what is there. */
  async older(conversation: Conversation): Promise<void> {
    const { thread } = conversation;
    if (conversation.loading || thread.atStart || !conversation.opened) return;
    conversation.loading = true;
    try {
      thread.prepend(await this.rest.messages(conversation.id, { before: thread.first }, PAGE), PAGE);
      conversation.show();
    } finally {
      conversation.loading = false;
    }
  }

  /** Reads the page behind what is there. */
  async newer(conversation: Conversation): Promise<void> {
    const { thread } = conversation;
    if (conversation.loading || thread.atEnd || !conversation.opened) return;
    conversation.loading = true;
    try {
      thread.append(await this.rest.messages(conversation.id, { after: thread.last }, PAGE), PAGE);
      conversation.show();
      this.catchUp(conversation);
    } finally {
      conversation.loading = false;
    }
  }

  /** Sends a message: it is there at once, and said as soon as there is a connection. */
  send(conversation: string, text: string, options: { reply_to?: number; mentions?: string[] } = {}): void {
    const message: NewMessage = { client_id: uuidv7(), text, ...options };
    this.outbox.put({ conversation, message, at: Date.now(), refused: null });
    this.flush();
  }

  retry(unsent: Unsent): void {
    this.outbox.retry(unsent.message.client_id);
    this.flush();
  }

  /** Says that the person types here. */
  type(conversation: string): void {
    if (Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.socket.send({ t: "typing", conversation });
  }

  /** The person has seen everything up to `seq`. */
  read(conversation: Conversation, seq: number): void {
    if (seq <= conversation.item.value.read) return;
    conversation.noteRead(seq);
    this.point(conversation.id, { read: seq });
  }

  /** Reads the list again, soon: many reasons at once are one reading. */
  listSoon(): void {
    clearTimeout(this.listTimer);
    this.listTimer = setTimeout(() => void this.readList().catch(() => this.listSoon()), 50 + Math.random() * 200);
  }

  async readList(): Promise<void> {
    const items: ConversationItem[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.rest.conversations(cursor);
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    const known = this.conversations.value;
    this.conversations.value = new Map(
      items.map((item) => {
        const conversation = known.get(item.id);
        conversation?.take(item);
        return [item.id, conversation ?? new Conversation(item)];
      }),
    );
    this.listed.value = true;
    for (const conversation of this.conversations.value.values()) {
      this.catchUp(conversation);
      const { head, delivered } = conversation.item.value;
      if (head > delivered) this.point(conversation.id, { delivered: head });
    }
  }

  private async describe(conversation: Conversation): Promise<void> {
    conversation.info.value = await this.rest.conversation(conversation.id);
    if (conversation.item.value.kind !== "channel") {
      conversation.members.value = (await this.rest.participants(conversation.id)).items;
    }
  }

  private watch(t: "watch" | "unwatch", id: string): void {
    const peer = this.get(id)?.item.value.peer_user;
    this.socket.send({ t, conversations: [id], ...(peer ? { users: [peer] } : {}) });
  }

  private hear(frame: ServerFrame): void {
    switch (frame.t) {
      case "ready":
        this.outbox.forgetSaid();
        this.flush();
        if (this.open.value) this.watch("watch", this.open.value);
        void this.readList().catch(() => this.listSoon());
        return;
      case "sent":
        return this.hearSent(frame);
      case "entry":
        return this.take(frame.entry);
      case "entries":
        return this.hearEntries(frame);
      case "receipt": {
        const conversation = this.get(frame.conversation);
        if (frame.user === this.me.id) conversation?.noteRead(frame.read);
        else conversation?.notePointers(frame.user, frame);
        return;
      }
      case "typing":
        return this.get(frame.conversation)?.hearTyping(frame.user, Date.now() + TYPING_MS);
      case "presence":
        return this.people.see(frame.user, frame);
      case "conversation":
        if (frame.change === "left" && this.open.value === frame.id) void this.show(null);
        if (this.open.value === frame.id) {
          const open = this.get(frame.id);
          if (open) void this.describe(open);
        }
        return this.listSoon();
      case "error":
        if (frame.client_id && this.outbox.refuse(frame.client_id, frame.code)) {
          setTimeout(() => this.flush(), frame.retry_after_ms ?? LATER_MS);
        }
        return;
      default:
    }
  }

  private hearSent(sent: { client_id: string; conversation: string; seq: number; at: string }): void {
    const unsent = this.outbox.acknowledge(sent.client_id);
    if (!unsent) return;
    const { client_id, text, mentions, reply_to } = unsent.message;
    this.take({
      id: `${sent.conversation}.${sent.seq}`,
      conversation: sent.conversation,
      seq: sent.seq,
      kind: "message",
      sender: this.me.id,
      client_id,
      at: sent.at,
      body: { text: text ?? "", mentions: mentions ?? [], reply_to: reply_to ?? null },
    });
  }

  private hearEntries(frame: { conversation: string; entries: Entry[]; more: boolean }): void {
    for (const entry of frame.entries) this.take(entry);
    const conversation = this.get(frame.conversation);
    if (frame.more && conversation?.opened) this.sync(conversation);
  }

  private take(entry: Entry): void {
    const conversation = this.get(entry.conversation);
    if (!conversation) return this.listSoon();
    conversation.note(entry, this.me.id);
    if (entry.client_id && entry.sender === this.me.id) this.outbox.acknowledge(entry.client_id);
    this.point(entry.conversation, { delivered: entry.seq });
    if (!conversation.opened) return;
    if (conversation.thread.apply(entry) === "gap") return this.sync(conversation);
    conversation.show();
  }

  /** Asks for what an opened conversation lacks. */
  private catchUp(conversation: Conversation): void {
    if (conversation.opened && conversation.thread.folded < conversation.item.value.head) this.sync(conversation);
  }

  private sync(conversation: Conversation): void {
    this.socket.send({ t: "sync", conversation: conversation.id, after: conversation.thread.folded, limit: 200 });
  }

  private flush(): void {
    if (this.standing.value !== "online") return;
    for (const { conversation, message } of this.outbox.due()) this.socket.send({ t: "send", conversation, ...message });
  }

  /** Gathers pointers, so that a burst of entries is one frame for each conversation. */
  private point(conversation: string, pointer: { delivered?: number; read?: number }): void {
    this.due.set(conversation, { ...this.due.get(conversation), ...pointer });
    this.pointerTimer ??= setTimeout(() => {
      this.pointerTimer = undefined;
      for (const [id, { delivered, read }] of [...this.due].slice(0, 5)) {
        this.due.delete(id);
        if (read !== undefined) this.socket.send({ t: "read", conversation: id, seq: read });
        if (delivered !== undefined && delivered > (read ?? 0)) this.socket.send({ t: "delivered", conversation: id, seq: delivered });
      }
      const [rest] = this.due;
      if (rest) this.point(rest[0], {});
    }, POINTERS_MS);
  }

  /** Once a second: nobody types for ever, and what disappears does. */
  private tick(): void {
    const now = Date.now();
    for (const conversation of this.conversations.value.values()) {
      for (const [user, until] of conversation.typing.value) if (until <= now) conversation.hearTyping(user, 0);
      if (conversation.opened && conversation.thread.expire(now)) conversation.show();
    }
  }
}
