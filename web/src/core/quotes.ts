import { type Signal, signal } from "@preact/signals";
import type { Rest } from "./rest";
import type { Message } from "./types";

/** Messages that are remembered for who answers them. */
const REMEMBERED = 500;

/** Messages that others answer and that are not in the window, asked for once each. */
export class Quotes {
  private readonly known = new Map<string, Signal<Message | null>>();

  constructor(private readonly rest: Pick<Rest, "message">) {}

  /** A message by its id; null until it has come, and where it is no longer there. */
  of(id: string): Signal<Message | null> {
    let message = this.known.get(id);
    if (!message) {
      message = signal<Message | null>(null);
      this.known.set(id, message);
      const [oldest] = this.known.keys();
      if (this.known.size > REMEMBERED && oldest) this.known.delete(oldest);
      this.rest.message(id).then(
        (read) => this.take(read),
        () => undefined,
      );
    }
    return message;
  }

  /** Lets go of all: their ids may be those of other messages. */
  forget(): void {
    this.known.clear();
  }

  private take(read: Message): void {
    const message = this.known.get(read.id);
    if (message) message.value = read;
  }
}
