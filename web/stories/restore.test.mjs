// A server that is restored from a backup, and people whose browsers have what it lost.
import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { browser, messages, Person, Server, until } from "./world.mjs";

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
});
afterEach(async () => {
  for (const person of [anna, bert]) {
    assert.deepEqual(person.complaints, [], "the browser complained");
    await person.context.close();
  }
  await server.end();
});

/** Puts a backup in the place of what the server has, and says so many things before anybody comes back. */
async function restore(backup, token, conversation, texts) {
  await server.kill();
  const data = join(server.data, "data");
  renameSync(data, join(server.data, "lost"));
  server.command("restore", backup);
  const { listen } = server;
  server.listen = "127.0.0.1:0";
  await server.run();
  for (const text of texts) await server.say(token, conversation, text);
  await server.kill();
  server.listen = listen;
  await server.run();
}

/** What is said on a page, in its order. */
async function said(person) {
  const shown = await person.page.getByRole("log").getByRole("article").allInnerTexts();
  return shown.flatMap((text) => /(before|lost|after|unsent) \d+/.exec(text)?.[0] ?? []);
}

/** Waits until a page shows what the server has, and nothing else. */
async function agrees(person) {
  const has = async () => (await messages(server, anna)).map(({ body }) => body.text).join();
  await until(async () => (await said(person)).join() === (await has())).catch(async () => {
    assert.deepEqual(await said(person), (await has()).split(","));
  });
}

/** Whether the browser keeps this text of a conversation. */
function keeps(page, text) {
  return page.evaluate(
    (text) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("kith");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction("windows").objectStore("windows").getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(JSON.stringify(all.result).includes(text));
          };
        };
      }),
    text,
  );
}

test("no page shows what the restored server does not have, whatever it kept and however far the log has grown", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("before 1");
  await bert.open("Anna");
  await bert.message("before 1").waitFor();
  const token = await anna.token();
  const { items } = await server.ask("GET", "/v1/users/me/conversations", token);
  const backup = join(server.data, "backup");
  server.command("backup", backup);

  const other = Object.assign(Object.create(Person.prototype), anna, { page: await anna.context.newPage() });
  await other.page.goto(server.address);
  await other.open("Bert");
  for (let n = 1; n <= 10; n += 1) await server.say(token, items[0].id, `lost ${n}`);
  for (const person of [anna, other, bert]) await person.message("lost 10").waitFor();
  // Bert's browser keeps it, and is closed; Anna writes where there is no server.
  await until(() => keeps(bert.page, "lost 10"));
  await bert.page.goto("about:blank");
  await server.kill();
  await anna.say("unsent 1");

  await restore(backup, token, items[0].id, Array.from({ length: 14 }, (_, n) => `after ${n + 1}`));
  await anna.message("unsent 1").getByRole("img", { name: "Sent" }).waitFor({ timeout: 60_000 });
  for (const person of [anna, other]) await agrees(person);
  await bert.page.goto(server.address);
  await bert.open("Anna");
  await agrees(bert);
  // Nor does what it keeps from now on.
  await until(() => keeps(bert.page, "after 14"));
  assert.equal(await keeps(bert.page, "lost"), false);
  // And a page that is opened while another has the connection.
  await anna.page.reload();
  await anna.open("Bert");
  await agrees(anna);
});
