import { makeZip } from "client-zip";
import { Refused, type Rest, Unreachable } from "./rest";
import { isLast } from "./thread";
import type { ConversationItem, Message, Page } from "./types";

/** Messages, members or conversations that are asked for at once. */
const PAGE = 200;
/** How often the same is asked in vain, and the waits between, in milliseconds. */
const TRIES = 6;
const WAIT_MS = 1_000;
const WAIT_AT_MOST_MS = 30_000;

/** What an export needs of the server. */
export type Source = Pick<Rest, "profile" | "devices" | "conversations" | "conversation" | "participants" | "messages" | "mediaBytes">;

/** How far an export has got, in entries and media; `all` grows with what is found on the way. */
export type Tell = (done: number, all: number) => void;

interface Part {
  name: string;
  input: string | Blob | AsyncIterable<string>;
}

/** Everything that is a person's own or that they may read, as a zip of JSON and media that is made while it is read. */
export async function archive(source: Source, tell: Tell, signal: AbortSignal): Promise<Blob> {
  const all = new Export(source, tell, signal);
  // A stream of parts of one kind is what the library wants; it takes all of ours.
  const zip = makeZip(all.parts() as AsyncIterable<{ name: string; input: string }>);
  try {
    return await new Response(zip, { headers: { "Content-Type": "application/zip" } }).blob();
  } catch (error) {
    // A browser says of a stream only that it broke.
    throw all.broken ?? error;
  }
}

class Export {
  /** What could not be had at last. */
  broken: unknown = null;
  private done = 0;
  private all = 0;
  /** The media that are met, each with what its file is called. */
  private readonly media = new Map<string, string>();
  private readonly missing: string[] = [];

  constructor(
    private readonly source: Source,
    private readonly tell: Tell,
    private readonly signal: AbortSignal,
  ) {}

  async *parts(): AsyncGenerator<Part> {
    const { source } = this;
    const profile = await this.patiently(() => source.profile("me"));
    if (profile.avatar) this.meet(profile.avatar, "avatar");
    yield json("profile.json", profile);
    yield json("devices.json", await this.every(() => source.devices()));
    const items = await this.every(async (cursor) => {
      const page = await source.conversations(cursor);
      this.missing.push(...(page.damaged ?? []).map(({ id }) => id));
      return page;
    });
    yield json("conversations.json", items);
    this.grow(items.reduce((sum, { head }) => sum + head, 0));
    for (const item of items) yield* this.conversation(item);
    for (const [id, name] of this.media) {
      const bytes = await this.unlessGone(() => source.mediaBytes(id, this.signal));
      if (bytes) yield { name: `media/${id}${name}`, input: bytes };
      else this.missing.push(id);
      this.step(1);
    }
    yield json("missing.json", this.missing);
  }

  private async *conversation(item: ConversationItem): AsyncGenerator<Part> {
    const { id, kind, head } = item;
    const about = await this.unlessGone(() => this.source.conversation(id));
    if (about) {
      // Of a channel, which may have very many, who is in it is nobody's own.
      const members = kind === "channel" ? [] : await this.every((cursor) => this.source.participants(id, cursor));
      yield json(`conversations/${id}/conversation.json`, { ...about, members });
      yield { name: `conversations/${id}/messages.json`, input: this.messages(id, head) };
    } else {
      this.missing.push(id);
      this.step(head);
    }
  }

  /** The messages of a conversation, page by page, as one array. */
  private async *messages(id: string, head: number): AsyncGenerator<string> {
    yield "[";
    let after = 0;
    let last: boolean;
    do {
      const read = await this.unlessGone(() => this.source.messages(id, { after }, PAGE));
      if (!read) this.missing.push(id);
      const page: Message[] = read?.items ?? [];
      for (const [at, message] of page.entries()) {
        yield `${at + after > 0 ? "," : ""}\n${JSON.stringify(message)}`;
        if (message.kind === "message") for (const { id: media, name } of message.body.attachments ?? []) this.meet(media, name ?? "");
      }
      const reached = page.at(-1)?.seq ?? head;
      this.step(Math.max(Math.min(reached, head) - after, 0));
      after = reached;
      last = !read || isLast(read, PAGE);
    } while (!last);
    this.step(Math.max(head - after, 0));
    yield "\n]\n";
  }

  private meet(media: string, name: string): void {
    if (this.media.has(media)) return;
    // Whatever it was called, its name is one in every file system.
    const safe = name.replace(/[^\p{L}\p{N}._ -]+/gu, "_").slice(-100);
    this.media.set(media, safe ? `-${safe}` : "");
    this.grow(1);
  }

  private async every<T>(page: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const read = await this.patiently(() => page(cursor));
      items.push(...read.items);
      cursor = read.next_cursor ?? undefined;
    } while (cursor);
    return items;
  }

  /** What is asked for, or nothing where it is no longer there, or damaged. */
  private async unlessGone<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await this.patiently(ask);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, retryable } = error.problem;
      if (code === "not_found" || (code === "internal" && !retryable)) return null;
      throw error;
    }
  }

  /** Asks again, when the server says so, or after a while where it was not reached. */
  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      this.signal.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        const later = error instanceof Unreachable || (error instanceof Refused && error.problem.retryable);
        if (!later || tries >= TRIES) {
          this.broken = error;
          throw error;
        }
        const told = error instanceof Refused ? error.retryAfterS : null;
        await this.pause(told === null ? Math.min(WAIT_MS * 2 ** tries, WAIT_AT_MOST_MS) : told * 1_000);
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(this.signal.reason);
      }, { once: true });
    });
  }

  private grow(by: number): void {
    this.all += by;
    this.tell(this.done, this.all);
  }

  private step(by: number): void {
    this.done += by;
    this.tell(this.done, this.all);
  }
}

function json(name: string, value: unknown): Part {
  return { name, input: `${JSON.stringify(value, null, 1)}\n` };
}
