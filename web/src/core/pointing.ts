import type { ClientFrame } from "./types";

/** How long pointers are gathered before they are told, in milliseconds. */
const GATHER_MS = 200;
/** Conversations whose pointers are told together. */
const TOGETHER = 5;

/** Tells up to where this device has got and read, gathered, so that a burst of entries is one frame for each conversation. */
export class Pointing {
  private readonly due = new Map<string, { delivered?: number; read?: number }>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly say: (frame: ClientFrame) => void) {}

  tell(conversation: string, pointer: { delivered?: number; read?: number }): void {
    this.due.set(conversation, { ...this.due.get(conversation), ...pointer });
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      for (const [id, { delivered, read }] of [...this.due].slice(0, TOGETHER)) {
        this.due.delete(id);
        if (read !== undefined) this.say({ t: "read", conversation: id, seq: read });
        if (delivered !== undefined && delivered > (read ?? 0)) this.say({ t: "delivered", conversation: id, seq: delivered });
      }
      const [rest] = this.due;
      if (rest) this.tell(rest[0], {});
    }, GATHER_MS);
  }

  /** Lets go of what is not told yet: the seqs have lost their meaning. */
  forget(): void {
    this.due.clear();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
