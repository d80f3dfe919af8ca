import { expect, test } from "vitest";
import { forgetful } from "./keep";
import { ServerClock, timeOf } from "./now";

const DAY_MS = 86_400_000;
const NOON = Date.parse("2026-11-28T12:00:00.000Z");

/** A device: its clock may be off, and it may sleep. */
function device(offMs = 0, keep = forgetful()) {
  const world = { time: NOON, off: offMs, slept: 0 };
  const clocks = { wall: () => world.time + world.off, steady: () => world.time - NOON - world.slept };
  const clock = new ServerClock(clocks, keep);
  const pong = () => clock.hear(new Date(world.time).toISOString());
  return { world, clock, keep, pong };
}

test("the server's time goes on from its last word, whatever the device's clock says and is set to", () => {
  for (const off of [0, 3 * DAY_MS, -3 * DAY_MS]) {
    const { world, clock, pong } = device(off);
    pong();
    world.time += 60_000;
    expect(clock.now()).toBe(world.time);
    world.off = -off + DAY_MS / 2;
    expect(clock.now()).toBe(world.time);
    expect(clock.isSettled).toBe(false);
    expect([clock.asks, clock.asks]).toEqual([true, false]);
    pong();
    expect(clock.isSettled).toBe(true);
    expect(clock.now()).toBe(world.time);
    expect(clock.asks).toBe(false);
  }
});

test("before the first word it is the device's clock, put right by what was known of it, and relied on when none comes", () => {
  const before = device(2 * DAY_MS);
  expect(before.clock.now()).toBe(NOON + 2 * DAY_MS);
  before.pong();
  const { world, clock } = device(2 * DAY_MS, before.keep);
  expect(clock.now()).toBe(NOON);
  expect(clock.isSettled).toBe(false);
  world.time += 10_000;
  expect(clock.isSettled).toBe(true);
});

test("a sleep is counted once no server contradicts it", () => {
  const { world, clock, pong } = device();
  pong();
  world.time += DAY_MS;
  world.slept += DAY_MS;
  expect(clock.asks).toBe(true);
  expect(clock.isSettled).toBe(false);
  world.time += 10_000;
  expect(clock.now()).toBe(world.time);
  expect(clock.isSettled).toBe(true);
});

test("a clock that was set back puts nothing back", () => {
  const { world, clock, pong } = device();
  pong();
  world.off = -DAY_MS;
  world.time += 60_000;
  clock.now();
  world.time += 60_000;
  expect(clock.now()).toBe(world.time);
});

test("an entry whose time was held shows the true one", () => {
  expect(timeOf({ at: "2026-12-28T12:00:00.000Z", true_at: "2026-11-28T12:00:00.000Z" })).toBe("2026-11-28T12:00:00.000Z");
  expect(timeOf({ at: "2026-12-28T12:00:00.000Z" })).toBe("2026-12-28T12:00:00.000Z");
});
