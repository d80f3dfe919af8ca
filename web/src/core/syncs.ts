import { BackOff } from "./backoff";
import type { ClientFrame } from "./types";

/** Entries of a `sync`. */
const ENTRIES = 200;
/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 30_000;
/** The first and the longest wait before the same is asked again, in milliseconds, and how often it is. */
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 60_000;
const TRIES = 6;

/** What the questions need of the client. */
export interface Behind {
  /** The seq after which a conversation lacks entries; null where it lacks none. */
  lacks(conversation: string): number | null;
  /** Says a frame; false if there is no connection. */
  say(frame: ClientFrame): boolean;
  /** The entries of a conversation cannot be had in this way. */
  giveUp(conversation: string): void;
}

/**
 * Asks for the entries that conversations lack, one question at a time, since each answer may be a full page. A question
 * that brings nothing is asked again later each time and for fewer entries, also on the next connection, and in the end
 * no more: what a connection breaks on must not break each one.
 */
export class Syncs {
  private readonly wanted = new Set<string>();
  private asked: { conversation: string; after: number; timer: ReturnType<typeof setTimeout> } | null = null;
  private readonly failing = new Map<string, { after: number; backOff: BackOff }>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly behind: Behind) {}

  /** A conversation may lack something. */
  want(conversation: string): void {
    this.wanted.add(conversation);
    this.next();
  }

  /** Entries of a conversation came, and were taken. */
  heard(conversation: string): void {
    if (this.asked?.conversation === conversation) this.settle();
    this.next();
  }

  /** The server refused a question about a conversation. */
  refused(conversation: string): void {
    if (this.asked?.conversation === conversation) this.settle();
    this.next();
  }

  /** The connection is gone: what was asked on it may be what ended it. */
  lost(): void {
    this.settle();
  }

  /** Lets go of every question: the seqs have lost their meaning. */
  forget(): void {
    this.end();
    this.failing.clear();
  }

  end(): void {
    clearTimeout(this.timer);
    clearTimeout(this.asked?.timer);
    this.asked = null;
    this.wanted.clear();
  }

  /** The question is answered, or will not be. */
  private settle(): void {
    if (!this.asked) return;
    const { conversation, after, timer } = this.asked;
    clearTimeout(timer);
    this.asked = null;
    if (this.behind.lacks(conversation) !== after) {
      this.failing.delete(conversation);
      return;
    }
    const known = this.failing.get(conversation);
    const failing = known?.after === after ? known : { after, backOff: new BackOff(AGAIN_MS, AGAIN_AT_MOST_MS, TRIES) };
    this.failing.set(conversation, failing);
    if (failing.backOff.fail() !== null) return;
    this.wanted.delete(conversation);
    this.behind.giveUp(conversation);
  }

  /** Asks the next question, if it is time. */
  private next(): void {
    clearTimeout(this.timer);
    let wait = Number.POSITIVE_INFINITY;
    for (const conversation of this.wanted) {
      if (this.asked) return;
      const after = this.behind.lacks(conversation);
      let backOff = this.failing.get(conversation)?.backOff;
      if (after === null || this.failing.get(conversation)?.after !== after) {
        this.failing.delete(conversation);
        backOff = undefined;
      }
      if (after === null || backOff?.isOver) {
        this.wanted.delete(conversation);
        continue;
      }
      if (backOff && backOff.wait > 0) {
        wait = Math.min(wait, backOff.wait);
        continue;
      }
      const limit = Math.max(ENTRIES >> (2 * (backOff?.failed ?? 0)), 1);
      if (!this.behind.say({ t: "sync", conversation, after, limit })) return;
      const late = () => {
        this.settle();
        this.next();
      };
      this.asked = { conversation, after, timer: setTimeout(late, PATIENCE_MS) };
    }
    if (Number.isFinite(wait)) this.timer = setTimeout(() => this.next(), wait);
  }
}
