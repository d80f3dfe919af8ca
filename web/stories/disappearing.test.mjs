// Messages that are not for ever: they say so, and go by themselves, from the device too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

const LASTS_S = 5;

let chromium;
let server;
let anna;
let bert;

before(async () => {
  chromium = await browser();
  server = await Server.start();
  anna = await Person.arrive(chromium, server, "anna", "Anna Berg");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
});
after(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    await person.context.close();
  }
  await server.end();
  await chromium.close();
});

/** What the browser keeps of conversations, as a text. */
const kept = ({ page }) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.open("kith").onsuccess = ({ target }) => {
          const stores = target.result.transaction(["items", "windows"]);
          stores.objectStore("items").getAll().onsuccess = (items) => {
            stores.objectStore("windows").getAll().onsuccess = (windows) => resolve(JSON.stringify([items.target.result, windows.target.result]));
          };
        };
      }),
  );

test("a message says that it disappears, and does, everywhere", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("this stays");
  await bert.open("Anna");
  await bert.message("this stays").waitFor();
  await anna.page.locator(".head-title").click();
  await anna.page.getByLabel("Messages disappear after").selectOption("3600");
  await anna.page.keyboard.press("Escape");
  await bert.page.getByRole("region", { name: "Anna" }).getByText("1 hour").waitFor();
  const [chat] = (await server.ask("GET", "/v1/users/me/conversations", await anna.token())).items;
  await server.ask("PATCH", `/v1/conversations/${chat.id}`, await anna.token(), { expire_after_s: LASTS_S });
  await anna.page.getByRole("region", { name: "Bert" }).getByText(`${LASTS_S} seconds`).waitFor();

  await anna.say("this goes");
  for (const person of [anna, bert]) {
    await person.message("this goes").getByRole("img", { name: /Disappears in \d second/ }).waitFor();
  }
  while (!(await kept(bert)).includes("this goes")) await bert.page.waitForTimeout(50);
  // Nobody tells them: not even a server is there.
  await server.kill();
  for (const person of [anna, bert]) {
    await person.page.getByRole("log").getByText("this goes").waitFor({ state: "detached" });
    await person.chat(person === anna ? "Bert" : "Anna").getByText("This message has disappeared").waitFor();
    while ((await kept(person)).includes("this goes")) await person.page.waitForTimeout(50);
    assert.ok((await kept(person)).includes("this stays"));
  }
});

test("what has disappeared while nobody looked is not kept either", async () => {
  await server.run();
  await bert.page.getByText("No connection.").waitFor({ state: "hidden" });
  await anna.page.getByText("No connection.").waitFor({ state: "hidden" });
  await anna.say("this goes unseen");
  await bert.message("this goes unseen").waitFor();
  while (!(await kept(bert)).includes("this goes unseen")) await bert.page.waitForTimeout(50);
  await bert.page.goto("about:blank");
  await new Promise((resolve) => setTimeout(resolve, LASTS_S * 1000));
  await bert.page.goto(server.address);
  await bert.chat("Anna").waitFor();
  while ((await kept(bert)).includes("this goes unseen")) await bert.page.waitForTimeout(50);
});
