// Pictures, recordings and files: sent from one browser, looked at in another.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
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
const row = (person) => person.page.getByRole("log").getByRole("article").last();

test("a picture is sent smaller, with a caption, and looked at in full", async () => {
  const big = await drawn(anna.page, 3000, 2000, "image/jpeg");
  await attach(anna, { name: "lake.jpg", mimeType: "image/jpeg", buffer: big });
  await attached(anna).getByRole("img", { name: /lake.jpg/ }).waitFor();
  await anna.say("The lake");
  await anna.message("The lake").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  assert.equal(await attached(anna).count(), 0);
  const [{ body }] = await messages(server, anna);
  const [media] = body.attachments;
  assert.deepEqual([media.width, media.height, media.name, body.text], [1920, 1280, "lake.jpg", "The lake"]);
  assert.ok(media.size < big.length, `${media.size} is not less than ${big.length}`);

  await bert.chat("Anna").getByText("📷 The lake").waitFor();
  await bert.open("Anna");
  const picture = bert.page.getByRole("button", { name: "Open lake.jpg" });
  const [wide, high] = await loaded(picture.locator("img"));
  assert.ok(wide <= 512 && Math.abs(wide / high - 1.5) < 0.02, `a thumbnail, not ${wide}×${high}`);
  await picture.focus();
  await bert.page.keyboard.press("Enter");
  const dialog = bert.page.getByRole("dialog", { name: "lake.jpg" });
  assert.deepEqual(await loaded(dialog.getByRole("img", { name: "lake.jpg" })), [1920, 1280]);
  const download = bert.page.waitForEvent("download");
  await dialog.getByRole("link", { name: "Download" }).click();
  assert.equal((await download).suggestedFilename(), "lake.jpg");
  await bert.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await bert.page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Open lake.jpg");
});

test("a picture has its place before it is there", async () => {
  await attach(anna, { name: "wide.png", mimeType: "image/png", buffer: await drawn(anna.page, 600, 300, "image/png") });
  await anna.say("");
  await row(anna).getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await bert.page.route("**/thumbnail?*", async (route) => {
    await held;
    await route.continue();
  });
  await bert.open("Anna");
  const picture = bert.page.getByRole("button", { name: "Open wide" });
  await picture.waitFor();
  const before = await picture.boundingBox();
  assert.ok(before.height > 100, "it has room");
  assert.match(await picture.evaluate((element) => element.style.backgroundImage), /^url\("data:image\/png/);
  release();
  await loaded(picture.locator("img"));
  assert.deepEqual(await picture.boundingBox(), before);
});

test("an original is sent as it is, byte for byte", async () => {
  const picture = await drawn(anna.page, 2400, 1000, "image/png");
  await attach(anna, { name: "plan.png", mimeType: "image/png", buffer: picture });
  await anna.page.getByLabel("Send pictures in their original size").check();
  await anna.page.getByRole("button", { name: "Send", exact: true }).click();
  await row(anna).getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  const [media] = (await messages(server, anna))[0].body.attachments;
  assert.deepEqual([media.width, media.size, media.name], [2400, picture.length, "plan.png"]);
  assert.equal(media.sha256, createHash("sha256").update(picture).digest("hex"));
});

test("what is pasted and dropped is attached, can be taken out, and several are an album", async () => {
  const { page } = anna;
  const picture = await drawn(page, 300, 200, "image/png");
  const give = (how, name) =>
    page.evaluate(
      ([how, name, bytes]) => {
        const given = new DataTransfer();
        given.items.add(new File([Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0))], name, { type: "image/png" }));
        if (how === "paste") document.querySelector("textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
        else for (const type of ["dragover", "drop"]) document.querySelector(".log").dispatchEvent(new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
      },
      [how, name, picture.toString("base64")],
    );
  await give("paste", "image.png");
  await give("drop", "two.png");
  await attach(anna, ...["three.png", "four.png"].map((name) => ({ name, mimeType: "image/png", buffer: picture })));
  await page.getByRole("button", { name: "Remove two.png" }).click();
  assert.equal(await attached(anna).count(), 3);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await row(anna).getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await bert.chat("Anna").getByText("📷 3 photos").waitFor();
  await bert.open("Anna");
  const album = bert.page.locator(".album").getByRole("button", { name: /^Open/ });
  await album.nth(2).waitFor();
  assert.equal(await album.count(), 3);
  await bert.page.getByRole("button", { name: "Open image" }).click();
  const dialog = bert.page.getByRole("dialog");
  await dialog.getByText("1 of 3").waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Previous" }).count(), 0);
  await bert.page.keyboard.press("ArrowRight");
  await dialog.getByText("2 of 3").waitFor();
  await bert.page.keyboard.press("+");
  assert.equal(await dialog.getByRole("button", { name: "Smaller" }).isEnabled(), true);
  await bert.page.keyboard.press("-");
  await dialog.getByRole("button", { name: "Next" }).click();
  await dialog.getByText("3 of 3").waitFor();
  // The focus cannot leave it.
  for (let turn = 0; turn < 12; turn += 1) {
    await bert.page.keyboard.press("Tab");
    assert.ok(await bert.page.evaluate(() => document.activeElement === document.body || !!document.activeElement.closest("dialog")));
  }
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
});

test("a file is a card, and what could run is only downloaded", async () => {
  await attach(anna, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("milk\nbread") }, { name: "page.html", mimeType: "text/html", buffer: Buffer.from("<script>alert(1)</script>") });
  await anna.say("two files");
  await bert.open("Anna");
  const card = bert.message("two files").getByRole("link", { name: /page.html/ });
  await card.getByText("25 bytes").waitFor();
  await bert.message("two files").getByRole("link", { name: /notes.txt/ }).waitFor();
  const download = bert.page.waitForEvent("download");
  await card.click();
  assert.equal(readFileSync(await (await download).path(), "utf8"), "<script>alert(1)</script>");
  assert.equal((await download).suggestedFilename(), "page.html");
  const picture = { name: "map.png", mimeType: "image/png", buffer: await drawn(anna.page, 60, 40, "image/png") };
  await attach(anna, picture, { name: "route.gpx", mimeType: "application/gpx+xml", buffer: Buffer.from("nowhere") });
  await anna.page.getByRole("button", { name: "Send", exact: true }).click();
  await bert.chat("Anna").getByText("📎 2 attachments").waitFor();
});

test("a video plays in its place, from any place", async () => {
  const video = await anna.page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
    const paint = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm;codecs=vp8" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    for (let frame = 0; frame < 30; frame += 1) {
      paint.fillStyle = `hsl(${frame * 12} 80% 50%)`;
      paint.fillRect(0, 0, 320, 180);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  await attach(anna, { name: "film.webm", mimeType: "video/webm", buffer: Buffer.from(video) });
  await anna.say("a film");
  await bert.chat("Anna").getByText("🎬 a film").waitFor();
  await bert.open("Anna");
  const element = bert.message("a film").locator("video");
  await element.waitFor();
  const shown = await element.evaluate(async (video) => {
    video.muted = true;
    await video.play();
    await new Promise((resolve) => (video.ontimeupdate = () => video.currentTime > 0.3 && resolve()));
    video.pause();
    video.currentTime = 0;
    await new Promise((resolve) => (video.onseeked = resolve));
    return [video.videoWidth, video.videoHeight, video.currentTime];
  });
  assert.deepEqual(shown, [320, 180, 0]);
});
