import { browserKeep, type Keep } from "./keep";

/** Milliseconds by which the device's two clocks part where something has happened: it slept, or one was set. */
const PARTED_MS = 2_000;
/** Milliseconds for which the server's word is waited for until the device's clock is taken for what it says. */
const UNANSWERED_MS = 10_000;
/** Milliseconds by which the device's clock has to be off anew to be kept. */
const KEPT_MS = 1_000;
const NAME = "kith.clock";

/** The device's clocks: one that may be set, and one that only goes on, but stands still while some devices sleep. */
export interface Clocks {
  wall(): number;
  steady(): number;
}

/**
 * The server's time, in milliseconds since 1970, whatever the device's clock says: it goes on from the server's last `pong`.
 * Before the first one it is the device's clock, put right by as much as it was wrong the last time.
 */
export class ServerClock {
  private readonly began: number;
  private word: { server: number; wall: number; steady: number } | null = null;
  /** Since when the device's clocks are apart without a word of the server. */
  private parted: number | null = null;
  private told = false;
  private off: number;

  constructor(
    private readonly clocks: Clocks,
    private readonly keep: Keep,
  ) {
    this.began = clocks.steady();
    this.off = Number(keep.get(NAME)) || 0;
  }

  /** The server says what time it is. */
  hear(at: string): void {
    const server = Date.parse(at);
    if (Number.isNaN(server)) return;
    const [wall, steady] = [this.clocks.wall(), this.clocks.steady()];
    this.word = { server, wall, steady };
    this.parted = null;
    this.told = false;
    if (Math.abs(server - wall - this.off) < KEPT_MS) return;
    this.off = server - wall;
    this.keep.set(NAME, String(this.off));
  }

  now(): number {
    if (!this.word) return this.clocks.wall() + this.off;
    const { server, steady } = this.word;
    const [passed, ahead] = [this.clocks.steady() - steady, this.look()];
    // Nobody has contradicted it: it was a sleep.
    return server + passed + (ahead > 0 && this.isSettled ? ahead : 0);
  }

  /** Whether that may be relied on: the server has said it, or does not say anything. */
  get isSettled(): boolean {
    this.look();
    const since = this.word ? this.parted : this.began;
    return since === null || this.clocks.steady() - since >= UNANSWERED_MS;
  }

  /** Whether the server is to be asked, once each time that the device's clocks have parted. */
  get asks(): boolean {
    this.look();
    if (this.parted === null || this.told) return false;
    this.told = true;
    return true;
  }

  /** By how much the clock that may be set is ahead of the other one since the server's last word. */
  private look(): number {
    if (!this.word) return 0;
    const steady = this.clocks.steady();
    const ahead = this.clocks.wall() - this.word.wall - (steady - this.word.steady);
    if (Math.abs(ahead) >= PARTED_MS) this.parted ??= steady;
    else this.parted = null;
    return this.parted === null ? 0 : ahead;
  }
}

/** The one of this page. */
export const serverClock = new ServerClock({ wall: () => Date.now(), steady: () => performance.now() }, browserKeep());

/** The server's time, in milliseconds since 1970. */
export function now(): number {
  return serverClock.now();
}

/** When an entry was taken: its true time, where the server had to hold the other. */
export function timeOf({ at, true_at }: { at: string; true_at?: string | null }): string {
  return true_at ?? at;
}
