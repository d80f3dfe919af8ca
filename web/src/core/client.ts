import { signal } from "@preact/signals";
import { BackOff } from "./backoff";
import { type Conversation, TYPING_MS } from "./conversation";
import type { Keep } from "./keep";
import { Listing } from "./listing";
import { Urls } from "./media";
import { now, serverClock, timeOf } from "./now";
import { Outbox, type Said, shown, type Unsent } from "./outbox";
import { People } from "./people";
import { Pointing } from "./pointing";
import { Quotes } from "./quotes";
import { Requests } from "./requests";
import type { Rest } from "./rest";
import { Search } from "./search";
import type { Shelf } from "./shelf";
import type { Standing } from "./socket";
import { SharedSocket, type Tabs } from "./tabs";
import { cleaned } from "./text";
import type { ClientFrame, Entry, Media, NewMessage, Profile, ServerFrame } from "./types";
import { HttpUploader, type Uploader } from "./upload";
import { type Outgoing, Uploads } from "./uploads";
import { uuidv7 } from "./uuid";
import { BEHIND_AT_MOST, Windows } from "./windows";

/** How often typing is told while somebody types, in milliseconds. */
const TYPING_EVERY_MS = 3_000;
/** Messages of other tabs that are remembered until their `sent`. */
const OTHERS_UNDER_WAY = 500;
/** The first and the longest wait before a message that was refused for now is said again, in milliseconds. */
const LATER_MS = 2_000;
const LATER_AT_MOST_MS = 60_000;

/** A device that is signed in: what it knows, and what can be done with it. Everything that it knows is a signal. */
export class Client {
  readonly standing = signal<Standing>("connecting");
  readonly open = signal<string | null>(null);
  /** Is given each entry that comes while there is a connection, in one tab of several. */
  heard: ((entry: Entry) => void) | null = null;
  readonly people: People;
  readonly outbox: Outbox;
  readonly urls: Urls;
  readonly uploads: Uploads;
  readonly search: Search;
  readonly quotes: Quotes;
  readonly requests: Requests;
  readonly listing: Listing;
  readonly windows: Windows;
  private readonly later = new BackOff(LATER_MS, LATER_AT_MOST_MS, Number.POSITIVE_INFINITY);
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly uploader: Uploader;
  private readonly socket: SharedSocket;
  /** What other tabs have said: their `sent` is this tab's entry too. */
  private readonly others = new Map<string, Said>();
  private readonly pointing = new Pointing((frame) => this.socket.send(frame));
  private readonly clock: ReturnType<typeof setInterval>;
  private typedAt = 0;
  private acted = false;
  /** Whether the server has told the list since this page was opened; until then it is as it was kept. */
  private toldOnce = false;

  constructor(
    readonly me: Profile,
    readonly rest: Rest,
    keep: Keep,
    shelf: Shelf,
    tabs: Tabs | null,
    socketUrl: string,
    token: string,
    signedOut: () => void,
  ) {
    this.people = new People(rest, shelf);
    // As they were when they signed in; they are asked for again.
    this.people.recall(me);
    this.urls = new Urls(rest);
    this.outbox = new Outbox(keep);
    this.uploader = new HttpUploader(rest);
    this.uploads = new Uploads(this.outbox, shelf, tabs, this.uploader, () => this.flush());
    this.search = new Search(rest);
    this.quotes = new Quotes(rest);
    this.requests = new Requests(rest);
    this.listing = new Listing(rest, shelf, {
      online: () => this.standing.value === "online",
      rewound: (conversation, head) => this.windows.rewind(conversation, head),
      taken: () => this.takeList(),
    });
    this.windows = new Windows(rest, shelf, this.listing, (frame) => this.socket.send(frame));
    const events = {
      frame: (frame: ServerFrame) => this.hear(frame),
      said: (frame: ClientFrame) => this.noteSaid(frame),
      standing: (standing: Standing) => {
        this.standing.value = standing;
        // Another tab may be the one that is greeted.
        if (standing === "online") this.arrive();
        else this.windows.lost();
      },
      signedOut,
      have: () => this.windows.have(),
      active: () => {
        const acted = this.acted;
        this.acted = false;
        return acted;
      },
    };
    this.socket = new SharedSocket(socketUrl, token, events, tabs);
    this.clock = setInterval(() => this.tick(), 1_000);
    void this.unshelve(shelf).then(() => this.socket.connect());
  }

  /** Takes what the device has kept, so that there is something before the network is. */
  private async unshelve(shelf: Shelf): Promise<void> {
    const [list, people] = await Promise.all([shelf.list(), shelf.people()]);
    for (const person of people) this.people.recall(person);
    this.listing.recall(list);
  }

  end(): void {
    clearInterval(this.clock);
    this.pointing.end();
    this.listing.end();
    this.windows.end();
    this.requests.end();
    clearTimeout(this.flushTimer);
    this.uploads.end();
    this.outbox.end();
    this.socket.end();
  }

  /** The person did something. */
  act(): void {
    this.acted = true;
    this.socket.act();
  }

  /** The network or the screen has come back. */
  wake(): void {
    this.socket.wake();
  }

  get(id: string): Conversation | undefined {
    return this.listing.get(id);
  }

  /** Opens a conversation, and watches it: with `seq` in its window, else at its first unread message. */
  async show(id: string | null, seq: number | null = null): Promise<void> {
    const before = this.open.value;
    if (before === id) {
      const known = id === null ? undefined : this.get(id);
      if (known && seq !== null) await this.windows.reach(known, seq);
      return;
    }
    if (before) this.watch("unwatch", before);
    this.open.value = id;
    const conversation = id === null ? undefined : this.get(id);
    if (!id || !conversation) return;
    this.watch("watch", id);
    let wanted = true;
    if (!conversation.opened) {
      const place = conversation.goElsewhere();
      await this.windows.recall(conversation);
      wanted = conversation.arrive(place);
    }
    const { read, unread } = conversation.item.value;
    conversation.newAfter.value = unread > 0 ? read : null;
    const outside = unread > 0 && read + 1 < conversation.thread.first;
    if (wanted && seq !== null) await this.windows.reach(conversation, seq);
    else if (wanted && (!conversation.opened || outside)) await this.windows.loadUnread(conversation).catch(() => undefined);
    void this.describe(conversation).catch(() => undefined);
  }

  /** Sends a message: it is there at once, and said as soon as there is a connection. */
  send(conversation: string, text: string, options: { reply_to?: number; mentions?: string[] } = {}, files: Outgoing[] = []): void {
    const message: NewMessage = { client_id: uuidv7(), text: cleaned(text), ...options };
    const unsent: Unsent = { conversation, message, at: now(), refused: null };
    if (files.length === 0) {
      this.outbox.put(unsent);
      this.flush();
      return;
    }
    this.uploads.put(unsent, files);
  }

  /** Sends a picture that is for no message. */
  upload(blob: Blob): Promise<Media> {
    const ignore = () => undefined;
    return this.uploader.send({ blob, again: false, type: blob.type, progress: ignore, begun: ignore, signal: new AbortController().signal });
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
    conversation.noteRead(seq, this.me.id);
    this.pointing.tell(conversation.id, { read: seq });
  }

  /** The list was read: learns what is missing, and says up to where everything has come. */
  private async takeList(): Promise<void> {
    for (const conversation of this.listing.conversations.value.values()) {
      const { head, delivered } = conversation.item.value;
      // Reading what is missing would take longer than reading anew, and leave the first unread message behind.
      if (head - conversation.thread.folded > BEHIND_AT_MOST) conversation.opened = false;
      this.windows.catchUp(conversation);
      if (head > delivered) this.pointing.tell(conversation.id, { delivered: head });
      this.listing.keepSoon(conversation);
    }
    const open = this.open.value === null ? undefined : this.get(this.open.value);
    if (this.open.value !== null && !open) void this.show(null);
    else if (open && !open.opened && !open.loading) await this.windows.loadUnread(open);
    else if (open && !this.toldOnce && open.item.value.unread > 0) open.newAfter.value ??= open.item.value.read;
    this.toldOnce = true;
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
        // The answer says the time.
        if (this.socket.leads) this.socket.send({ t: "ping" });
        return this.meet(frame.instance ?? null);
      case "pong":
        return serverClock.hear(frame.at);
      case "sent":
        return this.hearSent(frame);
      case "entry":
        this.take(frame.entry);
        if (this.socket.leads) this.heard?.(frame.entry);
        return;
      case "entries":
        return this.hearEntries(frame);
      case "receipt": {
        const conversation = this.get(frame.conversation);
        if (frame.user === this.me.id) conversation?.noteRead(frame.read, this.me.id);
        else conversation?.notePointers(frame.user, frame);
        return;
      }
      case "typing":
        return this.get(frame.conversation)?.hearTyping(frame.user, now() + TYPING_MS);
      case "presence":
        return this.people.see(frame.user, frame);
      case "conversation":
        if (frame.change === "left" && this.open.value === frame.id) void this.show(null);
        const known = this.get(frame.id);
        if (known?.info.value && frame.change !== "left") void this.describe(known).catch(() => undefined);
        return this.listing.soon();
      case "requests":
        return this.requests.soon();
      case "error":
        if (frame.ref === "sync" && frame.conversation) this.windows.refused(frame.conversation);
        if (frame.damaged) this.listing.soon();
        if (frame.client_id && this.outbox.refuse(frame.client_id, frame.code, frame.damaged)) {
          this.flushLater(frame.retry_after_ms ?? 0);
        }
        return;
      default:
    }
  }

  /**
   * The server said which instance of its data it has. Another one, as after the restore of a backup, has other entries at
   * the same seqs: nothing that names one is good any longer, and all is read anew as soon as there is a connection.
   */
  private meet(instance: string | null): void {
    const known = this.listing.instance;
    if (instance === null || instance === known.value) return;
    const isFirst = known.value === null && this.listing.conversations.value.size === 0;
    known.value = instance;
    if (isFirst) return;
    this.listing.dropKept();
    this.pointing.forget();
    this.quotes.forget();
    this.search.clear();
    this.outbox.forgetPlaces();
    this.windows.forget();
    const open = this.open.value === null ? undefined : this.get(this.open.value);
    if (open) void this.describe(open).catch(() => undefined);
  }

  /** There is a connection: says what was not said on it, and learns what was missed. */
  private arrive(): void {
    this.outbox.forgetSaid();
    this.flush();
    this.uploads.wake();
    this.urls.again();
    if (this.open.value) this.watch("watch", this.open.value);
    this.listing.wake();
    this.requests.soon();
  }

  /** Remembers what this tab and others have said: `sent` has no text. */
  private noteSaid(frame: ClientFrame): void {
    if (frame.t !== "send") return;
    const { t: _, conversation: __, ...message } = frame;
    this.others.set(frame.client_id, { message, attachments: shown(message, this.outbox.get(frame.client_id)?.attachments) });
    this.outbox.noteSaid(frame.client_id);
    const [oldest] = this.others.keys();
    if (this.others.size > OTHERS_UNDER_WAY && oldest) this.others.delete(oldest);
  }

  private hearSent(sent: { client_id: string; conversation: string; seq: number; at: string; true_at?: string | null }): void {
    const unsent = this.outbox.acknowledge(sent.client_id);
    if (unsent) this.later.reset();
    const said = unsent ? { message: unsent.message, attachments: shown(unsent.message, unsent.attachments) } : this.others.get(sent.client_id);
    this.others.delete(sent.client_id);
    if (!said) return;
    const { client_id, text, mentions, reply_to } = said.message;
    const { attachments } = said;
    if (!attachments) {
      const conversation = this.get(sent.conversation);
      if (conversation?.opened) this.windows.sync(conversation);
      return this.listing.soon();
    }
    const lasts = this.get(sent.conversation)?.info.value?.expire_after_s;
    this.take({
      id: `${sent.conversation}.${sent.seq}`,
      conversation: sent.conversation,
      seq: sent.seq,
      kind: "message",
      sender: this.me.id,
      client_id,
      at: sent.at,
      ...(sent.true_at ? { true_at: sent.true_at } : {}),
      ...(lasts ? { expires_at: new Date(Date.parse(timeOf(sent)) + lasts * 1_000).toISOString() } : {}),
      body: { text: text ?? "", mentions: mentions ?? [], reply_to: reply_to ?? null, ...(attachments.length > 0 ? { attachments } : {}) },
    });
  }

  private hearEntries(frame: { conversation: string; entries: Entry[]; more: boolean; head: number; ahead?: boolean }): void {
    const conversation = this.get(frame.conversation);
    if (frame.ahead && conversation && conversation.item.value.head > frame.head) {
      this.windows.rewind(conversation, frame.head);
      this.listing.soon();
    }
    for (const entry of frame.entries) this.take(entry);
    if (conversation && !frame.ahead) conversation.hearHead(frame.head);
    if (conversation) this.windows.gave(conversation, frame.more);
  }

  private take(entry: Entry): void {
    const conversation = this.get(entry.conversation);
    if (!conversation) return this.listing.soon();
    conversation.note(entry, this.me.id);
    this.listing.keepSoon(conversation);
    if (entry.client_id && entry.sender === this.me.id) this.outbox.acknowledge(entry.client_id);
    this.pointing.tell(entry.conversation, { delivered: entry.seq });
    this.windows.fold(conversation, entry);
  }

  /** Says again what was refused for now, later each time until something is taken. */
  private flushLater(afterMs: number): void {
    if (this.flushTimer !== undefined) return;
    const wait = Math.max(afterMs, this.later.fail() ?? LATER_AT_MOST_MS);
    this.flushTimer = setTimeout(() => {
      this.flushTimer = undefined;
      this.flush();
    }, wait);
  }

  private flush(): void {
    if (this.standing.value !== "online") return;
    for (const { conversation, message, attachments } of this.outbox.due()) {
      const media = attachments?.flatMap((attachment) => attachment.media?.id ?? []);
      this.socket.send({ t: "send", conversation, ...message, ...(media ? { attachments: media } : {}) });
    }
  }

  /** Once a second: nobody types for ever, and what disappears does. */
  private tick(): void {
    if (serverClock.asks) this.wake();
    const time = now();
    const settled = serverClock.isSettled;
    for (const conversation of this.listing.conversations.value.values()) {
      for (const [user, until] of conversation.typing.value) if (until <= time) conversation.hearTyping(user, 0);
      if (settled && conversation.expire(time)) this.listing.keepSoon(conversation);
    }
    if (settled) this.listing.expireKept(time);
  }
}
