import { expect, test } from "vitest";
import { forgetful } from "./keep";
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

test("a client_id is a UUIDv7 with its time", () => {
  expect(uuidv7(0x0123456789ab)).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
