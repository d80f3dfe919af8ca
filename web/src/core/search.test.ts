import { expect, test, vi } from "vitest";
import recorded from "./recorded/chat.json";
import { excerpt, Search } from "./search";
import type { Message, Page } from "./types";

const message = recorded.history.items[1] as unknown as Message;

/** A server that answers when it is told to. */
function slow() {
  const asked: { words: string; cursor: string | undefined; answer: (page: Page<{ message: Message; highlights: [] }> | null) => void }[] = [];
  const rest = {
    search: (words: string, _: string | null, __: number, cursor?: string) =>
      new Promise<Page<{ message: Message; highlights: [] }>>((resolve, reject) => {
        asked.push({ words, cursor, answer: (page) => (page ? resolve(page) : reject(new Error("no"))) });
      }),
    people: async () => ({ items: [] }),
    mentioning: async () => ({ items: [message] }),
  };
  return { asked, search: new Search(rest) };
}

test("an answer to other words is not shown", async () => {
  vi.useFakeTimers();
  const { asked, search } = slow();
  search.look("te");
  search.look("tea");
  await vi.runAllTimersAsync();
  search.look("tent");
  await vi.runAllTimersAsync();
  expect(asked.map(({ words }) => words)).toEqual(["tea", "tent"]);
  asked[0]?.answer({ items: [{ message, highlights: [] }] });
  await vi.runAllTimersAsync();
  expect(search.hits.value).toEqual([]);
  expect(search.state.value).toBe("waiting");
  asked[1]?.answer({ items: [{ message, highlights: [] }] });
  await vi.runAllTimersAsync();
  expect(search.hits.value.length).toBe(1);
  expect(search.state.value).toBe("found");
  vi.useRealTimers();
});

test("a page without a message is read over, and what failed can be asked again", async () => {
  vi.useFakeTimers();
  const { asked, search } = slow();
  search.look("tea");
  await vi.runAllTimersAsync();
  asked[0]?.answer({ items: [], next_cursor: "b" });
  await vi.runAllTimersAsync();
  expect(asked[1]?.cursor).toBe("b");
  asked[1]?.answer(null);
  await vi.runAllTimersAsync();
  expect(search.state.value).toBe("failed");
  search.again();
  await vi.runAllTimersAsync();
  asked[2]?.answer({ items: [{ message, highlights: [] }], next_cursor: "c" });
  await vi.runAllTimersAsync();
  expect(search.more.value).toBe(true);
  void search.read();
  expect(asked[3]?.cursor).toBe("c");
  vi.useRealTimers();
});

test("a text shows what was found in it, in UTF-16 units", () => {
  expect(excerpt("🍵 tea and cake", [{ start: 3, end: 6 }])).toEqual([
    { text: "🍵 ", found: false },
    { text: "tea", found: true },
    { text: " and cake", found: false },
  ]);
  const long = excerpt(`${"🍵".repeat(500)}tea${"x".repeat(500)}`, [{ start: 1000, end: 1003 }]);
  expect(long.map(({ found }) => found)).toEqual([false, false, true, false, false]);
  expect(long[1]?.text).toBe("🍵".repeat(15));
  expect(long.at(-1)?.text).toBe("…");
});
