// What every view may know.
import { signal } from "@preact/signals";
import type { Client } from "../core/client";
import { browserKeep } from "../core/keep";
import { KnownUsers } from "../core/known";
import { Refused, Unreachable } from "../core/rest";
import type { Info } from "../core/types";
import { t } from "../texts";

export const keep = browserKeep();
/** Who has signed in on this device. */
export const known = new KnownUsers(keep);
/** The device that is signed in, or null before somebody is. */
export const client = signal<Client | null>(null);
export const info = signal<Info | null>(null);
/** What lies over the chats: one at a time. */
export const dialog = signal<"new" | "settings" | "details" | "date" | "requests" | null>(null);

/** Returns what went wrong, for the person: in `words` of the place where it did, by its code, else as the server says it. */
export function explain(error: unknown, words: Record<string, string> = {}): string {
  if (error instanceof Refused) {
    const quota_exceeded = error.retryAfterS ? t().day_full : t().room_full;
    const known: Record<string, string> = { storage_full: t().server_full, too_many: t().too_many, quota_exceeded, ...t().refused, ...words };
    return known[error.problem.code] ?? error.problem.errors?.[0]?.detail ?? error.message;
  }
  return error instanceof Unreachable ? t().unreachable : t().wrong;
}
