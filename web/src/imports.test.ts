/// <reference types="vite/client" />
import { expect, test } from "vitest";

/** Lines of a file that are no comment, at most. */
const LINES = 500;

const all = import.meta.glob<string>("./**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
const sources = new Map(Object.entries(all).filter(([path]) => !path.startsWith("./generated/") && !path.includes(".test.")));

/** The files that a file imports, also those of which it needs the types only. */
function importsOf(path: string): string[] {
  const found = [...(sources.get(path) ?? "").matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)];
  return found.flatMap(([, to]) => {
    const plain = `./${new URL(to ?? "", `http://src/${path}`).pathname.slice(1)}`;
    return [`${plain}.ts`, `${plain}.tsx`].filter((file) => sources.has(file));
  });
}

test("the files are here, and what they import is found", () => {
  expect(sources.size).toBeGreaterThan(60);
  expect(importsOf("./core/client.ts")).toContain("./core/listing.ts");
  expect(importsOf("./ui/app.tsx")).toContain("./ui/thread.tsx");
  expect(importsOf("./ui/emoji.tsx")).toContain("./ui/emoji-grid.tsx");
});

test("imports run in no circle, so that each file is understood from those below it", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, above: string[]) => {
    if (above.includes(path)) circles.push([...above.slice(above.indexOf(path)), path].join(" → "));
    if (done.has(path) || above.includes(path)) return;
    for (const next of importsOf(path)) visit(next, [...above, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test("the core knows no page", () => {
  const up = [...sources.keys()].filter((path) => path.startsWith("./core/")).flatMap((path) => importsOf(path).filter((to) => !to.startsWith("./core/")).map((to) => `${path} → ${to}`));
  expect(up).toEqual([]);
});

test("a file can be read at once", () => {
  const comment = /^\s*(\/\/|\/?\*)/;
  const long = [...sources].filter(([, text]) => text.split("\n").filter((line) => !comment.test(line)).length > LINES);
  expect(long.map(([path]) => path)).toEqual([]);
});
