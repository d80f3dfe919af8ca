import { effect, signal } from "@preact/signals";
import { now } from "./now";
import { type Attachment, isLoading, isPassing, type Outbox, type Unsent } from "./outbox";
import { Refused } from "./rest";
import type { Shelf } from "./shelf";
import type { Tabs } from "./tabs";
import type { Code, Media } from "./types";
import type { Uploader } from "./upload";
import { uuidv7 } from "./uuid";

/** Attachments that are under way at a time. */
const AT_ONCE = 2;
/** The first and the longest wait before one is tried again, in milliseconds. */
const BACK_OFF_MS = 1_000;
const BACK_OFF_AT_MOST_MS = 30_000;
/** How long bytes may be kept before the message that needs them is, in milliseconds. */
const RECENT_MS = 60_000;
/** Codes that say that an upload is not where it was thought to be: the next attempt asks, or begins anew. */
const ELSEWHERE: Code[] = ["wrong_offset", "not_found"];
/** All bytes that may wait to be sent. */
export const WAITING_BYTES = 1024 * 1024 * 1024;

/** Bytes that a message is to show. */
export interface Outgoing {
  blob: Blob;
  /** Absent of a voice message. */
  name?: string;
  width?: number;
  height?: number;
}

/**
 * Brings the attachments of unsent messages to the server. It follows the outbox: what is put there is sent, what is
 * taken out is ended and forgotten. Of several tabs one sends a message's attachments; when it is gone the next goes on.
 */
export class Uploads {
  /** How many bytes of an attachment have gone. */
  readonly gone = signal(new Map<string, number>());
  private readonly blobs = new Map<string, Blob>();
  private readonly working = new Map<string, AbortController>();
  private readonly impatient = new Set<() => void>();
  private readonly waiting: (() => void)[] = [];
  private active = 0;
  private needed = new Set<string>();
  private readonly unfollow: () => void;

  constructor(
    private readonly outbox: Outbox,
    private readonly shelf: Shelf,
    private readonly tabs: Pick<Tabs, "alone"> | null,
    private readonly uploader: Uploader,
    /** All attachments of a message are there. */
    private readonly ready: () => void,
  ) {
    this.unfollow = effect(() => this.follow());
    // What no message needs any more; another tab may be about to write what is quite new.
    const recent = uuidv7(now() - RECENT_MS);
    const needed = this.needed;
    void this.shelf.dropBlobs((id) => id < recent && !needed.has(id));
  }

  /** Puts a message in line with what it is to show, whose bytes are kept until it is sent, also over a reload. */
  put(unsent: Unsent, files: Outgoing[]): void {
    const attachments = files.map(({ blob, ...known }): Attachment => {
      const id = uuidv7();
      this.blobs.set(id, blob);
      return { id, type: blob.type, size: blob.size, ...known };
    });
    this.outbox.put({ ...unsent, attachments });
    for (const { id } of attachments) {
      const blob = this.blobs.get(id);
      if (blob) void this.shelf.putBlob(id, blob);
    }
  }

  /** The bytes of an attachment that is not sent yet. */
  async blob(attachment: string): Promise<Blob | null> {
    return this.blobs.get(attachment) ?? (await this.shelf.blob(attachment));
  }

  /** So many bytes wait to be sent. */
  get bytes(): number {
    return this.outbox.all.value.flatMap((unsent) => unsent.attachments ?? []).reduce((sum, { size }) => sum + size, 0);
  }

  /** The network is back: what waits tries again. */
  wake(): void {
    for (const hurry of this.impatient) hurry();
  }

  /** Ends this tab's part. */
  end(): void {
    this.unfollow();
    for (const work of this.working.values()) work.abort();
  }

  private follow(): void {
    const all = this.outbox.all.value;
    const unsent = new Map(all.map((one) => [one.message.client_id, one]));
    for (const [id, work] of this.working) if (!unsent.has(id)) work.abort("dropped");
    for (const [id, one] of unsent) if (!one.refused && isLoading(one) && !this.working.has(id)) void this.work(id);
    const needed = new Set(all.flatMap((one) => one.attachments ?? []).map(({ id }) => id));
    const past = [...this.needed].filter((id) => !needed.has(id));
    this.needed = needed;
    if (past.length === 0) return;
    for (const id of past) {
      this.blobs.delete(id);
      this.tell(id, null);
    }
    void this.shelf.dropBlobs((id) => past.includes(id));
  }

  private async work(clientId: string): Promise<void> {
    const work = new AbortController();
    this.working.set(clientId, work);
    const does = () => this.all(clientId, work.signal);
    try {
      await (this.tabs ? this.tabs.alone(`upload.${clientId}`, work.signal, does) : Promise.resolve().then(does));
    } catch {
      // Ended before its turn came.
    } finally {
      this.working.delete(clientId);
    }
  }

  /** One attachment of a message after the other, for as long as it takes. */
  private async all(clientId: string, signal: AbortSignal): Promise<void> {
    this.outbox.reread(clientId);
    let attempts = 0;
    while (!signal.aborted) {
      const unsent = this.outbox.get(clientId);
      const next = unsent?.attachments?.find((attachment) => !attachment.media);
      if (!unsent || unsent.refused) return;
      if (!next) return this.ready();
      const after = Math.min(BACK_OFF_MS * 2 ** attempts, BACK_OFF_AT_MOST_MS);
      try {
        const media = await this.one(clientId, next, attempts > 0, signal);
        if (media) this.outbox.attach(clientId, next.id, { media });
        else this.outbox.refuse(clientId, "lost");
        attempts = 0;
        continue;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused) {
          const { code, retryable } = error.problem;
          const lasting = !retryable && !isPassing(code) && !ELSEWHERE.includes(code);
          if ((lasting || code === "storage_full") && !this.outbox.refuse(clientId, code)) return;
        }
      }
      attempts += 1;
      await this.pause(after / 2 + (Math.random() * after) / 2, signal);
    }
  }

  /** One attachment; null where its bytes are not here any more. */
  private async one(clientId: string, { id, name, type, upload }: Attachment, again: boolean, signal: AbortSignal): Promise<Media | null> {
    await this.place(signal);
    let begun = upload;
    try {
      const blob = await this.blob(id);
      if (!blob) return null;
      return await this.uploader.send({
        blob,
        name,
        type,
        upload,
        again,
        signal,
        progress: (bytes) => this.tell(id, bytes),
        begun: (url) => {
          begun = url;
          this.outbox.attach(clientId, id, { upload: url });
        },
      });
    } finally {
      this.active -= 1;
      this.waiting.shift()?.();
      if (signal.reason === "dropped" && begun) void this.uploader.forget(begun);
    }
  }

  /** Waits for one of the places of those that are under way. */
  private async place(signal: AbortSignal): Promise<void> {
    while (this.active >= AT_ONCE && !signal.aborted) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.active += 1;
  }

  private tell(attachment: string, bytes: number | null): void {
    const gone = new Map(this.gone.peek());
    if (bytes === null) gone.delete(attachment);
    else gone.set(attachment, bytes);
    this.gone.value = gone;
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.impatient.delete(end);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.impatient.add(end);
      signal.addEventListener("abort", end);
    });
  }
}
