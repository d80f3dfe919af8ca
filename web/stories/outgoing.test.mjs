// What is on its way: shown at once, taken back, refused, interrupted, and brought to its end.
import assert from "node:assert/strict";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { attach, browser, drawn, loaded, messages, Person, Server } from "./world.mjs";

let chromium;
let server;
let anna;
let bert;

before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

beforeEach(async () => {
  server = await Server.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  await anna.converse("bert", "Bert");
});
afterEach(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    assert.deepEqual(person.elsewhere.filter((url) => !url.startsWith("blob:")), [], "something was asked of another host");
    await person.context.close();
  }
  await server.end();
});

const attached = (person) => person.page.getByRole("list", { name: "Attached" }).getByRole("listitem");

/** What a device keeps: of the bytes that are not sent yet, or something else, the names. */
function kept({ page }, store = "blobs") {
  return page.evaluate(
    (store) =>
      new Promise((resolve) => {
        indexedDB.open("kith").onsuccess = ({ target }) => {
          target.result.transaction(store).objectStore(store).getAllKeys().onsuccess = (event) => {
            target.result.close();
            resolve(event.target.result);
          };
        };
      }),
    store,
  );
}

test("a message shows at once, and can be taken back while it is on its way", async () => {
  await anna.context.route("**/v1/media?*", () => undefined);
  await attach(anna, { name: "slow.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(100_000, 1) });
  await anna.say("on its way");
  const message = anna.message("on its way");
  await message.getByText("slow.bin").waitFor();
  await message.getByRole("progressbar", { name: "Sending" }).waitFor();
  await message.getByRole("button", { name: "Cancel sending" }).click();
  await message.waitFor({ state: "detached" });
  await anna.context.unroute("**/v1/media?*");
  await anna.say("something else");
  await anna.message("something else").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  assert.deepEqual((await messages(server, anna)).map(({ body }) => body.text), ["something else"]);
  await anna.page.reload();
  await anna.open("Bert");
  await anna.message("something else").waitFor();
  assert.equal(await anna.message("on its way").count(), 0);
});

test("what is attached without a network is sent once when it returns, also after a reload", async () => {
  await anna.say("before");
  await anna.message("before").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  // The worker has the page, and the last second is kept.
  await anna.page.evaluate(() => navigator.serviceWorker.ready);
  const keptAll = async () => (await kept(anna, "windows")).length === 1 && (await kept(anna, "people")).length === 2 && (await anna.page.evaluate(() => caches.match("/").then(Boolean)));
  while (!(await keptAll())) await anna.page.waitForTimeout(100);
  await anna.context.setOffline(true);
  await server.kill();
  await anna.page.getByText("No connection.").waitFor();
  await attach(anna, { name: "tunnel.png", mimeType: "image/png", buffer: await drawn(anna.page, 400, 300, "image/png") });
  await anna.say("from the tunnel");
  const message = anna.message("from the tunnel");
  await message.getByRole("progressbar").waitFor();
  while (!(await kept(anna)).length) await anna.page.waitForTimeout(50);
  await anna.page.reload();
  await anna.open("Bert");
  assert.equal((await loaded(message.locator(".waiting-picture img")))[0], 400);
  await server.run();
  await anna.context.setOffline(false);
  await message.getByRole("img", { name: /Sent|Delivered/ }).waitFor({ timeout: 40_000 });
  await bert.open("Anna");
  await loaded(bert.message("from the tunnel").locator(".picture img"));
  assert.deepEqual((await messages(server, anna)).map(({ body }) => body.text), ["before", "from the tunnel"]);
  while ((await kept(anna)).length) await anna.page.waitForTimeout(50);
});

test("a file that lies about its type is refused and stays until it is thrown away", async () => {
  await attach(anna, { name: "lie.png", mimeType: "image/png", buffer: Buffer.from("only words") });
  await anna.say("a picture, honestly");
  const message = anna.message("a picture, honestly");
  await message.getByText("Not sent: the file is not what it says it is.").waitFor();
  await anna.page.reload();
  await anna.open("Bert");
  await message.getByRole("button", { name: "Retry" }).click();
  await message.getByText("Not sent: the file is not what it says it is.").waitFor();
  await message.getByRole("button", { name: "Discard" }).click();
  await message.waitFor({ state: "detached" });
  while ((await kept(anna)).length) await anna.page.waitForTimeout(50);
  assert.deepEqual(await messages(server, anna), []);
});

test("what had to make way for others goes on in parts", async () => {
  const asked = [];
  anna.page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname.replace(/upload_.*/, "")}`));
  const problem = { type: "/v1/problems/overloaded", title: "slow", status: 503, code: "overloaded", request_id: "r", retryable: true };
  await anna.context.route("**/v1/media?*", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(problem) }));
  await attach(anna, { name: "slow.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(100_000, 1) });
  await anna.say("slowly");
  await anna.message("slowly").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  assert.deepEqual(asked.filter((one) => one.startsWith("P")), ["POST /v1/media", "POST /v1/uploads", "PATCH /v1/uploads/"]);
});

test("a file that the server would not take is not attached", async () => {
  const path = join(tmpdir(), `kith-large-${process.pid}.bin`);
  writeFileSync(path, "");
  const { limits } = await server.ask("GET", "/v1/info");
  truncateSync(path, Math.max(limits.media_bytes, limits.upload_bytes ?? 0) + 1);
  try {
    await anna.page.locator(".composer input[type=file]").setInputFiles(path);
    await anna.page.getByRole("alert").getByText(/is too large: this server takes/).waitFor();
    assert.equal(await attached(anna).count(), 0);
  } finally {
    rmSync(path);
  }
});

test("who signs out leaves nothing behind", async () => {
  await anna.context.route("**/v1/media?*", () => undefined);
  await attach(anna, { name: "secret.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(1000, 1) });
  await anna.say("not yet");
  await anna.message("not yet").getByRole("progressbar").waitFor();
  while (!(await kept(anna)).length) await anna.page.waitForTimeout(50);
  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("button", { name: "Sign out", exact: true }).click();
  await anna.page.getByRole("heading", { name: "Kith" }).waitFor();
  while ((await kept(anna)).length) await anna.page.waitForTimeout(50);
  assert.deepEqual(await anna.page.evaluate(() => Object.keys(localStorage)), []);
});

test("a picture that would fill all memory is refused", async () => {
  const chunk = (name, data) => {
    const named = Buffer.concat([Buffer.from(name), data]);
    const framed = Buffer.alloc(named.length + 8);
    framed.writeUInt32BE(data.length);
    named.copy(framed, 4);
    framed.writeUInt32BE(crc32(named), named.length + 4);
    return framed;
  };
  const head = Buffer.from([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 0, 0, 0, 0]);
  const buffer = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.alloc(100_000))), chunk("IEND", Buffer.alloc(0))]);
  await attach(anna, { name: "bomb.png", mimeType: "image/png", buffer });
  await anna.say("30 000 by 30 000");
  await anna.message("30 000 by").getByText("Not sent: the file is too large for this server.").waitFor();
});

test("who has used up their room is told so", async () => {
  const small = await Server.start("[media]\nquota_bytes = 100000\n");
  const cem = await Person.arrive(chromium, small, "cem", "Cem Ünal");
  const dina = await Person.arrive(chromium, small, "dina", "Dina Khalil");
  await cem.converse("dina", "Dina");
  const file = (name, bytes) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.alloc(bytes, 1) });
  await attach(cem, file("first.bin", 60_000));
  await cem.say("there is room");
  await cem.message("there is room").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await attach(cem, file("second.bin", 60_001));
  await cem.say("there is none");
  await cem.message("there is none").getByText("Not sent: your room on this server is used up.").waitFor();
  for (const person of [cem, dina]) await person.context.close();
  await small.end();
});
