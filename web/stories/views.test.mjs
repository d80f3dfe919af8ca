// What the main views look like, at a desk and on a phone, by day and by night: pictures, and what axe finds in them.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { attach, browser, drawn, loaded, Person, Server } from "./world.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

let chromium;
let server;
let people;

/** Nothing of the web content's accessibility guidelines, levels A and AA, is violated in what is on screen. */
async function accessible({ page }) {
  // Through the debugger, which the page's policy does not bind.
  const { violations } = await page.evaluate(async () => {
    const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] };
    return globalThis.axe.run(document, options);
  });
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`), []);
}

/** Somebody's newest chat gets a voice message of 14 seconds, as if they had spoken. */
async function speak(person) {
  const [rate, all] = [8_000, 14 * 8_000];
  const wave = Buffer.alloc(44 + all * 2);
  wave.write("RIFF\0\0\0\0WAVEfmt ", "latin1");
  wave.writeUInt32LE(36 + all * 2, 4);
  [16, rate, rate * 2].forEach((value, n) => wave.writeUInt32LE(value, [16, 24, 28][n]));
  [1, 1, 2, 16].forEach((value, n) => wave.writeUInt16LE(value, [20, 22, 32, 34][n]));
  wave.write("data", 36);
  wave.writeUInt32LE(all * 2, 40);
  for (let n = 0; n < all; n += 1) {
    const loud = Math.abs(Math.sin(n / 3_100) * Math.sin(n / 17_000) * Math.cos(n / 900));
    wave.writeInt16LE(Math.round(20_000 * loud * Math.sin(n / 7)), 44 + n * 2);
  }
  const token = await person.token();
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "audio/wav" };
  const media = await (await fetch(`${server.address}/v1/media`, { method: "POST", headers, body: wave })).json();
  const { items } = await server.ask("GET", "/v1/users/me/conversations", token);
  const client_id = await person.page.evaluate(() => {
    const hex = Date.now().toString(16).padStart(12, "0") + crypto.randomUUID().replaceAll("-", "");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  });
  await server.ask("POST", `/v1/conversations/${items[0].id}/messages`, token, { client_id, attachments: [media.id] });
}

before(async () => {
  chromium = await browser();
  server = await Server.start();
  people = { anna: await Person.arrive(chromium, server, "anna", "Anna Berg", { colorScheme: "light" }) };
  for (const [username, name] of [["bert", "Bert Weiß"], ["cem", "Cem Ünal"], ["dina", "دينا خليل"]]) {
    people[username] = await Person.arrive(chromium, server, username, name);
  }
  const { anna, bert, cem, dina } = people;
  for (const [person, text] of [[bert, "The train is at 9:12 from platform 3."], [dina, "صباح الخير! هل نلتقي غداً؟"], [cem, "I have the photos from Sunday 📷"]]) {
    await person.converse("anna", "Anna Berg");
    await person.say(text);
  }
  for (const [index, hue] of [150, 20, 260].entries()) {
    const buffer = await drawn(cem.page, 1200, index === 0 ? 600 : 900, "image/jpeg", hue);
    await attach(cem, { name: `sunday-${index + 1}.jpg`, mimeType: "image/jpeg", buffer });
  }
  await cem.say("Up there it was windy!");
  await cem.message("windy").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await attach(cem, { name: "route to the summit.gpx", mimeType: "application/gpx+xml", buffer: Buffer.alloc(48_213, 1) });
  await cem.say("");
  await cem.page.getByRole("link", { name: /route to the summit/ }).waitFor();
  await speak(cem);
  await anna.open("Bert");
  for (const text of ["Good, I will be there at nine.", "Shall I bring breakfast?\nCoffee, two rolls, and the good jam."]) await anna.say(text);
  await bert.say("Yes please! https://example.org/rolls");
  await anna.message("Yes please").waitFor();
  await anna.message("Good, I will").getByRole("img", { name: "Read", exact: true }).waitFor();
  // The index follows the log a little later.
  const found = async () => (await server.ask("GET", "/v1/search?q=breakfast", await anna.token())).items.length;
  while ((await found()) === 0) await anna.page.waitForTimeout(200);
});
after(async () => {
  for (const person of Object.values(people)) await person.context.close();
  await server.end();
  await chromium.close();
});

for (const [where, options] of [["desk", {}], ["phone", phone]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`at a ${where}, ${colorScheme}`, async () => {
      const person = await Person.visit(chromium, server, { ...options, colorScheme, bypassCSP: true });
      await person.page.addScriptTag({ path: axe });
      await person.page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
      const name = (view) => `${view}-${where}-${colorScheme}`;
      await accessible(person);
      await person.picture(name("entrance"));
      await person.page.getByLabel("Username").fill("anna");
      await person.page.getByLabel("Password").fill("correct horse");
      await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
      await person.chat("Cem").waitFor();
      await accessible(person);
      await person.picture(name("chats"));
      await person.open("Bert");
      await person.message("Yes please").waitFor();
      await accessible(person);
      await person.picture(name("thread"));
      await person.page.getByRole("button", { name: "Search in this chat" }).click();
      await person.page.getByRole("searchbox").fill("breakfast coffee");
      await person.page.locator(".found").waitFor();
      await accessible(person);
      await person.picture(name("search"));
      await person.page.keyboard.press("Escape");
      await person.page.getByRole("log").locator(".day button").first().click();
      await person.page.getByRole("dialog", { name: "Jump to a date" }).waitFor();
      await accessible(person);
      await person.page.keyboard.press("Escape");
      await person.page.getByRole("button", { name: /Bert Weiß/ }).and(person.page.locator(".head-title")).click();
      await person.page.getByRole("dialog").waitFor();
      await accessible(person);
      await person.picture(name("details"));
      await person.page.keyboard.press("Escape");
      if (where === "phone") await person.page.getByRole("button", { name: "Back" }).click();
      await person.open("Cem");
      await loaded(person.message("windy").locator(".picture img").first());
      await person.page.getByText("0:14").scrollIntoViewIfNeeded();
      await attach(person, { name: "reply.png", mimeType: "image/png", buffer: await drawn(person.page, 300, 300, "image/png", 90) });
      await person.page.getByLabel("Send pictures in their original size").waitFor();
      await accessible(person);
      await person.picture(name("media"));
      const outside = await person.page.locator(".bubble *").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > one.closest(".bubble").getBoundingClientRect().right + 1).length);
      assert.equal(outside, 0, "something is wider than its message");
      await person.page.getByRole("button", { name: "Open sunday-1.jpg" }).click();
      await loaded(person.page.getByRole("dialog").getByRole("img", { name: "sunday-1.jpg" }));
      await accessible(person);
      await person.picture(name("lightbox"));
      await person.page.keyboard.press("Escape");
      await person.page.getByRole("button", { name: "Remove reply.png" }).click();
      if (where === "phone") await person.page.getByRole("button", { name: "Back" }).click();
      await person.page.getByRole("button", { name: "Settings" }).click();
      await person.page.getByText("This device", { exact: true }).waitFor();
      await accessible(person);
      await person.picture(name("settings"));
      assert.equal(await person.page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "it scrolls sideways");
      await person.context.close();
    });
  }
}

test("from right to left, nothing lies outside", async () => {
  const { dina } = people;
  await dina.page.evaluate(() => (document.documentElement.dir = "rtl"));
  await dina.open("Anna");
  await dina.picture("thread-desk-rtl");
  assert.equal(await dina.page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  const list = await dina.page.getByRole("navigation").boundingBox();
  assert.ok(list.x > 600, "the list is at the right");
});

test("everything can be done with the keyboard", async () => {
  const { cem } = people;
  const { page } = cem;
  await page.reload();
  await cem.chat("Anna").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Anna Berg" }).waitFor();
  await page.locator("textarea:focus").waitFor();
  await page.keyboard.type("typed without a mouse");
  await page.keyboard.press("Enter");
  await cem.message("typed without a mouse").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.getByText("Editing").waitFor();
  await page.keyboard.press("End");
  await page.keyboard.type(", and changed");
  await page.keyboard.press("Enter");
  await cem.message("typed without a mouse, and changed").getByText("edited").waitFor();
  await page.getByLabel("Write a message").focus();
  for (let turn = 0; turn < 12; turn += 1) {
    await page.keyboard.press("Shift+Tab");
    if (await page.evaluate(() => document.activeElement.getAttribute("aria-label") === "React")) break;
  }
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "👍" }).focus();
  await page.keyboard.press("Enter");
  await cem.page.getByRole("button", { name: "👍" }).waitFor();
});
