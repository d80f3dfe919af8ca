// Finding what was said: by its words, by a link, and by who it was for.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { browser, Person, Server, UNLIMITED, until } from "./world.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
/** More than the window of a thread holds, so that the beginning must be read again. */
const WALK = 460;

let chromium;
let server;
let anna;
let bert;
let walk;

before(async () => {
  chromium = await browser();
  server = await Server.start(UNLIMITED);
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  const token = await anna.token();
  const id = (username) => server.ask("GET", `/v1/users?username=${username}`, token).then(({ items }) => items[0].id);
  walk = await server.ask("POST", "/v1/conversations", token, { kind: "group", title: "Sunday walk", members: [await id("bert")] });
  await server.say(token, walk.id, "Who brings the Übergrößen-Picknickdecke? 🧺", { mentions: [await id("bert")] });
  for (let n = 1; n < WALK; n += 1) {
    await server.say(token, walk.id, n === 300 ? "The blanket is 🧺 in the car, the picnic basket beside it" : `step ${n}`);
  }
  await anna.converse("bert", "Bert");
  await anna.say("A picnic basket costs forty. <b>Really</b>.");
  await anna.message("forty").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  // The index follows the log a little later.
  const found = async () => (await server.ask("GET", "/v1/search?q=picnic", token)).items.length;
  while ((await found()) < 2) await new Promise((resolve) => setTimeout(resolve, 200));
});
after(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    assert.deepEqual(person.elsewhere, [], "something was asked of another host");
    await person.context.close();
  }
  await server.end();
  await chromium.close();
});

const field = ({ page }) => page.getByRole("search").getByRole("searchbox");
const found = ({ page }) => page.getByRole("navigation", { name: "Chats" }).locator(".found");

/** It is on screen, it stands out, and who cannot see it is told. */
async function isTakenTo(person, text) {
  const message = person.message(text);
  await message.waitFor();
  await message.and(person.page.locator(":focus")).waitFor();
  const box = await message.boundingBox();
  const log = await person.page.getByRole("log").boundingBox();
  assert.ok(box.y >= log.y && box.y + box.height <= log.y + log.height, "it is on screen");
}

test("words are found with the keyboard alone, and lead to the message", async () => {
  const { page } = bert;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("picnic bask");
  await found(bert).first().waitFor();
  assert.deepEqual(await found(bert).first().locator("mark").allInnerTexts(), ["picnic", "basket"]);
  await page.getByRole("status").getByText("2 messages found").waitFor({ state: "attached" });
  // What people write is text, also in a result.
  assert.equal(await found(bert).filter({ hasText: "<b>Really</b>" }).count(), 1);
  assert.equal(await found(bert).filter({ hasText: "Sunday walk" }).getByText(/Anna Berg: .*in the car/).count(), 1);

  for (let turn = 0; turn < 3; turn += 1) {
    await page.keyboard.press("ArrowDown");
    if (await page.evaluate(() => document.activeElement.textContent.includes("Sunday walk"))) break;
  }
  await page.keyboard.press("Enter");
  await isTakenTo(bert, "The blanket is");
  await page.getByRole("status").getByText(/Anna Berg, Today/).waitFor({ state: "attached" });
  await bert.picture("search-desk-light");
  // What stands before it is not read by that.
  await page.getByRole("button", { name: /Jump to the latest, 460 unread/ }).waitFor();
  // From there one goes on in both directions, and back to the end.
  await page.getByRole("button", { name: "Jump to the latest" }).click();
  await bert.message(`step ${WALK - 1}`).waitFor();
  await field(bert).focus();
  await page.keyboard.press("Escape");
  await page.locator(".found").first().waitFor({ state: "detached" });
  await bert.chat("Sunday walk").waitFor();
});

test("one looks in one conversation, and then everywhere", async () => {
  const { page } = anna;
  await anna.open("Sunday walk");
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await page.locator("input.filter:focus").waitFor();
  await page.keyboard.type("ubergroßen");
  await found(anna).waitFor();
  assert.deepEqual(await found(anna).locator("mark").allInnerTexts(), ["Übergrößen"]);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("forty");
  await page.getByText("Nothing found.").waitFor();
  await page.getByRole("button", { name: "Search everywhere" }).click();
  await found(anna).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
});

test("what is found often comes page by page", async () => {
  const { page } = anna;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("step");
  await found(anna).nth(29).waitFor();
  assert.equal(await found(anna).count(), 30);
  await page.getByRole("button", { name: "More" }).click();
  await found(anna).nth(59).waitFor();
  const texts = await found(anna).locator(".chat-last").allTextContents();
  assert.equal(new Set(texts).size, texts.length, "none comes twice");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
});

test("people and conversations come before messages", async () => {
  const { page } = anna;
  const cem = await Person.arrive(chromium, server, "cem", "Cem Ünal");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("cem");
  await page.getByRole("navigation").getByRole("button", { name: "Cem Ünal" }).click();
  await page.getByRole("region", { name: "Cem Ünal" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("sunday");
  await anna.chat("Sunday walk").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Sunday walk" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await cem.context.close();
});

test("a search that fails says so, and can be tried again", async () => {
  const { page } = anna;
  await page.route("**/v1/search?**", (route) => route.abort());
  await page.keyboard.press("Control+k");
  await page.keyboard.type("picnic");
  await page.getByText("The search did not work.").waitFor();
  await page.unroute("**/v1/search?**");
  await page.getByRole("alert").getByRole("button", { name: "Retry" }).click();
  await found(anna).first().waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
});

test("who was mentioned finds where", async () => {
  const { page } = bert;
  await page.getByRole("button", { name: "Mentions" }).click();
  await found(bert).filter({ hasText: "Who brings the" }).click();
  await isTakenTo(bert, "Who brings the");
  await page.getByRole("search").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Jump to the latest" }).click();
});

test("one goes to a day, and to what was answered long ago", async () => {
  const { page } = bert;
  await bert.open("Sunday walk");
  // All was said today: its first message is the first of all, far from the end.
  await page.getByRole("log").getByRole("button", { name: "Today" }).first().click();
  await page.getByRole("dialog", { name: "Jump to a date" }).getByRole("button", { name: "Go" }).click();
  await page.getByText("Anna Berg began this chat").waitFor();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await bert.message("Who brings the").waitFor();
  await bert.message("Who brings the").hover();
  await bert.message("Who brings the").getByRole("button", { name: "Reply" }).click();
  await bert.say("I do");
  await bert.message("I do").getByRole("img", { name: /Sent|Delivered|Read/ }).waitFor();
  await page.reload();
  await bert.open("Sunday walk");
  await bert.message("I do").getByRole("button", { name: /Anna Berg.*Who brings/ }).click();
  await isTakenTo(bert, "Who brings the");
});

test("a link leads to a message, and what is no longer there to its place", async () => {
  const { page } = bert;
  const of = async (text) => (await server.ask("GET", `/v1/search?q=${encodeURIComponent(text)}`, await bert.token())).items[0].message;
  const { seq } = await of("blanket");
  await page.evaluate(([id, seq]) => (location.hash = `${id}/${seq}`), [walk.id, seq]);
  await isTakenTo(bert, "The blanket is");
  assert.equal(new URL(page.url()).hash, "");
  // What is written as one opens here, and not in another window.
  await anna.open("Sunday walk");
  await anna.say(`Remember? ${server.address}/#${walk.id}/2`);
  await page.getByRole("button", { name: "Jump to the latest" }).click();
  await bert.message("Remember?").getByRole("link").click();
  await isTakenTo(bert, "Who brings the");
  assert.equal(bert.context.pages().length, 1);
  // Where one is not, one is not taken.
  const token = await anna.token();
  const alone = await server.ask("POST", "/v1/conversations", token, { kind: "group", title: "Alone", members: [] });
  await page.goto(`${server.address}/#${alone.id}/1`);
  await page.getByText("You are not in that chat.").waitFor();
  // From outside, when the client is not there yet.
  await page.goto("about:blank");
  await page.goto(`${server.address}/#${walk.id}/${seq}`);
  await isTakenTo(bert, "The blanket is");
  bert.elsewhere.length = 0;
});

for (const colorScheme of ["light", "dark"]) {
  test(`on a phone, ${colorScheme}, the list comes over the thread and goes again`, async () => {
    const person = await Person.signIn(chromium, server, "bert", { ...phone, colorScheme, bypassCSP: true });
    const { page } = person;
    await page.addScriptTag({ path: axe });
    if (colorScheme === "dark") await page.evaluate(() => (document.documentElement.dir = "rtl"));
    await person.open("Sunday walk");
    await page.getByRole("button", { name: "Search in this chat" }).click();
    await field(person).fill("basket");
    await found(person).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "it scrolls sideways");
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`), []);
    await person.picture(`search-phone-${colorScheme}`);
    await found(person).click();
    await isTakenTo(person, "The blanket is");
    // The phone's own way back, and the client's.
    if (colorScheme === "light") await page.goBack();
    else await page.getByRole("button", { name: "Back" }).click();
    await found(person).waitFor();
    await page.getByRole("search").getByRole("button", { name: "Close" }).click();
    await person.chat("Sunday walk").waitFor();
    await person.context.close();
  });
}

test("what lies under the list reads nothing, and waits where it was", async () => {
  const person = await Person.signIn(chromium, server, "bert", phone);
  const { page } = person;
  await person.open("Sunday walk");
  const log = page.getByRole("log");
  await person.message("began this chat").or(person.message("step")).first().waitFor();
  await page.waitForLoadState("networkidle");
  const seen = () => log.evaluate((box) => [...box.querySelectorAll("[data-seq]")].find((row) => row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight / 2).textContent);
  // A page is under way when the list comes, as with everybody who has just scrolled.
  const asked = [];
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  await page.route("**/messages?*", async (route) => {
    asked.push(route.request().url());
    await held;
    await route.continue();
  });
  await log.evaluate((box) => (box.scrollTop = 0));
  await until(() => asked.length === 1);
  const before = await seen();
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await log.waitFor({ state: "hidden" });
  letGo();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(asked.length, 1, "it goes on reading what nobody sees");
  await page.getByRole("search").getByRole("button", { name: "Close" }).click();
  // It is put back after it was laid out.
  await until(async () => (await seen()) === before);
  await person.context.close();
});

test("what comes while the list lies over the thread is not read", async () => {
  const person = await Person.signIn(chromium, server, "bert", phone);
  const { page } = person;
  await person.chat("forty").click();
  await person.message("forty").waitFor();
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await anna.open("Bert");
  await anna.say("Rain from noon");
  const sign = (name) => anna.message("Rain from noon").getByRole("img", { name, exact: true }).waitFor();
  await sign("Delivered");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await sign("Delivered");
  await page.getByRole("search").getByRole("button", { name: "Close" }).click();
  await person.message("Rain from noon").waitFor();
  await sign("Read");
  await person.context.close();
});
