import { expect, test } from "vitest";
import { forgetful } from "./keep";
import { KNOWN_USERS, KnownUsers } from "./known";

test("a secret is kept for its user, renewed, and forgotten with nothing left", () => {
  const keep = forgetful();
  const known = new KnownUsers(keep);
  expect(known.secret("anna")).toBeUndefined();
  known.remember("anna", "first");
  known.remember("bela", "other");
  known.remember("anna", "second");
  expect([new KnownUsers(keep).secret("anna"), known.secret("bela")]).toEqual(["second", "other"]);
  known.forget("anna");
  known.forget("bela");
  expect([known.secret("anna"), keep.names("").length]).toEqual([undefined, 0]);
});

test("a browser that many use keeps those who signed in last", () => {
  const known = new KnownUsers(forgetful());
  for (let number = 0; number <= KNOWN_USERS; number++) known.remember(`user${number}`, `secret${number}`);
  expect([known.secret("user0"), known.secret("user1")]).toEqual([undefined, "secret1"]);
});
