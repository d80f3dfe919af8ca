import { isOver } from "./thread";
import type { ConversationItem, Message, Profile } from "./types";

/** Messages of each conversation that are kept. */
export const KEPT_MESSAGES = 200;

/** The end of a conversation's history as it was last known: messages without a hole, folded up to a seq. */
export interface KeptWindow {
  id: string;
  messages: Message[];
  folded: number;
  atStart: boolean;
  /** Whose seqs these are; null where no server said it. */
  instance: string | null;
}

/** The list of conversations as it was last known, and of which instance that is. */
export interface KeptList {
  items: ConversationItem[];
  instance: string | null;
}

/** What a device keeps so that it opens without a network: conversations, the end of each, and who the people are. */
export interface Shelf {
  list(): Promise<KeptList>;
  putList(list: KeptList): Promise<void>;
  window(id: string): Promise<KeptWindow | null>;
  putWindow(window: KeptWindow): Promise<void>;
  dropWindow(id: string): Promise<void>;
  /** Forgets the list and all windows. */
  dropHistory(): Promise<void>;
  /** Forgets what has disappeared at `now`; when the next does, in milliseconds since 1970. */
  expire(now: number): Promise<number>;
  people(): Promise<Profile[]>;
  putPerson(person: Profile): Promise<void>;
  /** The bytes of an attachment that is not sent yet. */
  blob(id: string): Promise<Blob | null>;
  putBlob(id: string, blob: Blob): Promise<void>;
  /** Forgets the bytes of those of which this is said. */
  dropBlobs(past: (id: string) => boolean): Promise<void>;
  clear(): Promise<void>;
}

/** One that keeps nothing: for tests, and where a browser has no database. */
export const noShelf: Shelf = {
  list: async () => ({ items: [], instance: null }),
  putList: async () => undefined,
  window: async () => null,
  putWindow: async () => undefined,
  dropWindow: async () => undefined,
  dropHistory: async () => undefined,
  expire: async () => Number.POSITIVE_INFINITY,
  people: async () => [],
  putPerson: async () => undefined,
  blob: async () => null,
  putBlob: async () => undefined,
  dropBlobs: async () => undefined,
  clear: async () => undefined,
};

/** When the first of these messages disappears, in milliseconds since 1970. */
export function firstOver(messages: Message[]): number {
  return messages.reduce((first, { expires_at }) => (expires_at ? Math.min(first, Date.parse(expires_at)) : first), Number.POSITIVE_INFINITY);
}

const STORES = ["items", "windows", "people", "blobs"] as const;
type Store = (typeof STORES)[number];

/** A conversation of the list as it is kept; an older client did not keep the instance. */
type KeptItem = ConversationItem & { instance?: string | null };

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Keeps in the browser's IndexedDB. What it cannot keep it does without: everything is on the server. */
export function browserShelf(): Shelf {
  if (!("indexedDB" in globalThis)) return noShelf;
  let opened: Promise<IDBDatabase> | null = null;
  function open(): Promise<IDBDatabase> {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("kith", 2);
      request.onupgradeneeded = () => {
        const { result } = request;
        for (const store of STORES) if (!result.objectStoreNames.contains(store)) result.createObjectStore(store, { keyPath: "id" });
      };
      request.onsuccess = () => {
        const { result } = request;
        // A newer page in another tab wants to change it.
        result.onversionchange = () => {
          result.close();
          opened = null;
        };
        resolve(result);
      };
      request.onerror = () => reject(request.error);
    });
    return opened;
  }
  async function within<T>(store: Store, mode: IDBTransactionMode, otherwise: T, what: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      return await what((await open()).transaction(store, mode).objectStore(store));
    } catch {
      return otherwise;
    }
  }
  async function clear(...stores: Store[]): Promise<void> {
    for (const store of stores) {
      await within(store, "readwrite", undefined, async (rows) => {
        await settled(rows.clear());
      });
    }
  }
  const put = (store: Store, value: object) =>
    within(store, "readwrite", undefined, async (rows) => {
      await settled(rows.put(value));
    });
  return {
    list: () =>
      within("items", "readonly", { items: [], instance: null }, async (rows) => {
        const kept = await settled(rows.getAll() as IDBRequest<KeptItem[]>);
        return { items: kept.map(({ instance: _, ...item }) => item as ConversationItem), instance: kept[0]?.instance ?? null };
      }),
    putList: ({ items, instance }) =>
      within("items", "readwrite", undefined, async (rows) => {
        await settled(rows.clear());
        await Promise.all(items.map((item) => settled(rows.put({ ...item, instance }))));
      }),
    window: (id) => within("windows", "readonly", null, async (rows) => (await settled(rows.get(id) as IDBRequest<KeptWindow | undefined>)) ?? null),
    putWindow: (window) => put("windows", window),
    dropWindow: (id) =>
      within("windows", "readwrite", undefined, async (rows) => {
        await settled(rows.delete(id));
      }),
    dropHistory: () => clear("items", "windows"),
    expire: (now) =>
      within("windows", "readwrite", Number.POSITIVE_INFINITY, async (rows) => {
        let next = Number.POSITIVE_INFINITY;
        for (const window of await settled(rows.getAll() as IDBRequest<KeptWindow[]>)) {
          const messages = window.messages.filter((message) => !isOver(message, now));
          if (messages.length < window.messages.length) await settled(rows.put({ ...window, messages }));
          next = Math.min(next, firstOver(messages));
        }
        return next;
      }),
    people: () => within("people", "readonly", [], (rows) => settled(rows.getAll() as IDBRequest<Profile[]>)),
    putPerson: (person) => put("people", person),
    blob: (id) => within("blobs", "readonly", null, async (rows) => (await settled(rows.get(id) as IDBRequest<{ blob: Blob } | undefined>))?.blob ?? null),
    putBlob: (id, blob) => put("blobs", { id, blob }),
    dropBlobs: (past) =>
      within("blobs", "readwrite", undefined, async (rows) => {
        const ids = await settled(rows.getAllKeys());
        await Promise.all(ids.filter((id) => past(String(id))).map((id) => settled(rows.delete(id))));
      }),
    clear: () => clear(...STORES),
  };
}
