import { signal } from "@preact/signals";
import type { Rest } from "./rest";
import type { ConversationItem } from "./types";

/** How long changes are gathered before the requests are read again, in milliseconds. */
const SOON_MS = 300;

export type RequestAnswer = "accepted" | "declined" | "blocked";

/** What strangers began with the person, or added them to, and waits for an answer: newest first. */
export class Requests {
  readonly items = signal<ConversationItem[]>([]);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rest: Pick<Rest, "requests" | "answerRequest">) {}

  /** Reads them again, soon: many reasons at once are one reading. A failure is made good by the next connection. */
  soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.read().catch(() => undefined);
    }, SOON_MS);
  }

  async read(): Promise<void> {
    this.items.value = (await this.rest.requests()).items;
  }

  /** Answers one. It is gone from here at once, whatever another device has answered meanwhile. */
  async answer(id: string, answer: RequestAnswer): Promise<void> {
    await this.rest.answerRequest(id, answer);
    this.items.value = this.items.value.filter((item) => item.id !== id);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
