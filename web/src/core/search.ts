import { signal } from "@preact/signals";
import type { Rest } from "./rest";
import type { Highlight, Message, Page, Profile } from "./types";

/** How long typing must rest before the server is asked, in milliseconds. */
const REST_MS = 250;
/** Messages of a page of results. */
const PAGE = 30;
/** Pages without a message that are read in a row before the person is asked. */
const EMPTY_PAGES = 5;
/** UTF-16 units of a text that are shown before what was found, and in all. */
const LEAD = 30;
const LONGEST = 200;

/** A message that was found, and where in its text. */
export interface Hit {
  message: Message;
  highlights: Highlight[];
}

/** A part of a text: what was looked for, or what stands around it. */
export interface Piece {
  text: string;
  found: boolean;
}

/** `waiting`: for an answer. `found`: here is what there is so far. */
export type Searching = "idle" | "waiting" | "found" | "failed";

/** What a person looks for, and what was found of it: an answer that comes late is not shown under other words. */
export class Search {
  readonly words = signal("");
  /** The only conversation to look in. */
  readonly within = signal<string | null>(null);
  /** Whether what mentions the person is looked for, and not words. */
  readonly mentions = signal(false);
  readonly hits = signal<Hit[]>([]);
  readonly people = signal<Profile[]>([]);
  readonly state = signal<Searching>("idle");
  /** Whether there may be more. */
  readonly more = signal(false);
  private cursor: string | undefined;
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rest: Pick<Rest, "search" | "people" | "mentioning">) {}

  /** Whether there is something to show instead of the list. */
  get on(): boolean {
    return this.words.value.trim() !== "" || this.within.value !== null || this.mentions.value;
  }

  /** Looks for these words, soon. */
  look(words: string, within: string | null = this.within.value): void {
    this.mentions.value = false;
    this.words.value = words;
    this.within.value = within;
    this.forget();
    if (!words.trim()) return;
    this.state.value = "waiting";
    this.timer = setTimeout(() => this.again(), REST_MS);
  }

  /** Looks for what mentions the person. */
  lookForMentions(): void {
    this.clear();
    this.mentions.value = true;
    this.again();
  }

  /** Asks, or asks once more. */
  again(): void {
    this.forget();
    void this.read();
    const name = this.words.value.trim().toLowerCase().replace(/^@/, "");
    if (this.mentions.value || this.within.value || !name) return;
    const { turn } = this;
    this.rest.people(name).then(
      ({ items }) => {
        if (turn === this.turn) this.people.value = items;
      },
      () => undefined,
    );
  }

  /** Reads the next page. */
  async read(): Promise<void> {
    const { turn } = this;
    this.state.value = "waiting";
    try {
      for (let pages = 0; pages < EMPTY_PAGES; pages += 1) {
        const page = await this.page();
        if (turn !== this.turn) return;
        this.cursor = page.next_cursor ?? undefined;
        this.more.value = this.cursor !== undefined;
        this.hits.value = [...this.hits.value, ...page.items];
        if (page.items.length > 0 || !this.cursor) break;
      }
      this.state.value = "found";
    } catch {
      if (turn === this.turn) this.state.value = "failed";
    }
  }

  clear(): void {
    this.words.value = "";
    this.within.value = null;
    this.mentions.value = false;
    this.forget();
  }

  private async page(): Promise<Page<Hit>> {
    if (!this.mentions.value) return this.rest.search(this.words.value.trim(), this.within.value, PAGE, this.cursor);
    const { items, next_cursor } = await this.rest.mentioning(PAGE, this.cursor);
    return { items: items.map((message) => ({ message, highlights: [] })), next_cursor };
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.turn += 1;
    this.cursor = undefined;
    this.hits.value = [];
    this.people.value = [];
    this.more.value = false;
    this.state.value = "idle";
  }
}

/** A text in pieces, from shortly before what was found in it. */
export function excerpt(text: string, highlights: Highlight[]): Piece[] {
  const first = highlights[0]?.start ?? 0;
  let from = 0;
  if (first > LEAD) {
    const gap = text.slice(first - LEAD, first).search(/\s/);
    from = whole(text, gap < 0 ? first - LEAD : first - LEAD + gap + 1);
  }
  const to = whole(text, Math.max(from + LONGEST, highlights[0]?.end ?? 0));
  const pieces: Piece[] = [];
  const put = (start: number, end: number, found: boolean) => {
    if (start < end) pieces.push({ text: text.slice(start, end), found });
  };
  let at = from;
  for (const { start, end } of highlights) {
    if (end > to) break;
    put(at, start, false);
    put(start, end, true);
    at = end;
  }
  put(at, to, false);
  if (from > 0) pieces.unshift({ text: "…", found: false });
  if (to < text.length) pieces.push({ text: "…", found: false });
  return pieces;
}

/** The place, or the one before it where a character of two units would be cut. */
function whole(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : Math.min(at, text.length);
}
