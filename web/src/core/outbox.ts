import { signal } from "@preact/signals";
import type { Keep } from "./keep";
import type { Code, NewMessage } from "./types";

const PREFIX = "kith.outbox.";
/** Codes that say "later": the message stays in line and is said again. */
const LATER: Code[] = ["overloaded", "rate_limited", "unavailable", "internal"];

/** A message that the server has not acknowledged. */
export interface Unsent {
  conversation: string;
  message: NewMessage;
  /** When it was written, in milliseconds. */
  at: number;
  /** Why the server refused it, until the person tries again. */
  refused: Code | null;
}

/**
 * Messages under way, in their order. Each has its `client_id` from the beginning, so that saying it again, after
 * whatever happened, cannot double it. It outlives a reload.
 */
export class Outbox {
  readonly all = signal<Unsent[]>([]);
  private readonly said = new Set<string>();

  constructor(private readonly keep: Keep) {
    const kept = keep.names(PREFIX).flatMap((name) => JSON.parse(keep.get(name) ?? "[]") as Unsent | []);
    this.all.value = kept.sort((a, b) => (a.message.client_id < b.message.client_id ? -1 : 1));
  }

  put(unsent: Unsent): void {
    this.all.value = [...this.all.value, unsent];
    this.store(unsent);
  }

  /** What is to be said now: everything that was not said on this connection. */
  *due(): Iterable<Unsent> {
    for (const unsent of this.all.value) {
      if (unsent.refused || this.said.has(unsent.message.client_id)) continue;
      this.said.add(unsent.message.client_id);
      yield unsent;
    }
  }

  /** A new connection knows of nothing that was said before. */
  forgetSaid(): void {
    this.said.clear();
  }

  /** The server has it: it is taken out. */
  acknowledge(clientId: string): Unsent | undefined {
    const unsent = this.all.value.find((other) => other.message.client_id === clientId);
    if (unsent) this.drop(clientId);
    return unsent;
  }

  /** The server refused it; whether it is worth saying again by itself. */
  refuse(clientId: string, code: Code): boolean {
    this.said.delete(clientId);
    if (LATER.includes(code)) return true;
    this.change(clientId, (unsent) => ({ ...unsent, refused: code }));
    return false;
  }

  /** The person wants it said again. */
  retry(clientId: string): void {
    this.change(clientId, (unsent) => ({ ...unsent, refused: null }));
  }

  drop(clientId: string): void {
    this.said.delete(clientId);
    this.all.value = this.all.value.filter((unsent) => unsent.message.client_id !== clientId);
    this.keep.set(PREFIX + clientId, null);
  }

  clear(): void {
    for (const unsent of this.all.value) this.drop(unsent.message.client_id);
  }

  private change(clientId: string, to: (unsent: Unsent) => Unsent): void {
    this.all.value = this.all.value.map((unsent) => (unsent.message.client_id === clientId ? to(unsent) : unsent));
    const changed = this.all.value.find((unsent) => unsent.message.client_id === clientId);
    if (changed) this.store(changed);
  }

  private store(unsent: Unsent): void {
    this.keep.set(PREFIX + unsent.message.client_id, JSON.stringify(unsent));
  }
}
