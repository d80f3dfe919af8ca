import { signal } from "@preact/signals";
import type { Keep } from "./keep";
import type { Code, Media, NewMessage } from "./types";

const PREFIX = "kith.outbox.";
/** Codes that say "later": the message stays in line and is said again. */
const LATER: Refusal[] = ["overloaded", "rate_limited", "unavailable", "internal"];
/** Times that the server may say that its disk is full before the person is told. */
const FULL_TRIES = 3;

/** Why a message stays: what the server said, or that its bytes are not here any more. */
export type Refusal = Code | "lost";

/** Something that a message is to show, on its way to the server. */
export interface Attachment {
  /** On this device. */
  id: string;
  /** Absent of a voice message. */
  name?: string;
  type: string;
  size: number;
  width?: number;
  height?: number;
  /** Where it is sent to in parts, once that has begun. */
  upload?: string;
  /** What it has become, once it is there. */
  media?: Media;
}

/** A message that the server has not acknowledged. */
export interface Unsent {
  conversation: string;
  message: NewMessage;
  /** What it is to show; it is said when all of them are there. */
  attachments?: Attachment[];
  /** When it was written, in milliseconds. */
  at: number;
  /** Why the server refused it, until the person tries again. */
  refused: Refusal | null;
}

/** A message as it was said, with all that its entry has. */
export interface Said {
  message: NewMessage;
  /** What it shows; null where only another tab knows. */
  attachments: Media[] | null;
}

/** All that a message shows, as the server knows it; null where that is not known here. */
export function shown(message: NewMessage, attachments: Attachment[] = []): Media[] | null {
  const media = attachments.flatMap((attachment) => attachment.media ?? []);
  return media.length === (message.attachments ?? attachments).length ? media : null;
}

/** Whether a refusal is only for now. */
export function isPassing(code: Refusal): boolean {
  return LATER.includes(code);
}

/** Whether something that it shows is not on the server yet. */
export function isLoading(unsent: Unsent): boolean {
  return !!unsent.attachments?.some((attachment) => !attachment.media);
}

/**
 * Messages under way, in their order. Each has its `client_id` from the beginning, so that saying it again, after
 * whatever happened, cannot double it. It outlives a reload, and all tabs have the same.
 */
export class Outbox {
  readonly all = signal<Unsent[]>([]);
  private readonly said = new Set<string>();
  /** How often the server had no room for a message. */
  private readonly full = new Map<string, number>();
  private readonly unwatch: () => void;

  constructor(private readonly keep: Keep) {
    const kept = keep.names(PREFIX).flatMap((name) => JSON.parse(keep.get(name) ?? "[]") as Unsent | []);
    this.all.value = kept.sort((a, b) => (a.message.client_id < b.message.client_id ? -1 : 1));
    this.unwatch = keep.watch(PREFIX, (name, text) => this.mirror(name.slice(PREFIX.length), text));
  }

  get(clientId: string): Unsent | undefined {
    return this.all.value.find((unsent) => unsent.message.client_id === clientId);
  }

  put(unsent: Unsent): void {
    this.all.value = [...this.all.value, unsent];
    this.store(unsent);
  }

  /** What is to be said now: everything that was not said on this connection. */
  *due(): Iterable<Unsent> {
    for (const unsent of this.all.value) {
      if (unsent.refused || isLoading(unsent) || this.said.has(unsent.message.client_id)) continue;
      this.said.add(unsent.message.client_id);
      yield unsent;
    }
  }

  /** Another tab has said it. */
  noteSaid(clientId: string): void {
    this.said.add(clientId);
  }

  /** A new connection knows of nothing that was said before. */
  forgetSaid(): void {
    this.said.clear();
  }

  /** The server has it: it is taken out. */
  acknowledge(clientId: string): Unsent | undefined {
    const unsent = this.get(clientId);
    if (unsent) this.drop(clientId);
    return unsent;
  }

  /** The server refused it, for good where what it is for is damaged there; whether it is worth saying again by itself. */
  refuse(clientId: string, code: Refusal, damaged = false): boolean {
    this.said.delete(clientId);
    if (isPassing(code) && !damaged) return true;
    const full = code === "storage_full" ? (this.full.get(clientId) ?? 0) + 1 : FULL_TRIES;
    this.full.set(clientId, full);
    if (full < FULL_TRIES) return true;
    this.full.delete(clientId);
    this.change(clientId, (unsent) => ({ ...unsent, refused: code }));
    return false;
  }

  /** The person wants it said again. */
  retry(clientId: string): void {
    this.change(clientId, (unsent) => ({ ...unsent, refused: null }));
  }

  /** Notes how far one of its attachments has come. */
  attach(clientId: string, attachment: string, change: Partial<Attachment>): void {
    this.change(clientId, (unsent) => ({
      ...unsent,
      attachments: unsent.attachments?.map((one) => (one.id === attachment ? { ...one, ...change } : one)) ?? [],
    }));
  }

  /** Lets go of what the messages answer: those seqs may be other messages now. */
  forgetPlaces(): void {
    for (const { message } of this.all.value) {
      if (message.reply_to == null) continue;
      this.change(message.client_id, ({ message: { reply_to: _, ...rest }, ...unsent }) => ({ ...unsent, message: rest }));
    }
  }

  drop(clientId: string): void {
    this.said.delete(clientId);
    this.full.delete(clientId);
    this.all.value = this.all.value.filter((unsent) => unsent.message.client_id !== clientId);
    this.keep.set(PREFIX + clientId, null);
  }

  clear(): void {
    for (const unsent of this.all.value) this.drop(unsent.message.client_id);
  }

  /** Takes a message as it is kept, before what other tabs did is heard. */
  reread(clientId: string): void {
    this.mirror(clientId, this.keep.get(PREFIX + clientId));
  }

  /** Hears no more of other tabs. */
  end(): void {
    this.unwatch();
  }

  private mirror(clientId: string, text: string | null): void {
    const isIt = (unsent: Unsent) => unsent.message.client_id === clientId;
    const all = this.all.value;
    if (text === null) {
      this.said.delete(clientId);
      this.all.value = all.filter((unsent) => !isIt(unsent));
      return;
    }
    const kept = JSON.parse(text) as Unsent;
    this.all.value = all.some(isIt) ? all.map((unsent) => (isIt(unsent) ? kept : unsent)) : [...all, kept];
  }

  private change(clientId: string, to: (unsent: Unsent) => Unsent): void {
    this.all.value = this.all.value.map((unsent) => (unsent.message.client_id === clientId ? to(unsent) : unsent));
    const changed = this.get(clientId);
    if (changed) this.store(changed);
  }

  private store(unsent: Unsent): void {
    this.keep.set(PREFIX + unsent.message.client_id, JSON.stringify(unsent));
  }
}
