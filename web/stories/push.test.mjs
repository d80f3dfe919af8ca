// Being told of messages: by a push that a real server has encrypted, and by a page that nobody sees.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { PushService } from "./push-service.mjs";
import { browser, FAMILIAR, Person, Server } from "./world.mjs";

let chromium;
let server;
let service;
let anna;
let bert;

before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

beforeEach(async () => {
  server = await Server.start(`${FAMILIAR}[push]\nallow_loopback_for_tests = true\n`);
  service = await PushService.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß", { permissions: ["notifications"] });
  await bert.page.evaluate(() => navigator.serviceWorker.ready);
});
afterEach(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    await person.context.close();
  }
  service.end();
  await server.end();
});

const worker = () => bert.context.serviceWorkers()[0];
const moment = () => new Promise((resolve) => setTimeout(resolve, 50));

/** What is shown to Bert. */
const shown = () =>
  worker().evaluate(async () => (await self.registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, seq: data.seq })));

/** Waits until this is shown to Bert. */
async function shows(...expected) {
  for (;;) {
    const now = (await shown()).map(({ title, body }) => `${title}: ${body}`);
    if (JSON.stringify(now) === JSON.stringify(expected)) return;
    await moment();
  }
}

/** Bert clicks a notification. */
const click = () =>
  worker().evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  });

const hide = (page, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (value ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

async function turnOn() {
  await bert.page.getByRole("button", { name: "Settings" }).click();
  await bert.page.getByRole("switch", { name: "Notifications on this device" }).check();
  // No push service answers this browser, so only open pages tell.
  await bert.page.getByText("You are told while Kith is open").waitFor();
  await bert.page.keyboard.press("Escape");
}

test("a push is shown, the newest of a conversation alone, and leads to the right place", async () => {
  // Where the worker is, for who speaks as a push service.
  const devtools = await bert.context.newCDPSession(bert.page);
  const registered = new Promise((resolve) =>
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId)),
  );
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  const deliver = (data) => devtools.send("ServiceWorker.deliverPushMessage", { origin: server.address, registrationId, data });

  const token = await bert.token();
  const [device] = (await server.ask("GET", "/v1/users/me/devices", token)).items;
  await server.ask("PUT", `/v1/users/me/devices/${device.id}/push`, token, service.subscription());
  await bert.page.goto("about:blank");
  await anna.converse("bert", "Bert");
  await anna.say("Are you asleep?");
  await deliver((await service.texts(1)).at(-1));
  await shows("Anna Berg: Are you asleep?");
  await anna.say("Wake up!");
  const texts = await service.texts(2);
  await deliver(texts[1]);
  await shows("Anna Berg (2): Wake up!");
  // A push service may give the older one last.
  await deliver(texts[0]);
  await shows("Anna Berg (2): Wake up!");

  await bert.page.goto(server.address);
  await bert.page.getByRole("heading", { name: "Chats" }).waitFor();
  await bert.page.waitForFunction(() => document.title === "(1) Kith");
  await click();
  await bert.message("Wake up!").waitFor();
  await shows();
  await bert.page.waitForFunction(() => document.title === "Kith");
  // Nobody is told what they see.
  await deliver(JSON.stringify({ ...JSON.parse(texts[1]), seq: 99 }));
  await deliver(JSON.stringify({ ...JSON.parse(texts[1]), seq: 1, conversation: "another", title: "Another" }));
  await shows("Another (2): Wake up!");

  // A window that is opened for a notification opens at its conversation.
  const { conversation } = JSON.parse(texts[1]);
  const page = await bert.context.newPage();
  await page.goto(`${server.address}/#${conversation}`);
  await page.getByRole("region", { name: "Anna Berg" }).waitFor();
  assert.equal(new URL(page.url()).hash, "");
});

test("a page that nobody sees tells of what comes, once and not of what is muted", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("hello");
  await bert.chat("Anna").getByText("1 unread message").waitFor();
  await turnOn();
  const other = await bert.context.newPage();
  await other.goto(server.address);
  await other.getByRole("heading", { name: "Chats" }).waitFor();
  // Somebody sees one of the pages.
  await hide(bert.page, true);
  await anna.say("seen");
  await bert.chat("Anna").getByText("2 unread messages").waitFor();
  // Nobody sees any.
  await hide(other, true);
  await anna.say("unseen");
  await shows("Anna Berg (3): unseen");
  await anna.say("unseen too");
  await shows("Anna Berg (4): unseen too");
  assert.equal(await bert.page.title(), "(1) Kith");
  // What was read is told no longer.
  await hide(bert.page, false);
  await bert.open("Anna");
  await shows();
  // Muted is muted; what comes behind it shows that it was passed over.
  await bert.page.locator(".head-title").click();
  await bert.page.getByRole("button", { name: "Mute", exact: true }).click();
  await bert.page.getByRole("button", { name: "Unmute", exact: true }).waitFor();
  await bert.page.keyboard.press("Escape");
  await hide(bert.page, true);
  await anna.say("muted");
  await bert.message("muted").waitFor();
  await anna.page.getByRole("button", { name: "New chat" }).click();
  await anna.page.getByRole("tab", { name: "New group" }).click();
  await anna.page.getByLabel("Title").fill("Choir");
  await anna.page.getByLabel("Add people by their username").fill("bert");
  await anna.page.getByRole("dialog").getByRole("button", { name: "Bert", pressed: false }).click();
  await anna.page.getByRole("dialog").getByRole("button", { name: "New group" }).click();
  await anna.page.getByRole("region", { name: "Choir" }).waitFor();
  await bert.chat("Choir").waitFor();
  await anna.say("la la la");
  await shows("Choir: Anna Berg: la la la");
  assert.equal(await bert.page.title(), "(1) Kith");
});

test("notifications are turned on and off, and end with signing out", async () => {
  await anna.converse("bert", "Bert");
  await turnOn();
  await bert.page.reload();
  await bert.page.getByRole("button", { name: "Settings" }).click();
  const toggle = bert.page.getByRole("switch", { name: "Notifications on this device" });
  assert.equal(await toggle.isChecked(), true);
  await bert.picture("notifications");
  await toggle.uncheck();
  await bert.page.getByText("You are not told of new messages").waitFor();
  await toggle.check();
  await bert.page.getByText("You are told while Kith is open").waitFor();
  await bert.page.keyboard.press("Escape");
  await hide(bert.page, true);
  await anna.say("hello");
  await shows("Anna Berg: hello");
  await bert.page.getByRole("button", { name: "Settings" }).click();
  await bert.page.getByRole("button", { name: "Sign out", exact: true }).click();
  await bert.page.getByRole("heading", { name: "Kith" }).waitFor();
  await shows();
  assert.deepEqual(await bert.page.evaluate(() => Object.keys(localStorage)), []);
});

test("a browser that was told no says so", async () => {
  // Without the permission, which nobody is asked for here.
  await anna.page.getByRole("button", { name: "Settings" }).click();
  const toggle = anna.page.getByRole("switch", { name: "Notifications on this device" });
  // Chromium without a screen answers no by itself, at the latest when it is asked.
  if (await toggle.isEnabled()) await toggle.click();
  await anna.page.getByText("Your browser blocks notifications").waitFor();
  await anna.page.waitForFunction(() => {
    const { checked, disabled } = document.querySelector("[role=switch]");
    return !checked && disabled;
  });
});
