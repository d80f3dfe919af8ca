import { expect, test } from "vitest";
import { Conversation } from "./conversation";
import recorded from "./recorded/chat.json";
import type { ConversationItem, Entry, Message } from "./types";

const [first] = recorded.history.items as unknown as [Entry];
const ME = "user_me";

function said(seq: number, mentions: string[] = []): Message {
  return { ...first, seq, id: `${recorded.conversation}.${seq}`, kind: "message", sender: "user_other", body: { text: `${seq}`, mentions } } as unknown as Message;
}

/** A conversation of ten messages of which three are read, with those from `from` on in its window. */
function begun(from: number): Conversation {
  const all = Array.from({ length: 10 }, (_, n) => said(n + 1, n + 1 === 5 ? [ME] : []));
  const item = { id: recorded.conversation, kind: "group", head: 10, read: 3, unread: 7, mentions: 1, last: all.at(-1) } as unknown as ConversationItem;
  const conversation = new Conversation(item);
  conversation.thread.replace({ items: all.slice(from - 1), head: 10 }, true, false);
  return conversation;
}

test("what is unread gets less as one reads", () => {
  const conversation = begun(2);
  const counts = () => [conversation.item.value.unread, conversation.item.value.mentions];
  conversation.noteRead(4, ME);
  expect(counts()).toEqual([6, 1]);
  conversation.noteRead(6, ME);
  expect(counts()).toEqual([4, 0]);
  conversation.noteRead(5, ME);
  expect(conversation.item.value.read).toBe(6);
  conversation.noteRead(10, ME);
  expect(counts()).toEqual([0, 0]);
});

test("what is not in the window is not counted away", () => {
  const conversation = begun(7);
  conversation.noteRead(8, ME);
  expect(conversation.item.value.unread).toBe(7);
});

test("an entry of a later version brings the log on, and is neither shown nor counted", () => {
  const conversation = begun(2);
  const { last } = conversation.item.value;
  for (const [seq, kind] of [[11, "sealed"], [12, "commit"]] as const) {
    conversation.note({ ...said(seq), kind, body: { box: "…" } } as unknown as Entry, ME);
  }
  expect(conversation.item.value).toMatchObject({ head: 12, unread: 7, mentions: 1, last });
  conversation.note(said(13, [ME]), ME);
  expect(conversation.item.value).toMatchObject({ head: 13, unread: 8, mentions: 2, last: { seq: 13 } });
  conversation.noteRead(13, ME);
  expect(conversation.item.value).toMatchObject({ read: 13, unread: 0, mentions: 0 });
});
