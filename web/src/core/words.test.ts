import { expect, test } from "vitest";
import vectors from "../../../protocol/vectors/words.json";
import { emojis } from "./emoji";
import { closed, fileName, isSame, isVisible, nameOrNull, qualified } from "./words";

test("one emoji is qualified, and anything else is none", () => {
  for (const [given, expected] of vectors.emoji) expect(qualified(given ?? ""), JSON.stringify(given)).toBe(expected);
  expect(isSame("❤", "❤\ufe0f")).toBe(true);
  expect(isSame("❤", "👍")).toBe(false);
});

test("every emoji that can be picked is one", async () => {
  for (const { tones } of (await emojis("en")).all) {
    for (const char of tones) expect(isSame(qualified(char) ?? "", char), char).toBe(true);
  }
});

test("a text is seen or not", () => {
  for (const text of vectors.visible) expect(isVisible(text), JSON.stringify(text)).toBe(true);
  for (const text of vectors.invisible) expect(isVisible(text), JSON.stringify(text)).toBe(false);
});

test("what turns a text around ends in its line", () => {
  for (const [given, expected] of vectors.closed) expect(closed(given ?? ""), JSON.stringify(given)).toBe(expected);
});

test("a stored name is shown safely, and so is the name of a file", () => {
  for (const [given, expected] of vectors.names) expect(nameOrNull(given), JSON.stringify(given)).toBe(expected);
  for (const [given, expected] of vectors.files) expect(fileName(given), JSON.stringify(given)).toBe(expected);
});
