import { computed, signal } from "@preact/signals";
import { BackOff } from "./backoff";
import { Conversation } from "./conversation";
import { timeOf } from "./now";
import { Refused, type Rest } from "./rest";
import { firstOver, KEPT_MESSAGES, type KeptList, type Shelf } from "./shelf";
import type { ConversationItem, DamagedConversation } from "./types";

/** How long changes are gathered before they are kept, in milliseconds. */
const KEEP_MS = 1_000;
/** The first and the longest wait before the list is read again that could not be, in milliseconds, and how often it is. */
const LIST_AGAIN_MS = 500;
const LIST_AGAIN_AT_MOST_MS = 60_000;
const LIST_TRIES = 10;

/** What the list needs of the device. */
export interface ListingEvents {
  /** Whether there is a connection: without one the next brings the list. */
  online(): boolean;
  /** A log has become shorter: a backup was restored. */
  rewound(conversation: Conversation, head: number): void;
  /** The whole list was read and taken. */
  taken(): Promise<void>;
}

/** The conversations of this user, as the server lists them and as the device keeps them. */
export class Listing {
  readonly conversations = signal(new Map<string, Conversation>());
  /** Those that the server cannot read: nothing of them can be asked for. */
  readonly damaged = signal<DamagedConversation[]>([]);
  /** Whether the list has come once. */
  readonly listed = signal(false);
  /** Of which instance of the server's data all this is; null before a server said it. */
  readonly instance = signal<string | null>(null);
  /** Newest activity first, what is pinned before the rest. */
  readonly list = computed(() => {
    const all = [...this.conversations.value.values()];
    const activity = (conversation: Conversation) => timeOf(conversation.item.value.last);
    return all.sort((a, b) => {
      const pinned = Number(b.item.value.pinned) - Number(a.item.value.pinned);
      return pinned || (activity(a) < activity(b) ? 1 : -1);
    });
  });
  private readonly again = new BackOff(LIST_AGAIN_MS, LIST_AGAIN_AT_MOST_MS, LIST_TRIES);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unkept = new Set<Conversation>();
  private keepTimer: ReturnType<typeof setTimeout> | undefined;
  /** When something of what is kept disappears, in milliseconds since 1970; at the beginning it may long have. */
  private keptUntil = 0;

  constructor(
    private readonly rest: Rest,
    private readonly shelf: Shelf,
    private readonly events: ListingEvents,
  ) {}

  end(): void {
    clearTimeout(this.timer);
    clearTimeout(this.keepTimer);
  }

  get(id: string): Conversation | undefined {
    return this.conversations.value.get(id);
  }

  /** Takes the list as the device has kept it. */
  recall({ items, instance }: KeptList): void {
    this.instance.value = instance;
    if (items.length === 0) return;
    this.conversations.value = new Map(items.map((item) => [item.id, new Conversation(item)]));
    this.listed.value = true;
  }

  /** Lets go of the history that is kept, and of what was to be. */
  dropKept(): void {
    clearTimeout(this.keepTimer);
    this.keepTimer = undefined;
    this.unkept.clear();
    void this.shelf.dropHistory();
  }

  /** Takes away what has disappeared at `time` of what is kept. */
  expireKept(time: number): void {
    if (time < this.keptUntil) return;
    this.keptUntil = Number.POSITIVE_INFINITY;
    void this.shelf.expire(time).then((next) => (this.keptUntil = Math.min(this.keptUntil, next)));
  }

  /** There is a connection: reads the list at once. */
  wake(): void {
    this.again.reset();
    this.readPatiently();
  }

  /** Has a conversation kept, soon. */
  keepSoon(conversation: Conversation): void {
    this.unkept.add(conversation);
    this.keepTimer ??= setTimeout(() => {
      this.keepTimer = undefined;
      const instance = this.instance.value;
      void this.shelf.putList({ items: [...this.conversations.value.values()].map(({ item }) => item.value), instance });
      for (const { id, thread, opened } of this.unkept) {
        if (!opened || !thread.atEnd) continue;
        const messages = thread.messages.slice(-KEPT_MESSAGES);
        const atStart = thread.atStart && messages.length === thread.messages.length;
        this.keptUntil = Math.min(this.keptUntil, firstOver(messages));
        void this.shelf.putWindow({ id, messages, folded: thread.folded, atStart, instance });
      }
      this.unkept.clear();
    }, KEEP_MS);
  }

  /** Reads the list again, soon: many reasons at once are one reading. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.readPatiently(), this.again.wait + 50 + Math.random() * 200);
  }

  /** Reads the list; where that fails, again later each time, until it is no use or there is another connection. */
  private readPatiently(): void {
    this.read().then(
      () => this.again.reset(),
      (error: unknown) => {
        const never = error instanceof Refused && !error.problem.retryable;
        if (this.again.fail() !== null && !never && this.events.online()) this.soon();
      },
    );
  }

  /** Reads the list. */
  async read(): Promise<void> {
    const heads = new Map([...this.conversations.value].map(([id, { item }]) => [id, item.value.head]));
    const instance = this.instance.value;
    const items: ConversationItem[] = [];
    const damaged: DamagedConversation[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.rest.conversations(cursor);
      // Since then it is read anew.
      if (instance !== this.instance.value) return;
      items.push(...page.items);
      damaged.push(...(page.damaged ?? []));
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    const known = this.conversations.value;
    this.conversations.value = new Map(
      items.map((item) => {
        const conversation = known.get(item.id);
        // A log never gets shorter, but where a backup was restored.
        if (conversation && item.head < (heads.get(item.id) ?? 0)) this.events.rewound(conversation, item.head);
        conversation?.take(item);
        return [item.id, conversation ?? new Conversation(item)];
      }),
    );
    this.damaged.value = damaged;
    this.listed.value = true;
    await this.events.taken();
  }
}
