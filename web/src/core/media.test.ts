import { afterEach, expect, test, vi } from "vitest";
import { kindOf, Urls } from "./media";
import { Refused, Unreachable } from "./rest";
import type { MediaUrl, Problem } from "./types";

afterEach(() => void vi.useRealTimers());

const HOUR_MS = 3_600_000;
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** A server that signs urls, at a time that the test tells. */
function signing() {
  const world = { now: 0, asked: [] as string[], error: null as Error | null };
  const mediaUrl = async (media: string): Promise<MediaUrl> => {
    world.asked.push(media);
    if (world.error) throw world.error;
    return { url: `/v1/media/${media}?${world.asked.length}`, expires_at: new Date(world.now + HOUR_MS).toISOString() };
  };
  return { world, urls: new Urls({ mediaUrl }, () => world.now) };
}

test("a url is asked for once, and again shortly before it ends", async () => {
  const { world, urls } = signing();
  const url = urls.of("media_a");
  urls.of("media_a");
  await settle();
  expect(url.value?.url).toBe("/v1/media/media_a?1");
  world.now = HOUR_MS - 6 * 60_000;
  urls.of("media_a");
  expect(world.asked.length).toBe(1);
  world.now = HOUR_MS - 4 * 60_000;
  urls.of("media_a");
  await settle();
  expect(url.value?.url).toBe("/v1/media/media_a?2");
});

test("a clock that is wrong does not make it ask without end", async () => {
  const { world, urls } = signing();
  urls.of("media_a");
  await settle();
  const ahead = new Urls({ mediaUrl: async () => ({ url: "/", expires_at: new Date(0).toISOString() }) }, () => world.now);
  world.now = 10 * HOUR_MS;
  const url = ahead.of("media_b");
  await settle();
  const first = url.value;
  ahead.of("media_b");
  await settle();
  expect(url.value).toBe(first);
});

test("four are asked for at a time, and all come", async () => {
  const { world, urls } = signing();
  const all = Array.from({ length: 9 }, (_, n) => urls.of(`media_${n}`));
  expect(world.asked.length).toBe(4);
  await settle();
  expect(all.every((url) => url.value)).toBe(true);
});

test("what was not told for want of a network is asked for when it is back, what is gone is not", async () => {
  const { world, urls } = signing();
  world.error = new Unreachable("");
  const url = urls.of("media_a");
  await settle();
  world.error = new Refused({ code: "not_found", retryable: false, title: "" } as Problem);
  urls.of("media_b");
  await settle();
  world.error = null;
  urls.of("media_a");
  expect(world.asked).toEqual(["media_a", "media_b"]);
  urls.again();
  await settle();
  expect(url.value).not.toBe(null);
  expect(world.asked).toEqual(["media_a", "media_b", "media_a"]);
});

test("who is refused for now asks again by itself", async () => {
  vi.useFakeTimers();
  const { world, urls } = signing();
  world.error = new Refused({ code: "rate_limited", retryable: true, title: "" } as Problem);
  const url = urls.of("media_a");
  await vi.advanceTimersByTimeAsync(1);
  world.error = null;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(url.value).not.toBe(null);
});

test("a url that does not open is asked for anew, but not at once", async () => {
  const { world, urls } = signing();
  const url = urls.of("media_a");
  await settle();
  urls.doubt("media_a");
  expect(world.asked.length).toBe(1);
  world.now = 2 * 60_000;
  urls.doubt("media_a");
  await settle();
  expect(url.value?.url).toBe("/v1/media/media_a?2");
});

test("a media is to a person what it can be shown as", () => {
  const kind = (content_type: string, more = {}) => kindOf({ content_type, ...more });
  expect(kind("image/png", { width: 1, height: 1 })).toBe("picture");
  expect(kind("image/png")).toBe("file");
  expect(kind("video/webm", { name: "a.webm" })).toBe("video");
  expect(kind("audio/webm")).toBe("voice");
  expect(kind("audio/mpeg", { name: "a.mp3" })).toBe("audio");
  expect(kind("application/pdf", { name: "a.pdf" })).toBe("file");
});
