import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Events, Socket, type Standing } from "./socket";
import type { ClientFrame, ServerFrame } from "./types";

/** The browser's end of a connection whose other end is the test. */
class Wire {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  said: ClientFrame[] = [];
  closed = false;

  send(text: string) {
    this.said.push(JSON.parse(text) as ClientFrame);
  }
  close() {
    this.closed = true;
  }
  hear(frame: ServerFrame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  greet() {
    this.onopen?.();
    this.hear({ t: "ready", user: "user_a", device: "device_a", node: "n", heartbeat_ms: 10_000, degraded: [] });
  }
}

let wires: Wire[];
let standings: Standing[];
let signedOut: number;
let socket: Socket;

function last(): Wire {
  return wires.at(-1) as Wire;
}

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  standings = [];
  signedOut = 0;
  const events: Events = {
    frame: () => undefined,
    standing: (standing) => standings.push(standing),
    signedOut: () => (signedOut += 1),
    have: () => [["conv_a", 7]],
    active: () => true,
  };
  const open = () => {
    wires.push(new Wire());
    return last() as unknown as WebSocket;
  };
  socket = new Socket("ws://kith/v1/socket", "token", events, { open, random: () => 0.5 });
  socket.connect();
});
afterEach(() => vi.useRealTimers());

test("it says hello with what it has", () => {
  last().greet();
  expect(last().said[0]).toMatchObject({ t: "hello", token: "token", have: [["conv_a", 7]] });
  expect(standings).toEqual(["connecting", "online"]);
});

test("nothing is said while it is not online", () => {
  expect(socket.send({ t: "typing", conversation: "conv_a" })).toBe(false);
  last().greet();
  expect(socket.send({ t: "typing", conversation: "conv_a" })).toBe(true);
});

test("the first ping comes in the middle of a heartbeat here, then one each", () => {
  last().greet();
  vi.advanceTimersByTime(5_000);
  expect(last().said.filter(({ t }) => t === "ping").length).toBe(1);
  for (let beat = 0; beat < 3; beat += 1) {
    vi.advanceTimersByTime(9_999);
    last().hear({ t: "pong", at: "2026-01-01T00:00:00.000Z" });
    vi.advanceTimersByTime(1);
  }
  expect(last().said.filter(({ t }) => t === "ping").length).toBe(4);
});

test("who says much and hears nothing asks whether somebody is there", () => {
  last().greet();
  for (let second = 0; second < 120; second += 1) {
    socket.send({ t: "read", conversation: "conv_a", seq: second });
    const before = last().said.length;
    vi.advanceTimersByTime(1_000);
    if (last().said.slice(before).some(({ t }) => t === "ping")) last().hear({ t: "pong", at: "2026-01-01T00:00:00.000Z" });
  }
  expect(wires.length).toBe(1);
});

test("a server that is not heard any more is left, and another connection tried", () => {
  last().greet();
  vi.advanceTimersByTime(60_000);
  expect(wires[0]?.closed).toBe(true);
  expect(wires.length).toBeGreaterThan(1);
});

test("the waits grow, to a bound, and begin anew after a success", () => {
  const waits: number[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const before = Date.now();
    last().onclose?.({ code: 1006 });
    const count = wires.length;
    while (wires.length === count) vi.advanceTimersByTime(25);
    waits.push(Date.now() - before);
  }
  expect(waits.slice(1).every((wait, index) => wait >= (waits[index] ?? 0))).toBe(true);
  expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  last().greet();
  vi.advanceTimersByTime(5_000);
  last().onclose?.({ code: 4000 });
  const count = wires.length;
  vi.advanceTimersByTime(500);
  expect(wires.length).toBe(count + 1);
});

test("a server that closes each connection soon is not connected to at every moment", () => {
  const begun = Date.now();
  while (Date.now() - begun < 600_000) {
    last().greet();
    last().onclose?.({ code: 4103 });
    const count = wires.length;
    while (wires.length === count) vi.advanceTimersByTime(100);
  }
  // In ten minutes.
  expect(wires.length).toBeLessThan(40);
});

test("a node that drains is come back to in its window", () => {
  last().greet();
  last().hear({ t: "goaway", reconnect_after_ms: 1_000, spread_ms: 4_000 });
  last().onclose?.({ code: 4101 });
  vi.advanceTimersByTime(2_999);
  expect(wires.length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(wires.length).toBe(2);
});

test("a reset is answered with what it has, within its time", () => {
  last().greet();
  last().hear({ t: "reset", spread_ms: 2_000 });
  vi.advanceTimersByTime(1_000);
  expect(last().said.at(-1)).toMatchObject({ t: "hello", have: [["conv_a", 7]] });
  expect(last().said.at(-1)).not.toHaveProperty("token");
});

test.each([4004, 4100])("%i is the end", (code) => {
  last().greet();
  last().onclose?.({ code });
  vi.advanceTimersByTime(120_000);
  expect([wires.length, signedOut, standings.at(-1)]).toEqual([1, 1, "ended"]);
});
