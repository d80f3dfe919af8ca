import { expect, test } from "vitest";
import { peaks, wave } from "./wave";

test("a waveform shows where it is loud", () => {
  expect(peaks(Float32Array.of(0, 0.1, -0.5, 0.2, 0.25, 0), 3)).toEqual([0.1, 0.5, 0.25].map((peak) => expect.closeTo(peak * 2, 5)));
  expect(peaks(new Float32Array(9), 3)).toEqual([0, 0, 0]);
  expect(peaks(Float32Array.of(1), 3)).toEqual([0, 0, 1]);
  expect(peaks(new Float32Array(), 2)).toEqual([0, 0]);
});

test("a WAVE file says how long it is, and has every sample", () => {
  const view = new DataView(wave(Float32Array.of(0, 1, -1, 2), 24_000));
  expect(view.byteLength).toBe(52);
  expect(view.getUint32(24, true)).toBe(24_000);
  expect(view.getUint32(40, true)).toBe(8);
  expect([0, 1, 2, 3].map((n) => view.getInt16(44 + n * 2, true))).toEqual([0, 32_767, -32_767, 32_767]);
});
