/** The waits between repeats of what fails, which double up to a bound, and the end of them after some. */
export class BackOff {
  private failures = 0;
  private until = 0;

  constructor(
    private readonly firstMs: number,
    private readonly atMostMs: number,
    private readonly tries: number,
  ) {}

  /** It failed; in how many milliseconds it may be tried again, or null where it has been tried often enough. */
  fail(): number | null {
    const wait = Math.min(this.firstMs * 2 ** this.failures, this.atMostMs);
    this.failures += 1;
    this.until = Date.now() + wait;
    return this.isOver ? null : wait;
  }

  /** It worked, or something has changed that may let it work. */
  reset(): void {
    this.failures = 0;
    this.until = 0;
  }

  get failed(): number {
    return this.failures;
  }

  get isOver(): boolean {
    return this.failures >= this.tries;
  }

  /** In how many milliseconds it may be tried again. */
  get wait(): number {
    return Math.max(this.until - Date.now(), 0);
  }
}
