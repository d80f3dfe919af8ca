import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Syncs } from "./syncs";
import type { ClientFrame } from "./types";

type Sync = Extract<ClientFrame, { t: "sync" }>;

let said: Sync[];
let lacking: Map<string, number>;
let givenUp: string[];
let syncs: Syncs;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  givenUp = [];
  lacking = new Map([
    ["conv_a", 3],
    ["conv_b", 7],
  ]);
  syncs = new Syncs({
    lacks: (id) => lacking.get(id) ?? null,
    say: (frame) => said.push(frame as Sync) > 0,
    giveUp: (id) => givenUp.push(id),
  });
});
afterEach(() => {
  syncs.end();
  vi.useRealTimers();
});

test("one question is under way at a time, however often it is wanted", () => {
  for (let entry = 0; entry < 100; entry += 1) syncs.want("conv_a");
  syncs.want("conv_b");
  expect(said).toMatchObject([{ conversation: "conv_a", after: 3, limit: 200 }]);
  lacking.set("conv_a", 9);
  syncs.heard("conv_a");
  expect(said.slice(1)).toMatchObject([{ conversation: "conv_a", after: 9, limit: 200 }]);
  lacking.delete("conv_a");
  syncs.heard("conv_a");
  expect(said.slice(2)).toMatchObject([{ conversation: "conv_b", after: 7, limit: 200 }]);
});

test("what each connection breaks on is asked for less, and in the end no more", async () => {
  for (let connection = 0; connection < 100; connection += 1) {
    // As after each hello: the list says that it lacks something.
    syncs.want("conv_a");
    syncs.lost();
    await vi.advanceTimersByTimeAsync(120_000);
  }
  const before = said.length;
  expect(said.map(({ limit }) => limit).slice(0, 5)).toEqual([200, 50, 12, 3, 1]);
  expect(before).toBeLessThanOrEqual(8);
  expect(givenUp).toEqual(["conv_a"]);
  // Others are not held up by it, and it begins anew once something else has brought it on.
  syncs.want("conv_b");
  expect(said.at(-1)).toMatchObject({ conversation: "conv_b", limit: 200 });
  lacking.delete("conv_b");
  syncs.heard("conv_b");
  lacking.set("conv_a", 50);
  syncs.want("conv_a");
  expect(said.at(-1)).toMatchObject({ conversation: "conv_a", after: 50, limit: 200 });
});

test.each(["heard", "refused", "silent"])("a question that is %s and brings nothing comes to an end", async (how) => {
  syncs.want("conv_a");
  for (let round = 0; round < 1_000; round += 1) {
    if (how === "heard") syncs.heard("conv_a");
    if (how === "refused") syncs.refused("conv_a");
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(said.length).toBe(6);
  expect(givenUp).toEqual(["conv_a"]);
});
