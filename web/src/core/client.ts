import { computed, signal } from "@preact/signals";
import { BackOff } from "./backoff";
import { Conversation, TYPING_MS } from "./conversation";
import type { Keep } from "./keep";
import { Urls } from "./media";
import { now, serverClock, timeOf } from "./now";
import { Outbox, type Said, shown, type Unsent } from "./outbox";
import { People } from "./people";
import { Pointing } from "./pointing";
import { Quotes } from "./quotes";
import { Requests } from "./requests";
import { type Place, Refused, type Rest } from "./rest";
import { firstOver, KEPT_MESSAGES, type Shelf } from "./shelf";
import { Search } from "./search";
import type { Standing } from "./socket";
import { Syncs } from "./syncs";
import { SharedSocket, type Tabs } from "./tabs";
import { cleaned } from "./text";
import { isLast } from "./thread";
import type { ClientFrame, ConversationItem, DamagedConversation, Entry, Media, Messages, NewMessage, Profile, ServerFrame } from "./types";
import { HttpUploader, type Uploader } from "./upload";
import { type Outgoing, Uploads } from "./uploads";
import { uuidv7 } from "./uuid";

/** Messages of a page of history. */
const PAGE = 60;
/** How often typing is told while somebody types, in milliseconds. */
const TYPING_EVERY_MS = 3_000;
/** Entries that a kept window may lack: beyond, it is read anew. */
const BEHIND_AT_MOST = 1_000;
/** How long changes are gathered before they are kept, in milliseconds. */
const KEEP_MS = 1_000;
/** Messages of other tabs that are remembered until their `sent`. */
const OTHERS_UNDER_WAY = 500;
/** The first and the longest wait before the list is read again that could not be, in milliseconds, and how often it is. */
const LIST_AGAIN_MS = 500;
const LIST_AGAIN_AT_MOST_MS = 60_000;
const LIST_TRIES = 10;
/** The first and the longest wait before a message that was refused for now is said again, in milliseconds. */
const LATER_MS = 2_000;
const LATER_AT_MOST_MS = 60_000;

/** A device that is signed in: what it knows, and what can be done with it. Everything that it knows is a signal. */
export class Client {
  readonly standing = signal<Standing>("connecting");
  readonly conversations = signal(new Map<string, Conversation>());
  /** Those that the server cannot read: nothing of them can be asked for. */
  readonly damaged = signal<DamagedConversation[]>([]);
  /** Whether the list has come once. */
  readonly listed = signal(false);
  readonly open = signal<string | null>(null);
  /** Of which instance of the server's data all this is; null before a server said it. */
  readonly instance = signal<string | null>(null);
  /** Is given each entry that comes while there is a connection, in one tab of several. */
  heard: ((entry: Entry) => void) | null = null;
  readonly people: People;
  readonly outbox: Outbox;
  readonly urls: Urls;
  readonly uploads: Uploads;
  readonly search: Search;
  readonly quotes: Quotes;
  readonly requests: Requests;
  private readonly syncs: Syncs;
  private readonly later = new BackOff(LATER_MS, LATER_AT_MOST_MS, Number.POSITIVE_INFINITY);
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly listing = new BackOff(LIST_AGAIN_MS, LIST_AGAIN_AT_MOST_MS, LIST_TRIES);
  /** Newest activity first, what is pinned before the rest. */
  readonly list = computed(() => {
    const all = [...this.conversations.value.values()];
    const activity = (conversation: Conversation) => timeOf(conversation.item.value.last);
    return all.sort((a, b) => {
      const pinned = Number(b.item.value.pinned) - Number(a.item.value.pinned);
      return pinned || (activity(a) < activity(b) ? 1 : -1);
    });
  });
  private readonly uploader: Uploader;
  private readonly socket: SharedSocket;
  /** What other tabs have said: their `sent` is this tab's entry too. */
  private readonly others = new Map<string, Said>();
  private readonly unkept = new Set<Conversation>();
  private keepTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly pointing = new Pointing((frame) => this.socket.send(frame));
  private listTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly clock: ReturnType<typeof setInterval>;
  private typedAt = 0;
  /** When something of what is kept disappears, in milliseconds since 1970; at the beginning it may long have. */
  private keptUntil = 0;
  private acted = false;
  /** Whether the server has told the list since this page was opened; until then it is as it was kept. */
  private toldOnce = false;

  constructor(
    readonly me: Profile,
    readonly rest: Rest,
    keep: Keep,
    private readonly shelf: Shelf,
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
    this.syncs = new Syncs({
      lacks: (id) => this.lacks(id),
      say: (frame) => this.socket.send(frame),
      giveUp: (id) => this.readAnew(id),
    });
    const events = {
      frame: (frame: ServerFrame) => this.hear(frame),
      said: (frame: ClientFrame) => this.noteSaid(frame),
      standing: (standing: Standing) => {
        this.standing.value = standing;
        // Another tab may be the one that is greeted.
        if (standing === "online") this.arrive();
        else this.syncs.lost();
      },
      signedOut,
      have: () =>
        [...this.conversations.value.values()].filter((one) => one.opened).map((one): [string, number] => [one.id, one.thread.folded]),
      active: () => {
        const acted = this.acted;
        this.acted = false;
        return acted;
      },
    };
    this.socket = new SharedSocket(socketUrl, token, events, tabs);
    this.clock = setInterval(() => this.tick(), 1_000);
    void this.unshelve().then(() => this.socket.connect());
  }

  /** Takes what the device has kept, so that there is something before the network is. */
  private async unshelve(): Promise<void> {
    const [{ items, instance }, people] = await Promise.all([this.shelf.list(), this.shelf.people()]);
    for (const person of people) this.people.recall(person);
    this.instance.value = instance;
    if (items.length === 0) return;
    this.conversations.value = new Map(items.map((item) => [item.id, new Conversation(item)]));
    this.listed.value = true;
  }

  end(): void {
    clearInterval(this.clock);
    this.pointing.end();
    clearTimeout(this.listTimer);
    clearTimeout(this.keepTimer);
    this.requests.end();
    clearTimeout(this.flushTimer);
    this.syncs.end();
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
    return this.conversations.value.get(id);
  }

  /** Opens a conversation, and watches it: with `seq` in its window, else at its first unread message. */
  async show(id: string | null, seq: number | null = null): Promise<void> {
    const before = this.open.value;
    if (before === id) {
      const known = id === null ? undefined : this.get(id);
      if (known && seq !== null) await this.reach(known, seq);
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
      await this.recall(conversation);
      wanted = conversation.arrive(place);
    }
    const { read, unread } = conversation.item.value;
    conversation.newAfter.value = unread > 0 ? read : null;
    const outside = unread > 0 && read + 1 < conversation.thread.first;
    if (wanted && seq !== null) await this.reach(conversation, seq);
    else if (wanted && (!conversation.opened || outside)) await this.loadUnread(conversation).catch(() => undefined);
    void this.describe(conversation).catch(() => undefined);
  }

  /** Opens a conversation with what was kept of it, if that is not too long ago. */
  private async recall(conversation: Conversation): Promise<void> {
    const kept = await this.shelf.window(conversation.id);
    if (!kept || (kept.instance ?? null) !== this.instance.value || conversation.opened || conversation.item.value.head - kept.folded > BEHIND_AT_MOST) return;
    conversation.thread.replace({ items: kept.messages, head: kept.folded }, true, kept.atStart);
    if (serverClock.isSettled) conversation.thread.expire(now());
    conversation.opened = true;
    conversation.show();
    this.catchUp(conversation);
  }

  /** Has a conversation kept, soon. */
  private keepSoon(conversation: Conversation): void {
    this.unkept.add(conversation);
    this.keepTimer ??= setTimeout(() => {
      this.keepTimer = undefined;
      const instance = this.instance.value;
      void this.shelf.putList({ items: [...this.conversations.value.values()].map(({ item }) => item.value), instance });
      for (const { id, thread, opened } of this.unkept) {
        if (!opened || !thread.atEnd) continue;
        const messages = thread.messages.slice(-KEPT_MESSAGES);
        const atStart = thread.atStart && messages.length === thread.messages.length;
        this.keptUntil = Math.min(this.keptUntil, firstOver(messages));
        void this.shelf.putWindow({ id, messages, folded: thread.folded, atStart, instance });
      }
      this.unkept.clear();
    }, KEEP_MS);
  }

  /** Reads the window anew at the first unread message, or at the end. */
  private async loadUnread(conversation: Conversation): Promise<void> {
    const { read, unread, head } = conversation.item.value;
    conversation.newAfter.value = unread > 0 ? read : null;
    await this.load(conversation, unread > 0 && read < head ? read : null);
  }

  /** Has a seq within the window, or what stands around it. */
  private async reach(conversation: Conversation, seq: number): Promise<void> {
    const { thread, opened } = conversation;
    const inside = opened && (thread.atStart || seq >= thread.first) && (seq <= thread.last || (thread.atEnd && seq <= thread.folded));
    if (!inside) await this.load(conversation, seq);
  }

  /** Reads the window anew around the first message at or after a time; its seq, or that of the last one. */
  async reachTime(conversation: Conversation, at: string): Promise<number | null> {
    await this.load(conversation, at);
    const { messages } = conversation.thread;
    return (messages.find((message) => message.at >= at) ?? messages.at(-1))?.seq ?? null;
  }

  /** Reads the window anew: around a seq or a time, or at the end. What was wanted before and comes later is not shown. */
  async load(conversation: Conversation, around: number | string | null): Promise<void> {
    const place = conversation.goElsewhere();
    try {
      const where = around === null ? {} : typeof around === "number" ? { around } : { at: around };
      const page = await this.page(conversation, where);
      if (!conversation.isAt(place)) return;
      const last = page.items.at(-1)?.seq ?? 0;
      // Of one with something in its middle it is known where it ends only if it is all there is.
      const newest = around === null || isLast(page, PAGE / 2) || last >= conversation.item.value.last.seq;
      conversation.thread.replace(page, newest, around === null ? isLast(page, PAGE) : page.more === false);
      conversation.opened = true;
      conversation.show();
      this.keepSoon(conversation);
      this.catchUp(conversation);
    } finally {
      conversation.arrive(place);
    }
  }

  /** Reads a page, and notes whether the server cannot, since something in it is damaged there. */
  private async page(conversation: Conversation, where: Place): Promise<Messages> {
    try {
      const page = await this.rest.messages(conversation.id, where, PAGE);
      conversation.damaged.value = false;
      return page;
    } catch (error) {
      // What fails for good, and not for what was asked, is damaged.
      if (error instanceof Refused && error.problem.code === "internal" && !error.problem.retryable) conversation.damaged.value = true;
      throw error;
    }
  }

  /** Reads the page before what is there. */
  async older(conversation: Conversation): Promise<void> {
    const { thread } = conversation;
    if (conversation.loading || thread.atStart || !conversation.opened) return;
    await this.goOn(conversation, { before: thread.first }, (page) => thread.prepend(page, PAGE));
  }

  /** Reads the page behind what is there. */
  async newer(conversation: Conversation): Promise<void> {
    const { thread } = conversation;
    if (conversation.loading || thread.atEnd || !conversation.opened) return;
    await this.goOn(conversation, { after: thread.last }, (page) => thread.append(page, PAGE));
    this.catchUp(conversation);
  }

  /** Reads the next page of a window; where that fails, not at once again, however often it is wanted. */
  private async goOn(conversation: Conversation, where: Place, take: (page: Messages) => void): Promise<void> {
    if (conversation.paging.wait > 0) return;
    const place = conversation.goOn();
    try {
      const page = await this.page(conversation, where);
      conversation.paging.reset();
      if (!conversation.isAt(place)) return;
      take(page);
      conversation.show();
    } catch {
      conversation.paging.fail();
    } finally {
      conversation.arrive(place);
    }
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

  /** Reads the list again, soon: many reasons at once are one reading. */
  listSoon(): void {
    clearTimeout(this.listTimer);
    this.listTimer = setTimeout(() => this.readListPatiently(), this.listing.wait + 50 + Math.random() * 200);
  }

  /** Reads the list; where that fails, again later each time, until it is no use or there is another connection. */
  private readListPatiently(): void {
    this.readList().then(
      () => this.listing.reset(),
      (error: unknown) => {
        const never = error instanceof Refused && !error.problem.retryable;
        if (this.listing.fail() !== null && !never && this.standing.value === "online") this.listSoon();
      },
    );
  }

  async readList(): Promise<void> {
    const heads = new Map([...this.conversations.value].map(([id, { item }]) => [id, item.value.head]));
    const instance = this.instance.value;
    const items: ConversationItem[] = [];
    const damaged: DamagedConversation[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.rest.conversations(cursor);
      // Since then it is read anew.
      if (instance !== this.instance.value) return;
      items.push(...page.items);
      damaged.push(...(page.damaged ?? []));
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    const known = this.conversations.value;
    this.conversations.value = new Map(
      items.map((item) => {
        const conversation = known.get(item.id);
        // A log never gets shorter, but where a backup was restored.
        if (conversation && item.head < (heads.get(item.id) ?? 0)) this.rewind(conversation, item.head);
        conversation?.take(item);
        return [item.id, conversation ?? new Conversation(item)];
      }),
    );
    this.damaged.value = damaged;
    this.listed.value = true;
    for (const conversation of this.conversations.value.values()) {
      const { head, delivered } = conversation.item.value;
      // Reading what is missing would take longer than reading anew, and leave the first unread message behind.
      if (head - conversation.thread.folded > BEHIND_AT_MOST) conversation.opened = false;
      this.catchUp(conversation);
      if (head > delivered) this.pointing.tell(conversation.id, { delivered: head });
      this.keepSoon(conversation);
    }
    const open = this.open.value === null ? undefined : this.get(this.open.value);
    if (this.open.value !== null && !open) void this.show(null);
    else if (open && !open.opened && !open.loading) await this.loadUnread(open);
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
        return this.listSoon();
      case "requests":
        return this.requests.soon();
      case "error":
        if (frame.ref === "sync" && frame.conversation) this.syncs.refused(frame.conversation);
        if (frame.damaged) this.listSoon();
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
    if (instance === null || instance === this.instance.value) return;
    const isFirst = this.instance.value === null && this.conversations.value.size === 0;
    this.instance.value = instance;
    if (isFirst) return;
    clearTimeout(this.keepTimer);
    this.keepTimer = undefined;
    this.unkept.clear();
    void this.shelf.dropHistory();
    this.pointing.forget();
    this.syncs.forget();
    this.quotes.forget();
    this.search.clear();
    this.outbox.forgetPlaces();
    for (const conversation of this.conversations.value.values()) conversation.forget();
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
    this.listing.reset();
    this.readListPatiently();
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
      if (conversation?.opened) this.sync(conversation);
      return this.listSoon();
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
      this.rewind(conversation, frame.head);
      this.listSoon();
    }
    for (const entry of frame.entries) this.take(entry);
    if (conversation && !frame.ahead) conversation.hearHead(frame.head);
    if (conversation?.opened) this.syncs.heard(frame.conversation);
    if (frame.more && conversation?.opened) this.sync(conversation);
  }

  /** The seq after which an opened conversation lacks entries. */
  private lacks(id: string): number | null {
    const conversation = this.get(id);
    if (!conversation?.opened) return null;
    const { folded } = conversation.thread;
    return folded < Math.max(conversation.item.value.head, conversation.heard) ? folded : null;
  }

  /** What a conversation lacks cannot be had: its window is read anew. */
  private readAnew(id: string): void {
    const conversation = this.get(id);
    if (!conversation?.opened) return;
    const { thread } = conversation;
    this.load(conversation, thread.atEnd ? null : thread.last).catch(() => {
      // When it is opened again, or with the next connection.
      conversation.opened = false;
    });
  }

  /** Lets go of what the server does not have, and reads anew what that may have changed. */
  private rewind(conversation: Conversation, head: number): void {
    conversation.rewind(head);
    void this.shelf.dropWindow(conversation.id);
    const { thread } = conversation;
    if (conversation.opened) void this.load(conversation, thread.atEnd ? null : thread.last).catch(() => undefined);
  }

  private take(entry: Entry): void {
    const conversation = this.get(entry.conversation);
    if (!conversation) return this.listSoon();
    conversation.note(entry, this.me.id);
    this.keepSoon(conversation);
    if (entry.client_id && entry.sender === this.me.id) this.outbox.acknowledge(entry.client_id);
    this.pointing.tell(entry.conversation, { delivered: entry.seq });
    if (!conversation.opened) return;
    if (conversation.thread.apply(entry) === "gap") return this.sync(conversation);
    conversation.show();
  }

  /** Asks for what an opened conversation lacks. */
  private catchUp(conversation: Conversation): void {
    if (conversation.opened && conversation.thread.folded < conversation.item.value.head) this.sync(conversation);
  }

  private sync(conversation: Conversation): void {
    this.syncs.want(conversation.id);
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
    for (const conversation of this.conversations.value.values()) {
      for (const [user, until] of conversation.typing.value) if (until <= time) conversation.hearTyping(user, 0);
      if (settled && conversation.expire(time)) this.keepSoon(conversation);
    }
    if (!settled || time < this.keptUntil) return;
    this.keptUntil = Number.POSITIVE_INFINITY;
    void this.shelf.expire(time).then((next) => (this.keptUntil = Math.min(this.keptUntil, next)));
  }
}
