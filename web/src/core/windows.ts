import type { Conversation } from "./conversation";
import type { Listing } from "./listing";
import { now, serverClock } from "./now";
import { type Place, Refused, type Rest } from "./rest";
import type { Shelf } from "./shelf";
import { Syncs } from "./syncs";
import { isLast } from "./thread";
import type { ClientFrame, Entry, Messages } from "./types";

/** Messages of a page of history. */
const PAGE = 60;
/** Entries that a window may lack: beyond, it is read anew. */
export const BEHIND_AT_MOST = 1_000;

/** The windows on the history of the conversations that were opened: what they show, and what they lack. */
export class Windows {
  private readonly syncs: Syncs;

  constructor(
    private readonly rest: Rest,
    private readonly shelf: Shelf,
    private readonly listing: Listing,
    say: (frame: ClientFrame) => boolean,
  ) {
    this.syncs = new Syncs({
      lacks: (id) => this.lacks(id),
      say,
      giveUp: (id) => this.readAnew(id),
    });
  }

  end(): void {
    this.syncs.end();
  }

  /** The connection is gone, and with it what was asked on it. */
  lost(): void {
    this.syncs.lost();
  }

  /** Lets go of every question and every window: the seqs have lost their meaning. */
  forget(): void {
    this.syncs.forget();
    for (const conversation of this.listing.conversations.value.values()) conversation.forget();
  }

  /** Up to where the opened windows are folded, as a hello says it. */
  have(): [string, number][] {
    const opened = [...this.listing.conversations.value.values()].filter((one) => one.opened);
    return opened.map((one): [string, number] => [one.id, one.thread.folded]);
  }

  /** The server refused to give entries of a conversation. */
  refused(id: string): void {
    this.syncs.refused(id);
  }

  /** Folds an entry into its window, where that is opened. */
  fold(conversation: Conversation, entry: Entry): void {
    if (!conversation.opened) return;
    if (conversation.thread.apply(entry) === "gap") return this.sync(conversation);
    conversation.show();
  }

  /** The server gave entries of a conversation, and they were taken: is more to be asked for? */
  gave(conversation: Conversation, more: boolean): void {
    if (!conversation.opened) return;
    this.syncs.heard(conversation.id);
    if (more) this.sync(conversation);
  }

  /** Opens a conversation with what was kept of it, if that is not too long ago. */
  async recall(conversation: Conversation): Promise<void> {
    const kept = await this.shelf.window(conversation.id);
    if (!kept || (kept.instance ?? null) !== this.listing.instance.value || conversation.opened || conversation.item.value.head - kept.folded > BEHIND_AT_MOST) return;
    conversation.thread.replace({ items: kept.messages, head: kept.folded }, true, kept.atStart);
    if (serverClock.isSettled) conversation.thread.expire(now());
    conversation.opened = true;
    conversation.show();
    this.catchUp(conversation);
  }

  /** Reads the window anew at the first unread message, or at the end. */
  async loadUnread(conversation: Conversation): Promise<void> {
    const { read, unread, head } = conversation.item.value;
    conversation.newAfter.value = unread > 0 ? read : null;
    await this.load(conversation, unread > 0 && read < head ? read : null);
  }

  /** Has a seq within the window, or what stands around it. */
  async reach(conversation: Conversation, seq: number): Promise<void> {
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
      this.listing.keepSoon(conversation);
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

  /** The seq after which an opened conversation lacks entries. */
  private lacks(id: string): number | null {
    const conversation = this.listing.get(id);
    if (!conversation?.opened) return null;
    const { folded } = conversation.thread;
    return folded < Math.max(conversation.item.value.head, conversation.heard) ? folded : null;
  }

  /** What a conversation lacks cannot be had: its window is read anew. */
  private readAnew(id: string): void {
    const conversation = this.listing.get(id);
    if (!conversation?.opened) return;
    const { thread } = conversation;
    this.load(conversation, thread.atEnd ? null : thread.last).catch(() => {
      // When it is opened again, or with the next connection.
      conversation.opened = false;
    });
  }

  /** Lets go of what the server does not have, and reads anew what that may have changed. */
  rewind(conversation: Conversation, head: number): void {
    conversation.rewind(head);
    void this.shelf.dropWindow(conversation.id);
    const { thread } = conversation;
    if (conversation.opened) void this.load(conversation, thread.atEnd ? null : thread.last).catch(() => undefined);
  }

  /** Asks for what an opened conversation lacks. */
  catchUp(conversation: Conversation): void {
    if (conversation.opened && conversation.thread.folded < conversation.item.value.head) this.sync(conversation);
  }

  /** Asks for the entries of an opened conversation, or soon. */
  sync(conversation: Conversation): void {
    this.syncs.want(conversation.id);
  }
}
