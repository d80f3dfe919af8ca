// Emojis of all kinds, in messages and as reactions, with the keyboard and with a finger.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

let chromium;
let server;
let anna;
let bert;

before(async () => {
  chromium = await browser();
  server = await Server.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  await bert.page.getByRole("button", { name: "Settings" }).click();
  await bert.page.getByLabel("Language").selectOption("de");
  await bert.page.keyboard.press("Escape");
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

const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label"));

test("an emoji is found, walked to and written with the keyboard", async () => {
  const { page } = anna;
  await anna.converse("bert", "Bert");
  await page.getByLabel("Write a message").pressSequentially("Tea? ");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(page), "Emoji");
  await page.keyboard.press("Enter");
  await page.getByRole("searchbox", { name: "Search emoji" }).focus();
  await page.keyboard.type("tea cup");
  await page.getByRole("gridcell", { name: "teacup without handle" }).waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await page.getByLabel("Write a message").inputValue(), "Tea? 🍵");

  // Without words there are all of them; what was used lately is first.
  await page.getByRole("searchbox", { name: "Search emoji" }).fill("");
  await page.getByRole("rowgroup", { name: "Used lately" }).waitFor();
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "teacup without handle");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "grinning face");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "grinning face");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(page), "teacup without handle");
  // The grid is one stop.
  assert.equal(await page.locator('[role=grid] [tabindex="0"]').count(), 1);
  assert.ok((await page.getByRole("gridcell").count()) > 1900);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "Write a message");
  await page.keyboard.press("Enter");
  await anna.message("Tea? 🍵😀").waitFor();
});

test("any emoji is a reaction, by the name that it has in one's language", async () => {
  const { page } = bert;
  await bert.chat("Anna").click();
  const message = bert.message("Tea?");
  await message.hover();
  await message.getByRole("button", { name: "Reagieren" }).click();
  await message.getByRole("menuitem", { name: "Ein anderes Emoji" }).click();
  const dialog = page.getByRole("dialog", { name: "Reagieren" });
  await dialog.getByRole("combobox", { name: "Hautton" }).selectOption("3");
  await dialog.getByRole("searchbox", { name: "Emoji suchen" }).fill("winkende");
  await dialog.getByRole("gridcell").filter({ hasText: "👋🏽" }).click();
  await anna.message("Tea?").getByRole("button", { name: "👋🏽" }).waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  test(`on a phone, ${colorScheme}, the emojis have room and a name`, async () => {
    const person = await Person.signIn(chromium, server, "anna", { ...phone, colorScheme, bypassCSP: true });
    const { page } = person;
    await page.addScriptTag({ path: axe });
    if (colorScheme === "dark") await page.evaluate(() => (document.documentElement.dir = "rtl"));
    await person.open("Bert");
    await page.getByRole("button", { name: "Emoji", exact: true }).click();
    await page.getByRole("gridcell").first().waitFor();
    await page.getByRole("button", { name: "food & drink" }).click();
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "it scrolls sideways");
    await person.picture(`emoji-phone-${colorScheme}`);
    await page.getByRole("gridcell", { name: "grapes" }).click();
    assert.equal(await page.getByLabel("Write a message").inputValue(), "🍇");
    await person.context.close();
  });
}
