// Devices whose clocks are days off: what is shown of times, and what disappears, goes by the server's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

const DAY_MS = 86_400_000;
const LASTS_S = 8;

let chromium;
let server;
let anna;
let bert;

/** Puts the clock of a page off; the page may put it off otherwise later. */
function putOff(off) {
  const Right = Date;
  globalThis.clockIsOff = off;
  globalThis.Date = class extends Right {
    constructor(...parts) {
      if (parts.length === 0) super(Right.now() + globalThis.clockIsOff);
      else super(...parts);
    }
    static now() {
      return Right.now() + globalThis.clockIsOff;
    }
  };
}

before(async () => {
  chromium = await browser();
  server = await Server.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
  await anna.context.addInitScript(putOff, 3 * DAY_MS);
  await bert.context.addInitScript(putOff, -3 * DAY_MS);
  for (const { page } of [anna, bert]) {
    await page.reload();
    await page.getByRole("heading", { name: "Chats" }).waitFor();
  }
});
after(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    await person.context.close();
  }
  await server.end();
  await chromium.close();
});

test("today is today, and a message disappears when it should, whatever the device's clock says", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("this stays");
  await bert.open("Anna");
  await bert.message("this stays").waitFor();
  for (const { page } of [anna, bert]) await page.locator(".day").getByText("Today").waitFor();

  const [chat] = (await server.ask("GET", "/v1/users/me/conversations", await anna.token())).items;
  const lasts = (expire_after_s) => anna.token().then((token) => server.ask("PATCH", `/v1/conversations/${chat.id}`, token, { expire_after_s }));
  await lasts(3600);
  await anna.page.getByRole("region", { name: "Bert" }).getByText("1 hour").waitFor();
  await anna.say("this goes later");
  await lasts(LASTS_S);
  await anna.page.getByRole("region", { name: "Bert" }).getByText(`${LASTS_S} seconds`).waitFor();
  await anna.say("this goes");
  for (const person of [anna, bert]) {
    await person.message("this goes later").getByRole("img", { name: /Disappears in (1 hour|\d\d minutes)/ }).waitFor();
    await person.message("this goes").last().getByRole("img", { name: /Disappears in \d seconds?/ }).waitFor();
  }
  // The clock is set meanwhile: the server says what time it is.
  await anna.page.evaluate((off) => (globalThis.clockIsOff = off), -40 * DAY_MS);
  await bert.page.evaluate((off) => (globalThis.clockIsOff = off), 40 * DAY_MS);
  for (const person of [anna, bert]) {
    await person.page.getByRole("log").getByText("this goes", { exact: true }).waitFor({ state: "detached" });
    assert.equal(await person.message("this goes later").count(), 1);
    assert.equal(await person.message("this stays").count(), 1);
    await person.page.locator(".day").getByText("Today").waitFor();
  }
});

test("who was there just now was last seen at a time, not on another day", async () => {
  const url = bert.page.url();
  await bert.page.goto("about:blank");
  await anna.page.getByRole("region", { name: "Bert" }).getByText(/^last seen \d\d:\d\d\s?([AP]M)?$/).waitFor();
  await bert.page.goto(url);
});
