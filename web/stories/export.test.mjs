// What is one's own can be taken along.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, Person, Server, UNLIMITED } from "./world.mjs";

/** The smallest picture that is one: a pixel. */
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64");

let chromium;

before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

test("one takes everything along, in a file that any program opens", async () => {
  const server = await Server.start(UNLIMITED);
  const anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  const bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  const token = await anna.token();
  const theirs = await bert.token();
  const me = (await server.ask("GET", "/v1/users/me", theirs)).id;
  const walk = await server.ask("POST", "/v1/conversations", token, { kind: "group", title: "Sunday walk", members: [me] });
  const other = await server.ask("POST", "/v1/conversations", theirs, { kind: "group", title: "Not Anna's", members: [] });
  const sent = await fetch(`${server.address}/v1/media?name=${encodeURIComponent("../a pixel?.png")}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${theirs}`, "Content-Type": "image/png" },
    body: PIXEL,
  });
  const media = await sent.json();
  assert.equal(sent.status, 201);
  // Two pages and a bit.
  for (let n = 1; n <= 430; n += 1) {
    await server.say(token, walk.id, `step "${n}" 👣`);
  }
  await server.say(theirs, walk.id, "with a picture", { attachments: [media.id] });
  await server.say(theirs, other.id, "a secret");

  // The server asks for patience once.
  let refused = 0;
  await anna.page.route("**/messages?after=*", (route) => {
    refused += 1;
    if (refused !== 2) return route.continue();
    const problem = { type: "about:blank", title: "Too many", status: 429, code: "rate_limited", request_id: "x", retryable: true };
    return route.fulfill({ status: 429, headers: { "Retry-After": "1", "Content-Type": "application/problem+json" }, body: JSON.stringify(problem) });
  });
  await anna.page.getByRole("button", { name: "Settings" }).click();
  const download = anna.page.waitForEvent("download");
  await anna.page.getByRole("button", { name: "Make the zip" }).click();
  await anna.page.getByRole("progressbar", { name: "Collecting…" }).waitFor();
  const zip = await download;
  await anna.page.getByText("Done. The file is").waitFor();
  assert.match(zip.suggestedFilename(), /^kith-\d{4}-\d\d-\d\d\.zip$/);
  assert.ok(refused > 3);

  const folder = mkdtempSync(join(tmpdir(), "kith-export-"));
  const file = join(folder, "all.zip");
  await zip.saveAs(file);
  execFileSync("python3", ["-m", "zipfile", "-t", file]);
  execFileSync("python3", ["-m", "zipfile", "-e", file, join(folder, "out")]);
  const read = (name) => JSON.parse(readFileSync(join(folder, "out", name), "utf8"));
  assert.equal(read("profile.json").username, "anna");
  const [device] = read("devices.json");
  assert.equal(device.current, true);
  assert.deepEqual(read("conversations.json").map(({ id }) => id), [walk.id]);
  const about = read(`conversations/${walk.id}/conversation.json`);
  assert.equal(about.title, "Sunday walk");
  assert.equal(about.members.length, 2);
  const messages = read(`conversations/${walk.id}/messages.json`);
  assert.deepEqual(messages.map(({ seq }) => seq), Array.from({ length: 432 }, (_, n) => n + 1));
  assert.equal(messages[430].body.text, 'step "430" 👣');
  const [kept] = readdirSync(join(folder, "out", "media"));
  assert.ok(kept.startsWith(media.id) && kept.endsWith("a pixel_.png"));
  assert.equal(createHash("sha256").update(readFileSync(join(folder, "out", "media", kept))).digest("hex"), media.sha256);
  assert.deepEqual(read("missing.json"), []);
  // Nothing that opens the account, and nothing of anybody else.
  const everything = readFileSync(file, "latin1");
  assert.ok(!everything.includes(token) && !everything.includes("a secret"));
  rmSync(folder, { recursive: true });
  assert.deepEqual([anna.complaints, anna.elsewhere], [[], []]);
  await anna.context.close();
  await bert.context.close();
  await server.end();
});

test("an export can be cancelled, and says when it fails", async () => {
  const server = await Server.start();
  const anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  const { page } = anna;
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByRole("tab", { name: "Channels" }).click();
  await page.getByLabel("Title").fill("News");
  await page.getByRole("button", { name: "New channel" }).click();
  await anna.say("the news");
  await anna.message("the news").getByRole("img", { name: "Sent" }).waitFor();
  let downloads = 0;
  page.on("download", () => (downloads += 1));
  await page.route("**/messages?after=*", (route) => route.abort());
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Make the zip" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Make the zip" }).waitFor();
  await page.unroute("**/messages?after=*");
  await page.route("**/v1/users/me/devices", (route) => route.fulfill({ status: 400, headers: { "Content-Type": "application/problem+json" }, body: JSON.stringify({ title: "No such thing", code: "invalid_request", retryable: false }) }));
  await page.getByRole("button", { name: "Make the zip" }).click();
  await page.getByText("No such thing").waitFor();
  assert.equal(downloads, 0);
  await anna.context.close();
  await server.end();
});
