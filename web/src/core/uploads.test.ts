import { expect, test } from "vitest";
import { forgetful, type Keep } from "./keep";
import { isLoading, Outbox } from "./outbox";
import { Refused, Unreachable } from "./rest";
import { noShelf, type Shelf } from "./shelf";
import type { Media, Problem } from "./types";
import type { Sending, Uploader } from "./upload";
import { Uploads } from "./uploads";
import { uuidv7 } from "./uuid";

const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

/** A shelf that keeps bytes in memory. */
function blobShelf(): Shelf & { kept: Map<string, Blob> } {
  const kept = new Map<string, Blob>();
  return {
    ...noShelf,
    kept,
    blob: async (id) => kept.get(id) ?? null,
    putBlob: async (id, blob) => void kept.set(id, blob),
    dropBlobs: async (past) => {
      for (const id of kept.keys()) if (past(id)) kept.delete(id);
    },
  };
}

/** A server whose answers the test gives. */
class Hand implements Uploader {
  readonly sendings: (Sending & { answer: (media: Media | Error) => void })[] = [];
  readonly forgotten: string[] = [];
  send(sending: Sending): Promise<Media> {
    return new Promise((resolve, reject) => {
      sending.signal.addEventListener("abort", () => reject(sending.signal.reason));
      this.sendings.push({ ...sending, answer: (answer) => (answer instanceof Error ? reject(answer) : resolve(answer)) });
    });
  }
  async forget(upload: string): Promise<void> {
    this.forgotten.push(upload);
  }
}

/** Tabs that take turns, as locks do. */
function turns() {
  const lines = new Map<string, Promise<void>>();
  return {
    alone(work: string, signal: AbortSignal, does: () => Promise<void>): Promise<void> {
      const mine = (lines.get(work) ?? Promise.resolve()).then(() => (signal.aborted ? undefined : does()));
      lines.set(work, mine);
      return mine;
    },
  };
}

const media = (id: string): Media => ({ id, content_type: "text/plain", size: 3, sha256: "" });

function tab(keep: Keep, shelf: Shelf, tabs = turns()) {
  const hand = new Hand();
  const outbox = new Outbox(keep);
  const ready: string[] = [];
  const uploads = new Uploads(outbox, shelf, tabs, hand, () => ready.push(...[...outbox.due()].map(({ message }) => message.client_id)));
  const put = (...texts: string[]): string => {
    const client_id = uuidv7();
    const files = texts.map((text) => ({ blob: new Blob([text], { type: "text/plain" }), name: "a.txt" }));
    uploads.put({ conversation: "conv_a", message: { client_id }, at: 0, refused: null }, files);
    return client_id;
  };
  return { hand, outbox, uploads, ready, put };
}

test("a message is ready when all that it shows is there, and its bytes are forgotten when it is sent", async () => {
  const shelf = blobShelf();
  const { hand, outbox, ready, put } = tab(forgetful(), shelf);
  const id = put("one", "two");
  await settle();
  expect(shelf.kept.size).toBe(2);
  expect(hand.sendings.length).toBe(1);
  hand.sendings[0]?.answer(media("media_1"));
  await settle();
  expect(ready).toEqual([]);
  hand.sendings[1]?.answer(media("media_2"));
  await settle();
  expect(ready).toEqual([id]);
  expect(outbox.get(id)?.attachments?.map(({ media }) => media?.id)).toEqual(["media_1", "media_2"]);
  outbox.acknowledge(id);
  await settle();
  expect(shelf.kept.size).toBe(0);
});

test("after a reload it goes on where it was", async () => {
  const [keep, shelf] = [forgetful(), blobShelf()];
  const before = tab(keep, shelf);
  const id = before.put("one", "two");
  await settle();
  before.hand.sendings[0]?.answer(media("media_1"));
  await settle();
  before.hand.sendings[1]?.begun("/v1/uploads/upload_b");
  before.uploads.end();
  const after = tab(keep, shelf);
  await settle();
  expect(after.hand.sendings.map(({ upload }) => upload)).toEqual(["/v1/uploads/upload_b"]);
  expect(await after.hand.sendings[0]?.blob.text()).toBe("two");
  after.hand.sendings[0]?.answer(media("media_2"));
  await settle();
  expect(after.ready).toEqual([id]);
  expect(before.hand.forgotten).toEqual([]);
});

test("what a network took away is tried again when it is back", async () => {
  const { hand, uploads, ready, put } = tab(forgetful(), blobShelf());
  const id = put("one");
  await settle();
  hand.sendings[0]?.answer(new Unreachable(""));
  await settle();
  expect(hand.sendings.length).toBe(1);
  uploads.wake();
  await settle();
  expect(hand.sendings.map(({ again }) => again)).toEqual([false, true]);
  hand.sendings[1]?.answer(media("media_1"));
  await settle();
  expect(ready).toEqual([id]);
});

test("what the server refuses waits for the person", async () => {
  const { hand, outbox, put } = tab(forgetful(), blobShelf());
  const id = put("one");
  await settle();
  hand.sendings[0]?.answer(new Refused({ code: "quota_exceeded", retryable: false, title: "" } as Problem));
  await settle();
  expect(outbox.get(id)?.refused).toBe("quota_exceeded");
  outbox.retry(id);
  await settle();
  expect(hand.sendings.length).toBe(2);
});

test("bytes for which the server has no room are tried a few times", async () => {
  const { hand, outbox, uploads, put } = tab(forgetful(), blobShelf());
  const id = put("one");
  for (let tries = 1; tries <= 3; tries += 1) {
    await settle();
    expect(hand.sendings.length).toBe(tries);
    hand.sendings[tries - 1]?.answer(new Refused({ code: "storage_full", retryable: true, title: "" } as Problem));
    await settle();
    uploads.wake();
  }
  await settle();
  expect(hand.sendings.length).toBe(3);
  expect(outbox.get(id)?.refused).toBe("storage_full");
});

test("what is taken back is ended, and forgotten on both sides", async () => {
  const shelf = blobShelf();
  const { hand, outbox, put } = tab(forgetful(), shelf);
  const id = put("one");
  await settle();
  hand.sendings[0]?.begun("/v1/uploads/upload_a");
  outbox.drop(id);
  await settle();
  expect(hand.sendings[0]?.signal.aborted).toBe(true);
  expect(hand.forgotten).toEqual(["/v1/uploads/upload_a"]);
  expect(shelf.kept.size).toBe(0);
});

test("bytes that are not here any more are said to be lost", async () => {
  const keep = forgetful();
  const before = tab(keep, noShelf);
  const id = before.put("one");
  before.uploads.end();
  const after = tab(keep, noShelf);
  await settle();
  expect(after.outbox.get(id)?.refused).toBe("lost");
});

test("of two tabs one sends, and the other goes on when it is gone", async () => {
  const [keep, shelf, tabs] = [forgetful(), blobShelf(), turns()];
  const first = tab(keep, shelf, tabs);
  const id = first.put("one");
  await settle();
  const second = tab(keep, shelf, tabs);
  await settle();
  expect([first.hand.sendings.length, second.hand.sendings.length]).toEqual([1, 0]);
  first.uploads.end();
  await settle();
  expect(second.hand.sendings.length).toBe(1);
  second.hand.sendings[0]?.answer(media("media_1"));
  await settle();
  expect(second.ready).toEqual([id]);
  expect(isLoading(second.outbox.get(id) as never)).toBe(false);
});

test("two are under way at a time", async () => {
  const { hand, put } = tab(forgetful(), blobShelf());
  const ids = [put("one"), put("two"), put("three")];
  await settle();
  expect(hand.sendings.length).toBe(2);
  hand.sendings[0]?.answer(media("media_1"));
  await settle();
  expect(hand.sendings.length).toBe(3);
  expect(ids.length).toBe(3);
});
