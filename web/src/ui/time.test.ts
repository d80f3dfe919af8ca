import { effect } from "@preact/signals";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.resetModules();
});

test("today becomes yesterday at midnight, and when a device wakes", async () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 28, 23, 59, 30) });
  const page = new EventTarget();
  vi.stubGlobal("document", page);
  const { brief, dayName, followToday } = await import("./time");
  followToday();
  const at = Date.now();
  const shown: string[] = [];
  const stop = effect(() => void shown.push(dayName(at)));
  expect(brief(at)).toMatch(/11:59|23:59/);
  vi.advanceTimersByTime(20_000);
  expect(shown).toEqual(["Today"]);
  vi.advanceTimersByTime(11_000);
  expect(shown).toEqual(["Today", "Yesterday"]);
  expect(brief(at)).not.toMatch(/59/);

  // It sleeps for two days: no timer goes on.
  vi.setSystemTime(new Date(2026, 11, 1, 8, 0));
  page.dispatchEvent(new Event("visibilitychange"));
  expect(shown.at(-1)).toMatch(/November/);
  stop();
});
