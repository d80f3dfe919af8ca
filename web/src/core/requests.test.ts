import { expect, test, vi } from "vitest";
import { Requests } from "./requests";
import type { ConversationItem, Page } from "./types";

test("many changes are one reading, and what is answered is gone", async () => {
  vi.useFakeTimers();
  const items = [{ id: "conv_1" }, { id: "conv_2" }] as ConversationItem[];
  const rest = {
    requests: vi.fn(async (): Promise<Page<ConversationItem>> => ({ items })),
    answerRequest: vi.fn(async () => undefined),
  };
  const requests = new Requests(rest);
  for (let change = 0; change < 50; change += 1) requests.soon();
  await vi.runAllTimersAsync();
  expect(rest.requests).toHaveBeenCalledTimes(1);
  expect(requests.items.value).toEqual(items);
  await requests.answer("conv_1", "declined");
  expect(rest.answerRequest).toHaveBeenCalledWith("conv_1", "declined");
  expect(requests.items.value).toEqual([items[1]]);
  vi.useRealTimers();
});
