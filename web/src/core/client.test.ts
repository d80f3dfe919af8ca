import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client } from "./client";
import type { Conversation } from "./conversation";
import { forgetful } from "./keep";
import recorded from "./recorded/chat.json";
import { Refused, type Rest } from "./rest";
import { type KeptWindow, noShelf } from "./shelf";
import type { ClientFrame, ConversationItem, Entry, Message, Messages, Problem, Profile, ServerFrame } from "./types";

const history = recorded.history as unknown as Messages;
const me = recorded.me as unknown as Profile;
const id = recorded.conversation;

/** The browser's end of the connection; the other one is the test. */
class Wire {
  static last: Wire;
  said: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    Wire.last = this;
  }
  send(text: string) {
    this.said.push(JSON.parse(text) as ClientFrame);
  }
  close() {}
  hear(frame: ServerFrame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** What the server has: the log up to here. */
let head: number;
let windows: Map<string, KeptWindow>;
/** Whether the server cannot read the conversation. */
let damaged: boolean;
let client: Client;
/** How the server answers for the history. */
let messages: (place: { before?: number; around?: number | string }) => Promise<Messages>;

function message(seq: number): Message {
  return history.items.find((one) => one.seq === seq) as Message;
}

function item(): ConversationItem {
  const last = history.items.findLast((one) => one.seq <= head) as Entry;
  return { id, kind: "group", title: "Walk", head, last, read: 1, delivered: 1, unread: 0, mentions: 0, rev: 1, muted: false, pinned: false, archived: false } as unknown as ConversationItem;
}

test("a page that is damaged on the server is told of, until it can be read", async () => {
  const before = messages;
  messages = async () => {
    throw new Refused({ code: "internal", retryable: false } as Problem);
  };
  await client.show(id);
  await settle();
  const conversation = client.get(id) as Conversation;
  expect(conversation.damaged.value).toBe(true);
  messages = before;
  await client.windows.load(conversation, null);
  expect(conversation.damaged.value).toBe(false);
  expect(conversation.messages.value.length).toBeGreaterThan(0);
});

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(3_000);
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Wire);
  head = history.head;
  damaged = false;
  windows = new Map();
  messages = async () => ({ items: history.items.filter(({ seq }) => seq <= head), head });
  const rest = {
    conversations: async () => (damaged ? { items: [], damaged: [{ id, title: "Walk" }] } : { items: [item()] }),
    messages: async (_: string, place: { before?: number; around?: number }) => messages(place),
    conversation: async () => ({ id, expire_after_s: 60, role: "member", members: 2 }),
    participants: async () => ({ items: [] }),
    profile: async () => me,
  } as unknown as Rest;
  const shelf = {
    ...noShelf,
    putWindow: async (window: KeptWindow) => void windows.set(window.id, window),
    dropWindow: async (gone: string) => void windows.delete(gone),
    dropHistory: async () => windows.clear(),
  };
  client = new Client(me, rest, forgetful(), shelf, null, "ws://kith/v1/socket", "token", () => undefined);
  await vi.advanceTimersByTimeAsync(0);
  greet();
  await settle();
});
afterEach(() => {
  client.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function greet(instance = "instance_a") {
  Wire.last.onopen?.();
  Wire.last.hear({ t: "ready", user: me.id, device: "device_a", node: "n", heartbeat_ms: 10_000, degraded: [], instance } as ServerFrame);
}

test("what a restored backup does not have is let go, on screen and on the shelf", async () => {
  await client.show(id);
  await settle();
  const conversation = client.get(id);
  const seqs = () => conversation?.messages.value.map(({ seq }) => seq);
  expect(seqs()).toEqual(history.items.map(({ seq }) => seq));
  expect(windows.get(id)?.folded).toBe(history.head);

  head = 4;
  Wire.last.hear({ t: "entries", conversation: id, entries: [], head, more: false, ahead: true } as ServerFrame);
  // At once, and not only after it was read anew.
  expect(seqs()?.every((seq) => seq <= head)).toBe(true);
  expect(conversation?.item.value.head).toBe(head);
  expect(windows.has(id)).toBe(false);
  await settle();
  expect(windows.get(id)?.folded).toBe(head);
  expect(windows.get(id)?.messages.some(({ seq }) => seq > head)).toBe(false);

  // It goes on: the log has other entries at these places now.
  const entry = { ...message(history.items.at(-1)?.seq ?? 0), seq: 5, id: `${id}.5`, kind: "message", body: { text: "after the restore" } } as unknown as Entry;
  Wire.last.hear({ t: "entry", conversation: id, entry });
  expect(conversation?.messages.value.at(-1)).toMatchObject({ seq: 5, body: { text: "after the restore" } });
  expect(conversation?.item.value.last).toMatchObject({ seq: 5 });
});

test("of another instance nothing is put together with what was there, not even an answer that comes late", async () => {
  await client.show(id);
  await settle();
  client.send(id, "unsent", { reply_to: 3 });
  const conversation = client.get(id) as Conversation;
  expect(windows.get(id)?.instance).toBe("instance_a");
  let answer: (page: Messages) => void = () => undefined;
  const before = messages;
  messages = () => new Promise((resolve) => (answer = resolve));
  void client.windows.load(conversation, 3);

  // The same seqs, and longer than it was: only the instance tells.
  const text = (one: Message) => (one.kind === "message" ? one.body.text : "");
  const other = history.items.map((one) => (one.kind === "message" ? { ...one, body: { ...one.body, text: "other" } } : one)) as Message[];
  messages = async () => ({ items: other, head });
  const again = async () => {
    Wire.last.onclose?.({ code: 1006 });
    await settle();
    greet("instance_b");
  };
  await again();
  expect(conversation.messages.value).toEqual([]);
  expect(windows.has(id)).toBe(false);
  answer(await before({}));
  await settle();
  expect(conversation.messages.value.map(text)).toEqual(other.map(text));
  expect(windows.get(id)).toMatchObject({ instance: "instance_b", messages: other });
  expect(client.outbox.all.value.map(({ message }) => [message.text, message.reply_to])).toEqual([["unsent", undefined]]);
  await again();
  expect(conversation.messages.value.map(text)).toEqual(other.map(text));
});

test("a conversation that is not open learns it from the list", async () => {
  expect(client.get(id)?.item.value.head).toBe(history.head);
  head = 4;
  await client.listing.read();
  expect(client.get(id)?.item.value.head).toBe(4);
  expect(client.get(id)?.item.value.last.seq).toBeLessThanOrEqual(4);
});

test("a list that is older than what was heard takes nothing away", async () => {
  const reading = client.listing.read();
  const entry = { ...message(history.items.at(-1)?.seq ?? 0), seq: head + 1, id: `${id}.${head + 1}` } as Entry;
  Wire.last.hear({ t: "entry", conversation: id, entry });
  await reading;
  expect(client.get(id)?.item.value.head).toBe(history.head + 1);
});

test("one's own message disappears as the server's would", async () => {
  await client.show(id);
  await settle();
  client.send(id, "soon gone");
  const said = Wire.last.said.find((frame) => frame.t === "send");
  expect(said?.t).toBe("send");
  if (said?.t !== "send") return;
  const at = new Date(Date.now()).toISOString();
  Wire.last.hear({ t: "sent", client_id: said.client_id, conversation: id, seq: head + 1, at });
  const texts = () => client.get(id)?.messages.value.map((one) => (one.kind === "message" ? one.body.text : ""));
  expect(texts()).toContain("soon gone");
  await vi.advanceTimersByTimeAsync(61_000);
  expect(texts()).not.toContain("soon gone");
  expect(client.get(id)?.item.value.last.kind).toBe("redacted");
  expect(JSON.stringify(windows.get(id))).not.toContain("soon gone");
});

/** A page of some of 900 messages. */
function page(from: number, to: number): Messages {
  const items = Array.from({ length: to - from + 1 }, (_, at) => ({ ...message(history.items.at(-1)?.seq ?? 0), seq: from + at, id: `${id}.${from + at}` }));
  return { items, head: 900 } as Messages;
}

test("a page that comes when one is elsewhere is not joined to what is there", async () => {
  head = 900;
  const answers = new Map<string, (page: Messages) => void>();
  messages = (place) => new Promise((answer) => answers.set(JSON.stringify(place), answer));
  const seqs = () => client.get(id)?.messages.value.map(({ seq }) => seq);
  const answer = async (place: object, page: Messages) => {
    answers.get(JSON.stringify(place))?.(page);
    await vi.advanceTimersByTimeAsync(0);
  };
  const conversation = client.get(id) as Conversation;
  void client.windows.load(conversation, 800);
  await answer({ around: 800 }, page(770, 829));
  expect(seqs()).toEqual(page(770, 829).items.map(({ seq }) => seq));

  void client.windows.newer(conversation);
  void client.windows.load(conversation, 300);
  await answer({ around: 300 }, page(270, 329));
  await answer({ after: 829 }, page(830, 889));
  expect(seqs()).toEqual(page(270, 329).items.map(({ seq }) => seq));

  void client.windows.older(conversation);
  void client.windows.load(conversation, 600);
  await answer({ around: 600 }, page(570, 629));
  await answer({ before: 270 }, page(210, 269));
  expect(seqs()).toEqual(page(570, 629).items.map(({ seq }) => seq));
  // It goes on from there.
  void client.windows.older(conversation);
  await answer({ before: 570 }, page(510, 569));
  expect(seqs()).toEqual(page(510, 629).items.map(({ seq }) => seq));
});

test("of two places the one that was wanted last is shown", async () => {
  head = 900;
  const answers: ((page: Messages) => void)[] = [];
  messages = () => new Promise((answer) => answers.push(answer));
  const conversation = client.get(id) as Conversation;
  void client.windows.load(conversation, 100);
  void client.windows.load(conversation, 500);
  answers[1]?.(page(470, 529));
  await vi.advanceTimersByTimeAsync(0);
  answers[0]?.(page(70, 129));
  await vi.advanceTimersByTimeAsync(0);
  expect(conversation.messages.value[0]?.seq).toBe(470);
});

test("a gap that is not repaired is asked for a few times, and then read anew", async () => {
  await client.show(id);
  await settle();
  let reads = 0;
  messages = async () => {
    reads += 1;
    return { items: history.items, head: history.head };
  };
  Wire.last.said = [];
  // Entry after entry comes behind a hole, and the server answers with nothing that closes it.
  for (let n = 0; n < 300; n += 1) {
    const entry = { ...message(history.items.at(-1)?.seq ?? 0), seq: head + 5 + n, id: `${id}.${head + 5 + n}` } as Entry;
    Wire.last.hear({ t: "entry", conversation: id, entry });
    Wire.last.hear({ t: "entries", conversation: id, entries: [], head: head + 5 + n, more: false } as ServerFrame);
    await vi.advanceTimersByTimeAsync(1_000);
    Wire.last.hear({ t: "pong", at: new Date(Date.now()).toISOString() } as ServerFrame);
  }
  const asked = Wire.last.said.filter(({ t }) => t === "sync").length;
  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(10);
  expect(reads).toBe(1);
});

test("a page that cannot be read is not asked for at each scroll", async () => {
  messages = async () => ({ items: history.items.slice(-2), head, more: true });
  await client.show(id);
  await settle();
  let reads = 0;
  messages = async () => {
    reads += 1;
    throw new Error("no");
  };
  const conversation = client.get(id) as Conversation;
  expect(conversation.thread.atStart).toBe(false);
  for (let scroll = 0; scroll < 600; scroll += 1) {
    await client.windows.older(conversation);
    await vi.advanceTimersByTimeAsync(100);
  }
  // In a minute: at once, and 1, 3, 7, 15 and 31 s later.
  expect(reads).toBe(6);
});

test("a list that cannot be read is asked for later each time, and not for ever", async () => {
  let reads = 0;
  (client.rest as { conversations: unknown }).conversations = async () => {
    reads += 1;
    throw new Error("no");
  };
  client.listing.soon();
  for (let second = 0; second < 3_600; second += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    Wire.last.hear({ t: "pong", at: new Date(Date.now()).toISOString() } as ServerFrame);
  }
  expect(reads).toBe(10);
});

test("a message that is refused for now is said again later each time, and goes out in the end", async () => {
  await client.show(id);
  client.send(id, "hello");
  let answered = 0;
  const sends = () => Wire.last.said.filter((frame) => frame.t === "send");
  for (let second = 0; second < 600; second += 1) {
    for (const send of sends().slice(answered)) {
      answered += 1;
      if (send.t !== "send") continue;
      Wire.last.hear({ t: "error", ref: "send", code: "overloaded", title: "", client_id: send.client_id, conversation: id } as ServerFrame);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    Wire.last.hear({ t: "pong", at: new Date(Date.now()).toISOString() } as ServerFrame);
  }
  // In ten minutes: at once, after 2, 4, 8, 16 and 32 s, then once a minute.
  expect(sends().length).toBeGreaterThan(10);
  expect(sends().length).toBeLessThan(20);
  const said = sends().at(-1);
  if (said?.t !== "send") return;
  Wire.last.hear({ t: "sent", client_id: said.client_id, conversation: id, seq: head + 1, at: new Date(Date.now()).toISOString() });
  expect([...client.outbox.due()]).toEqual([]);
});

test("a conversation that is damaged on the server is told of, until it is not", async () => {
  expect(client.listing.damaged.value).toEqual([]);
  damaged = true;
  await client.listing.read();
  expect(client.listing.damaged.value).toEqual([{ id, title: "Walk" }]);
  expect(client.get(id)).toBeUndefined();
  damaged = false;
  await client.listing.read();
  expect(client.listing.damaged.value).toEqual([]);
  expect(client.get(id)?.item.value.head).toBe(history.head);
});

test("frames, fields, kinds and codes of a later version end nothing", async () => {
  await client.show(id);
  await settle();
  const conversation = client.get(id) as Conversation;
  const seqs = () => conversation.messages.value.map(({ seq }) => seq);
  const before = seqs();
  const hear = (text: string) => Wire.last.onmessage?.({ data: text });
  for (const text of [`{"t":"dance","conversation":"${id}"}`, `{"t":"degraded","shed":["colour"]}`, `{"no":"frame"}`, "[", "null"]) hear(text);
  const last = message(history.items.at(-1)?.seq ?? 0);
  const later = (seq: number, rest: object) => ({ ...last, seq, id: `${id}.${seq}`, ...rest }) as unknown as Entry;
  Wire.last.hear({ t: "entry", conversation: id, entry: later(head + 1, { kind: "sealed", body: { box: 1 } }), new: 1 } as unknown as ServerFrame);
  client.send(id, "is anybody there?");
  const [sent] = Wire.last.said.filter((frame) => frame.t === "send");
  const client_id = sent?.t === "send" ? sent.client_id : "";
  Wire.last.hear({ t: "error", code: "stale_epoch", title: "Of a later version.", ref: "send", client_id, conversation: id } as unknown as ServerFrame);
  expect(client.outbox.get(client_id)?.refused).toBe("stale_epoch");
  Wire.last.hear({ t: "entry", conversation: id, entry: later(head + 2, { kind: "message", body: { text: "on" } }) });
  expect(seqs()).toEqual([...before, head + 2]);
  expect(conversation.thread.folded).toBe(head + 2);
  expect(conversation.item.value.last).toMatchObject({ seq: head + 2 });
});
