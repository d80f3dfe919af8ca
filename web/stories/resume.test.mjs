// Files that are too large for one breath: interrupted, gone on with, handed to another tab, taken back.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { attach, browser, messages, Person, Server, until } from "./world.mjs";

/** Bytes of the file, and those that the network takes in a second. */
const SIZE = 12 * 1024 * 1024;
const SPEED = 3 * 1024 * 1024;

const bytes = randomBytes(SIZE);
const film = { name: "film.bin", mimeType: "application/octet-stream", buffer: bytes };

let chromium;
let server;
let anna;
let begun;
let forgotten;
let offsets;
let network;

/** A page with a slow network. What the context says of the network does not count there; `cut` does. */
async function slow(page) {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Network.enable");
  const be = (offline) => debug.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: SPEED });
  await be(false);
  return { cut: () => be(true), mend: () => be(false) };
}

/** Notes what a page begins and forgets. */
function note(page) {
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === "/v1/uploads" && request.method() === "POST") begun.push(pathname);
    if (pathname.startsWith("/v1/uploads/") && request.method() === "DELETE") forgotten.push(pathname);
  });
  page.on("response", (answer) => answer.request().method() === "HEAD" && offsets.push(Number(answer.headers()["upload-offset"])));
}

before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

beforeEach(async () => {
  begun = [];
  forgotten = [];
  offsets = [];
  server = await Server.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  const bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  await bert.context.close();
  await anna.converse("bert", "Bert");
  note(anna.page);
  network = await slow(anna.page);
});
afterEach(async () => {
  assert.deepEqual(anna.complaints, [], "the browser complained");
  await anna.context.close();
  await server.end();
});

/** How far a message is on its way. */
async function percent(message) {
  const now = message.getByRole("progressbar").getAttribute("aria-valuenow", { timeout: 5_000 });
  return Number(await now.catch(async () => assert.fail(`it is not on its way: ${await message.innerText({ timeout: 1_000 })}`)));
}

async function arrived(message) {
  await message.getByRole("img", { name: /Sent|Delivered/ }).waitFor({ timeout: 60_000 });
  const all = await messages(server, anna);
  assert.deepEqual(all.map(({ body }) => body.text), ["large"]);
  const [media] = all[0].body.attachments;
  assert.deepEqual([media.size, media.name], [SIZE, "film.bin"]);
  assert.equal(media.sha256, createHash("sha256").update(bytes).digest("hex"));
}

test("it goes on where it was, after a reload and after a lost network, and is sent once", async () => {
  await attach(anna, film);
  await anna.say("large");
  const message = anna.message("large");
  await until(async () => (await percent(message)) > 15);
  await anna.page.reload();
  await anna.open("Bert");
  await until(async () => (await percent(message)) > 35);
  await network.cut();
  await anna.page.waitForTimeout(1000);
  const before = await percent(message);
  await anna.page.waitForTimeout(1000);
  assert.equal(await percent(message), before, "nothing goes without a network");
  await network.mend();
  await arrived(message);
  assert.equal(begun.length, 1, "it was begun once");
  assert.ok(offsets.length >= 2 && offsets.every((offset) => offset > 0), `it went on at ${offsets}`);
});

test("another tab goes on when the one that sent is closed", async () => {
  const page = await anna.context.newPage();
  note(page);
  await page.goto(server.address);
  const other = Object.assign(Object.create(Object.getPrototypeOf(anna)), anna, { page });
  await other.open("Bert");
  await attach(anna, film);
  await anna.say("large");
  await until(async () => (await percent(anna.message("large"))) > 20);
  await other.message("large").getByText("film.bin").waitFor();
  assert.equal(await percent(other.message("large")), 0, "only one sends");
  await anna.page.close();
  anna.page = page;
  await arrived(other.message("large"));
  assert.equal(begun.length, 1, "it was begun once");
});

test("what is taken back is forgotten by the server too", async () => {
  await attach(anna, film);
  await anna.say("large");
  const message = anna.message("large");
  await until(async () => (await percent(message)) > 20);
  await message.getByRole("button", { name: "Cancel sending" }).click();
  await message.waitFor({ state: "detached" });
  await until(() => forgotten.length === 1);
  const headers = { Authorization: `Bearer ${await anna.token()}` };
  await until(async () => (await fetch(server.address + forgotten[0], { headers })).status === 404);
  assert.deepEqual(await messages(server, anna), []);
});
