import { expect, test } from "vitest";
import histories from "../../../protocol/vectors/histories.json";
import recorded from "./recorded/chat.json";
import { Thread } from "./thread";
import type { Entry, Message, Messages, ServerFrame } from "./types";

const frames = recorded.frames as unknown as ServerFrame[];
const history = recorded.history as unknown as Messages;
const entries: Entry[] = frames.flatMap((frame) => (frame.t === "entry" ? [frame.entry] : []));

function begun(): Thread {
  const thread = new Thread();
  thread.replace({ items: history.items.filter((message) => message.seq === 1), head: 1 }, true, true);
  return thread;
}

/** What shows: times of edits and the bodies of what was deleted are the server's to word. */
function shown(messages: Message[]) {
  return messages.map(({ seq, kind, sender, deleted, reactions, body, edited_at }) => ({
    seq,
    kind,
    sender,
    deleted: deleted ?? false,
    edited: !!edited_at,
    reactions: reactions ?? [],
    text: kind === "message" ? body.text : null,
  }));
}

test("what is heard live folds to what the server folds", () => {
  const thread = begun();
  for (const entry of entries) expect(thread.apply(entry)).toBe("applied");
  expect(thread.folded).toBe(history.head);
  expect(shown(thread.messages)).toEqual(shown(history.items));
});

test("an entry that was heard before changes nothing", () => {
  const thread = begun();
  for (const entry of entries) thread.apply(entry);
  const before = thread.messages;
  for (const entry of entries) expect(thread.apply(entry)).toBe("known");
  expect(thread.messages).toBe(before);
});

test("an entry after a hole is not taken", () => {
  const thread = begun();
  const [, second] = entries;
  expect(thread.apply(second as Entry)).toBe("gap");
  expect(thread.folded).toBe(1);
});

test("a page that is newer than the window folds to the same", () => {
  const last = history.items.slice(-2);
  for (let heard = 1; heard < entries.length; heard += 1) {
    const thread = begun();
    thread.messages = [];
    thread.folded = 1;
    for (const entry of entries.slice(0, heard)) thread.apply(entry);
    const older = history.items.filter((message) => message.seq < thread.first);
    thread.prepend({ items: older, head: history.head }, 60);
    for (const entry of entries) thread.apply(entry);
    expect(shown(thread.messages)).toEqual(shown(history.items));
    expect(shown(thread.messages).slice(-2)).toEqual(shown(last));
  }
});

test("a window stays bounded, whichever way one goes", () => {
  const message = (seq: number) => ({ ...(history.items[0] as Message), seq, id: `${recorded.conversation}.${seq}` });
  const page = (from: number, to: number): Messages => ({ items: Array.from({ length: to - from }, (_, n) => message(from + n)), head: 5000 });
  const thread = new Thread();
  thread.replace(page(4940, 5001), true, false);
  for (let first = 4940; first > 60; first -= 60) thread.prepend(page(first - 60, first), 60);
  expect(thread.messages.length).toBe(400);
  expect(thread.atEnd).toBe(false);
  while (thread.last < 5000) thread.append(page(thread.last + 1, Math.min(thread.last + 61, 5001)), 60);
  expect(thread.messages.length).toBe(400);
  expect(thread.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 400 }, (_, n) => 4601 + n));
});

test("a short page is the end only where the server does not say that there is more", () => {
  const [one] = history.items;
  const page = (seq: number, more?: boolean): Messages => ({ items: [{ ...(one as Message), seq }], head: 90, ...(more === undefined ? {} : { more }) });
  const ends = (more?: boolean) => {
    const thread = new Thread();
    thread.replace(page(50), false, false);
    thread.prepend(page(49, more), 60);
    thread.append(page(51, more), 60);
    return [thread.atStart, thread.atEnd];
  };
  expect(ends(true)).toEqual([false, false]);
  expect(ends(false)).toEqual([true, true]);
  expect(ends()).toEqual([true, true]);
  // One that is empty is the end whatever it says, or it would be asked for without end.
  const thread = new Thread();
  thread.prepend({ items: [], head: 90, more: true }, 60);
  expect(thread.atStart).toBe(true);
});

test("what disappears is gone when its time has come", () => {
  const thread = begun();
  const at = Date.parse("2026-01-01T00:00:00Z");
  thread.apply({ ...(entries[0] as Entry), expires_at: new Date(at).toISOString() });
  expect(thread.expire(at - 1)).toBe(false);
  expect(thread.expire(at)).toBe(true);
  expect(thread.messages.length).toBe(1);
});

test("the forms of one emoji are one reaction", () => {
  const thread = begun();
  const said = entries.find(({ kind }) => kind === "message");
  if (!said) throw new Error("a message was recorded");
  const at = (seq: number, rest: object) => ({ ...said, seq, ...rest }) as Entry;
  const react = (seq: number, sender: string, emoji: string, on: boolean) => at(seq, { kind: "reaction", sender, body: { target: 2, emoji, on } });
  const log = [at(2, {}), react(3, "anna", "❤", true), react(4, "bela", "❤\ufe0f", true), react(5, "bela", "ok👍", true)];
  for (const entry of log) expect(thread.apply(entry)).toBe("applied");
  expect(thread.messages.at(-1)?.reactions).toEqual([
    { emoji: "❤\ufe0f", users: ["anna", "bela"] },
    { emoji: "ok👍", users: ["bela"] },
  ]);
  for (const entry of [react(6, "anna", "❤\ufe0f", false), react(7, "bela", "❤", false), react(8, "bela", "ok👍", false)]) thread.apply(entry);
  expect(thread.messages.at(-1)?.reactions).toEqual([]);
});

test("a kind and a redaction of a later version keep their place in the log, and show as nothing", () => {
  const thread = begun();
  const [first] = history.items;
  const at = (seq: number, rest: object) => ({ ...first, seq, id: `${recorded.conversation}.${seq}`, ...rest }) as unknown as Entry;
  const later = [
    at(2, { kind: "sealed", body: { box: [1, { a: null }] } }),
    at(3, { kind: "commit" }),
    at(4, { kind: "redacted", body: { was: "sealed" } }),
    at(5, { kind: "redacted", body: { was: "edit" } }),
    at(6, { kind: "redacted", body: { was: "message" } }),
    at(7, { kind: "message", body: { text: "on" } }),
    at(8, { kind: "reaction", body: { target: 2, emoji: "👍", on: true } }),
  ];
  for (const entry of later) expect(thread.apply(entry)).toBe("applied");
  expect(thread.folded).toBe(8);
  expect(thread.messages.map(({ seq }) => seq)).toEqual([1, 6, 7]);
});

test("every generated history shows as it does to the server and to other clients", () => {
  for (const history of histories) {
    const thread = new Thread();
    thread.atEnd = true;
    for (const entry of history.entries as unknown as Entry[]) expect(thread.apply(entry)).toBe("applied");
    const messages = thread.messages.map(({ seq, kind, body, edited_at, deleted, reactions }) => ({
      seq,
      kind,
      text: kind === "message" ? body.text : undefined,
      edited_at,
      deleted: deleted ?? false,
      reactions: reactions ?? [],
    }));
    expect(messages, `seed ${history.seed}`).toEqual(history.messages);
  }
});
