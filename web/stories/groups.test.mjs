// Groups, channels, and what one decides about oneself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

let chromium;
let server;
let people;

before(async () => {
  chromium = await browser();
  server = await Server.start();
  people = [];
  for (const name of ["Anna Berg", "Bert Weiß", "Cem Ünal"]) {
    people.push(await Person.arrive(chromium, server, name.slice(0, 4).trim().toLowerCase(), name));
  }
});
after(async () => {
  for (const person of people) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    await person.context.close();
  }
  await server.end();
  await chromium.close();
});

test("a group is made, named, joined, mentioned in, and left", async () => {
  const [anna, bert, cem] = people;
  await anna.page.getByRole("button", { name: "New chat" }).click();
  await anna.page.getByRole("tab", { name: "New group" }).click();
  await anna.page.getByLabel("Title").fill("Sunday walk");
  for (const [username, name] of [["bert", "Bert"], ["cem", "Cem"]]) {
    await anna.page.getByLabel("Add people by their username").fill(username);
    await anna.page.getByRole("dialog").getByRole("button", { name, pressed: false }).click();
  }
  await anna.page.getByRole("dialog").getByRole("button", { name: "New group" }).click();
  await anna.page.getByLabel("Write a message").waitFor();

  await anna.page.getByLabel("Write a message").pressSequentially("Who brings cake, @ce");
  await anna.page.getByRole("option", { name: "Cem" }).waitFor();
  await anna.page.keyboard.press("Enter");
  await anna.page.getByLabel("Write a message").pressSequentially("?");
  await anna.page.keyboard.press("Enter");
  await cem.chat("Sunday walk").getByTitle("You were mentioned").waitFor();
  assert.equal(await bert.chat("Sunday walk").getByTitle("You were mentioned").count(), 0);

  await cem.open("Sunday walk");
  await cem.message("Who brings cake, @cem ?").waitFor();
  await bert.open("Sunday walk");
  const message = anna.message("Who brings cake");
  await message.hover();
  await anna.page.waitForFunction(() => document.querySelector(".row.own .ticks.read"));
  await message.getByRole("button", { name: "Info" }).click();
  await anna.page.getByRole("dialog").getByText("Read by").waitFor();
  await anna.page.getByRole("dialog").getByText("Cem Ünal").waitFor();
  await anna.page.keyboard.press("Escape");

  await anna.page.getByRole("button", { name: /Sunday walk.*members/ }).click();
  await anna.page.getByLabel("Title").fill("Monday walk");
  await anna.page.getByRole("button", { name: "Save" }).click();
  await bert.page.getByRole("main").getByText("Monday walk").first().waitFor();
  await anna.page.getByRole("listitem").filter({ hasText: "Cem" }).getByRole("button", { name: "Remove" }).click();
  await anna.page.keyboard.press("Escape");
  await cem.page.getByText("Choose a chat").waitFor();

  await bert.page.getByRole("button", { name: /Monday walk.*members/ }).click();
  await bert.page.getByRole("button", { name: "Leave" }).click();
  await bert.page.getByText("Choose a chat").waitFor();
  await anna.page.getByText("Bert Weiß left").first().waitFor();
});

test("a channel is found and joined", async () => {
  const [anna, bert] = people;
  await anna.page.getByRole("button", { name: "New chat" }).click();
  await anna.page.getByRole("tab", { name: "Channels" }).click();
  await anna.page.getByLabel("Title").fill("News");
  await anna.page.getByRole("button", { name: "New channel" }).click();
  await anna.page.getByRole("region", { name: "News" }).waitFor();
  await anna.say("Welcome to the news");
  await bert.page.getByRole("button", { name: "New chat" }).click();
  await bert.page.getByRole("tab", { name: "Channels" }).click();
  await bert.page.getByRole("dialog").getByRole("button", { name: /News.*Join/ }).click();
  await bert.message("Welcome to the news").waitFor();
});

test("a chat is pinned, muted and put away", async () => {
  const [anna] = people;
  await anna.open("News");
  const open = () => anna.page.getByRole("button", { name: /^N News/ }).or(anna.page.locator(".head-title")).first().click();
  await open();
  for (const [does, undoes] of [["Pin", "Unpin"], ["Mute", "Unmute"]]) {
    await anna.page.getByRole("button", { name: does, exact: true }).click();
    await anna.page.getByRole("button", { name: undoes, exact: true }).waitFor();
  }
  await anna.page.getByRole("button", { name: "Archive", exact: true }).click();
  await anna.page.getByRole("button", { name: "Unarchive", exact: true }).waitFor();
  await anna.page.keyboard.press("Escape");
  await anna.chat("News").waitFor({ state: "detached" });
  await anna.page.getByRole("button", { name: "Archived" }).click();
  await anna.chat("News").getByTitle("Pin").waitFor();
});

test("one speaks another language, changes one's name and password, and goes", async () => {
  const [anna, bert, cem] = people;
  await cem.page.getByRole("button", { name: "Settings" }).click();
  await cem.page.getByLabel("Language").selectOption("de");
  await cem.page.getByRole("heading", { name: "Einstellungen" }).waitFor();
  assert.equal(await cem.page.locator("html").getAttribute("lang"), "de");
  await cem.page.getByLabel("Dein Name").fill("Cem der Große");
  await cem.page.getByRole("button", { name: "Speichern" }).click();
  await cem.page.getByLabel("Bisheriges Passwort").fill("correct horse");
  await cem.page.getByLabel("Neues Passwort").fill("battery staple");
  await cem.page.getByRole("button", { name: "Passwort ändern" }).click();
  await cem.page.getByText("Alle anderen Geräte sind abgemeldet").waitFor();
  await bert.page.reload();
  await bert.page.getByRole("button", { name: "New chat" }).click();
  await bert.page.getByLabel("Add people by their username").fill("cem");
  await bert.page.getByRole("dialog").getByRole("button", { name: "Cem der Große" }).waitFor();
  await bert.page.keyboard.press("Escape");
  await cem.page.getByRole("form").or(cem.page.locator("form.danger")).first().getByLabel("Passwort").fill("wrong password");
  await cem.page.getByRole("button", { name: "Konto löschen" }).click();
  await cem.page.locator("[role=status].wrong").filter({ hasText: /./ }).waitFor();
  await cem.page.locator("form.danger").getByLabel("Passwort").fill("battery staple");
  await cem.page.getByRole("button", { name: "Konto löschen" }).click();
  await cem.page.getByRole("button", { name: "Anmelden" }).waitFor();
  assert.equal(anna.elsewhere.length, 0);
});
