import { expect, test } from "vitest";
import { emojis, find } from "./emoji";

test("every emoji is found by how people call it", async () => {
  const en = await emojis("en");
  const de = await emojis("de");
  expect(en.all.length).toBeGreaterThan(1_900);
  expect(de.all.map(({ char }) => char)).toEqual(en.all.map(({ char }) => char));
  const chars = (all: typeof en.all, typed: string) => find(all, typed).map(({ char }) => char);
  expect(chars(en.all, "tea cup")).toContain("🍵");
  expect(chars(de.all, "muede")).not.toContain("😫");
  expect(chars(de.all, "mude")).toEqual(chars(de.all, "müde"));
  expect(chars(de.all, "tee")).toContain("🍵");
  expect(chars(en.all, "no such thing")).toEqual([]);
  expect(find(en.all, "waving hand")[0]?.tones[3]).toBe("👋🏽");
  expect(de.groups.map(({ name }) => name)).toContain("Essen & Trinken");
});
