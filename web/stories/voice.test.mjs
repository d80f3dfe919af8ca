// Voices and faces: messages that are spoken, and the pictures of people and groups.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { browser, drawn, loaded, messages, Person, Server } from "./world.mjs";

let chromium;
let server;
let anna;
let bert;

before(async () => {
  chromium = await browser(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]);
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

const row = (person) => person.page.getByRole("log").getByRole("article").last();

test("a voice message is recorded, sent, seen as a wave and heard", async () => {
  const { page } = anna;
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.getByRole("timer").getByText("0:02").waitFor();
  await page.getByRole("button", { name: "Send voice message" }).click();
  await row(anna).getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await page.locator("textarea:focus").waitFor();
  await bert.chat("Anna").getByText("🎤 Voice message").waitFor();
  await bert.open("Anna");
  const voice = row(bert);
  await voice.getByText(/^0:0[23]$/).waitFor();
  const bars = await voice.locator("rect").evaluateAll((all) => all.map((bar) => Number(bar.getAttribute("height"))));
  assert.ok(Math.max(...bars) === 30 && bars.length === 48, "a waveform");
  await voice.getByRole("button", { name: "Play" }).click();
  await voice.getByRole("button", { name: "Pause" }).click();
  const slider = voice.getByRole("slider", { name: "Position" });
  await slider.focus();
  await bert.page.keyboard.press("Home");
  for (let step = 0; step < 10; step += 1) await bert.page.keyboard.press("ArrowRight");
  assert.match(await slider.getAttribute("aria-valuetext"), /^0:01 \/ 0:0[23]$/);
  await voice.getByRole("button", { name: "Speed 1×" }).click();
  await voice.getByRole("button", { name: "Speed 1.5×" }).waitFor();

  // A recording that is thrown away is none.
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.getByRole("timer").getByText("0:01").waitFor();
  await page.keyboard.press("Escape");
  await page.getByLabel("Write a message").waitFor();
  assert.equal((await messages(server, anna)).length, 1);
});

test("who refuses the microphone is told so", async () => {
  await anna.page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
  });
  await anna.page.getByRole("button", { name: "Record a voice message" }).click();
  await anna.page.getByRole("alert").getByText("may not use your microphone").waitFor();
  await anna.page.getByLabel("Write a message").waitFor();
});

test("one has a picture of oneself, a group has one, and both are taken away again", async () => {
  const face = { name: "face.png", mimeType: "image/png", buffer: await drawn(anna.page, 900, 600, "image/png") };
  await anna.say("hello");
  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("dialog").locator("input[type=file]").setInputFiles(face);
  await anna.page.getByRole("button", { name: "Remove picture" }).waitFor();
  assert.deepEqual(await loaded(anna.page.getByRole("dialog").locator(".avatar img")), [512, 512]);
  await anna.page.keyboard.press("Escape");
  await bert.page.reload();
  assert.deepEqual(await loaded(bert.chat("Anna").locator(".avatar img")), [512, 512]);
  await anna.page.reload();
  await loaded(anna.page.getByRole("button", { name: "Settings" }).locator(".avatar img"));
  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("button", { name: "Remove picture" }).click();
  await anna.page.getByRole("button", { name: "Remove picture" }).waitFor({ state: "detached" });
  assert.equal(await anna.page.locator(".avatar img").count(), 0);
  await anna.page.keyboard.press("Escape");

  await anna.page.getByRole("button", { name: "New chat" }).click();
  await anna.page.getByRole("tab", { name: "New group" }).click();
  await anna.page.getByLabel("Title").fill("Walks");
  await anna.page.getByLabel("Add people by their username").fill("bert");
  await anna.page.getByRole("dialog").getByRole("button", { name: "Bert", pressed: false }).click();
  await anna.page.getByRole("dialog").getByRole("button", { name: "New group" }).click();
  await anna.page.getByRole("region", { name: "Walks" }).waitFor();
  await anna.page.locator(".head-title").click();
  await anna.page.getByRole("dialog").locator("input[type=file]").setInputFiles(face);
  await anna.page.getByRole("button", { name: "Remove picture" }).waitFor();
  await loaded(bert.chat("Walks").locator(".avatar img"));
  await anna.page.getByRole("button", { name: "Remove picture" }).click();
  await bert.chat("Walks").locator(".avatar img").waitFor({ state: "detached" });
});
