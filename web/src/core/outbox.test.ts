import { expect, test } from "vitest";
import { forgetful, type Keep } from "./keep";
import { Outbox } from "./outbox";
import { uuidv7 } from "./uuid";

function put(outbox: Outbox, text: string): string {
  const client_id = uuidv7();
  outbox.put({ conversation: "conv_a", message: { client_id, text }, at: 0, refused: null });
  return client_id;
}

const texts = (outbox: Outbox) => [...outbox.due()].map(({ message }) => message.text);

test("each is said once on a connection, in its order, and again on the next", () => {
  const outbox = new Outbox(forgetful());
  put(outbox, "one");
  const two = put(outbox, "two");
  expect(texts(outbox)).toEqual(["one", "two"]);
  expect(texts(outbox)).toEqual([]);
  outbox.acknowledge(two);
  outbox.forgetSaid();
  expect(texts(outbox)).toEqual(["one"]);
});

test("it outlives the page, under the same client_id", () => {
  const keep = forgetful();
  const id = put(new Outbox(keep), "one");
  const later = new Outbox(keep);
  expect(later.all.value.map(({ message }) => message.client_id)).toEqual([id]);
  later.acknowledge(id);
  expect(new Outbox(keep).all.value).toEqual([]);
});

/** Two tabs, of which each hears what the other keeps. */
function twoTabs(): [Keep, Keep] {
  const kept = forgetful();
  const ears: ((name: string, text: string | null) => void)[] = [];
  const tab = (own: number): Keep => ({
    ...kept,
    set: (name, text) => {
      kept.set(name, text);
      ears[1 - own]?.(name, text);
    },
    watch: (_, heard) => {
      ears[own] = heard;
      return () => undefined;
    },
  });
  return [tab(0), tab(1)];
}

test("all tabs have the same, and one says what another has not said", () => {
  const [first, second] = twoTabs().map((keep) => new Outbox(keep)) as [Outbox, Outbox];
  const one = put(first, "one");
  const two = put(second, "two");
  expect(second.all.value.map(({ message }) => message.client_id)).toEqual([one, two]);
  expect(texts(first)).toEqual(["one", "two"]);
  second.noteSaid(one);
  second.noteSaid(two);
  expect(texts(second)).toEqual([]);
  first.refuse(two, "blocked");
  expect(second.get(two)?.refused).toBe("blocked");
  first.acknowledge(one);
  second.drop(two);
  expect([first.all.value, second.all.value]).toEqual([[], []]);
});

test("a message is not said before all that it shows is there", () => {
  const outbox = new Outbox(forgetful());
  const attachments = ["a", "b"].map((id) => ({ id, type: "text/plain", size: 1 }));
  const client_id = uuidv7();
  outbox.put({ conversation: "conv_a", message: { client_id, text: "two" }, attachments, at: 0, refused: null });
  const media = { id: "media_a", content_type: "text/plain", size: 1, sha256: "" };
  outbox.attach(client_id, "a", { media });
  expect(texts(outbox)).toEqual([]);
  outbox.attach(client_id, "b", { media });
  expect(texts(outbox)).toEqual(["two"]);
});

test("what is refused for good waits for the person, what is refused for now does not", () => {
  const outbox = new Outbox(forgetful());
  const id = put(outbox, "one");
  expect(texts(outbox)).toEqual(["one"]);
  expect(outbox.refuse(id, "overloaded")).toBe(true);
  expect(texts(outbox)).toEqual(["one"]);
  expect(outbox.refuse(id, "blocked")).toBe(false);
  outbox.forgetSaid();
  expect(texts(outbox)).toEqual([]);
  outbox.retry(id);
  expect(texts(outbox)).toEqual(["one"]);
});

test("a full disk is told after a few tries", () => {
  const outbox = new Outbox(forgetful());
  const id = put(outbox, "one");
  for (let round = 0; round < 2; round += 1) {
    expect([1, 2, 3].map(() => outbox.refuse(id, "storage_full"))).toEqual([true, true, false]);
    expect(outbox.get(id)?.refused).toBe("storage_full");
    outbox.retry(id);
  }
});

test("a client_id is a UUIDv7 with its time", () => {
  expect(uuidv7(0x0123456789ab)).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what is for something damaged is not said again by itself", () => {
  const outbox = new Outbox(forgetful());
  const one = put(outbox, "one");
  expect(texts(outbox)).toEqual(["one"]);
  expect(outbox.refuse(one, "internal")).toBe(true);
  expect(texts(outbox)).toEqual(["one"]);
  expect(outbox.refuse(one, "internal", true)).toBe(false);
  expect(texts(outbox)).toEqual([]);
  expect(outbox.get(one)?.refused).toBe("internal");
});
