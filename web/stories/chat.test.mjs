// Two people at two browsers, a real server between them.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

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
    assert.deepEqual(person.elsewhere, [], "something was asked of another host");
    await person.context.close();
  }
  await server.end();
});

test("a message has one tick when it is sent, two when it is there, coloured ones when it was read", async () => {
  await bert.page.goto("about:blank");
  bert.elsewhere.length = 0;
  await anna.converse("bert", "Bert");
  await anna.say("Are you there? https://example.org/a?b=c.");
  const message = anna.message("Are you there?");
  await message.getByRole("img", { name: "Sent" }).waitFor();
  assert.equal(await message.getByRole("link").getAttribute("href"), "https://example.org/a?b=c");

  await bert.page.goto(server.address);
  await bert.chat("Anna").getByText("1 unread message").waitFor();
  await message.getByRole("img", { name: "Delivered" }).waitFor();
  await bert.open("Anna");
  await bert.page.getByRole("separator").getByText("New messages").waitFor();
  await message.getByRole("img", { name: "Read", exact: true }).waitFor();
  await bert.chat("Anna").getByText("unread").waitFor({ state: "detached" });
});

test("one sees who is there and who types", async () => {
  await anna.converse("bert", "Bert");
  await anna.page.getByText("online", { exact: true }).waitFor();
  await anna.say("Hello");
  await bert.open("Anna");
  await bert.page.getByLabel("Write a message").pressSequentially("I am");
  await anna.page.getByRole("region", { name: "Bert" }).getByText("typing…").waitFor();
  await bert.page.getByLabel("Write a message").press("Enter");
  await anna.message("I am").waitFor();
  await anna.page.getByRole("region", { name: "Bert" }).getByText("typing…").waitFor({ state: "detached" });
});

test("messages are answered, edited, reacted to and deleted", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("Tea at for?");
  await anna.message("Tea at for?").hover();
  await anna.message("Tea at for?").getByRole("button", { name: "Edit" }).click();
  await anna.page.getByText("Editing", { exact: true }).waitFor();
  await anna.say("Tea at four?");
  await anna.message("Tea at four?").getByText("edited").waitFor();

  await bert.open("Anna");
  const tea = bert.message("Tea at four?").first();
  await tea.hover();
  await tea.getByRole("button", { name: "React" }).click();
  await tea.getByRole("menuitem", { name: "🎉" }).click();
  await anna.message("Tea at four?").getByRole("button", { name: "🎉" }).waitFor();
  await tea.hover();
  await tea.getByRole("button", { name: "Reply" }).click();
  await bert.page.getByText("Replying to Anna Berg").waitFor();
  await bert.say("With pleasure");
  await anna.message("With pleasure").getByRole("button", { name: /You.*Tea at four/ }).click();

  await bert.message("With pleasure").hover();
  await bert.message("With pleasure").getByRole("button", { name: "Delete for everyone" }).click();
  await bert.page.getByRole("dialog").getByRole("button", { name: "Delete for everyone" }).click();
  await anna.message("This message was deleted").waitFor();
  assert.equal(await anna.message("With pleasure").count(), 0);
  // It is the same for who comes later.
  await anna.page.reload();
  await anna.open("Bert");
  await anna.message("Tea at four?").getByRole("button", { name: "🎉" }).waitFor();
  await anna.message("This message was deleted").waitFor();
});

test("what is written without a network is sent once when it returns", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("before");
  await anna.message("before").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await anna.context.setOffline(true);
  await server.kill();
  await anna.page.getByText("No connection.").waitFor();
  await anna.say("meanwhile");
  await anna.say("and another");
  await anna.message("and another").getByRole("img", { name: "Sending" }).waitFor();
  await server.run();
  await anna.context.setOffline(false);
  await anna.message("and another").getByRole("img", { name: /Sent|Delivered/ }).waitFor({ timeout: 40_000 });
  await bert.open("Anna");
  await bert.message("and another").waitFor({ timeout: 40_000 });
  const texts = await bert.page.getByRole("log").locator(".text").allInnerTexts();
  assert.deepEqual(texts, ["before", "meanwhile", "and another"]);
});

test("what was not sent survives a reload", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("before");
  await anna.message("before").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  const token = await anna.token();
  await anna.context.route("**/v1/socket", (route) => route.abort());
  await anna.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await server.kill();
  await anna.page.getByText("No connection.").waitFor();
  await anna.say("kept");
  await anna.message("kept").getByRole("img", { name: "Sending" }).waitFor();
  await anna.page.getByLabel("Write a message").fill("a draft");
  await server.run();
  await anna.page.reload();
  await anna.open("Bert");
  await anna.message("kept").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  assert.equal(await anna.page.getByLabel("Write a message").inputValue(), "a draft");
  const { items } = await server.ask("GET", "/v1/users/me/conversations", token);
  assert.equal(items[0].last.body.text, "kept");
});

test("what the server refuses stays, and can be tried again", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("hello");
  await bert.open("Anna");
  await bert.page.locator(".head-title").click();
  await bert.page.getByRole("button", { name: "Block", exact: true }).click();
  await bert.page.getByRole("button", { name: "Unblock", exact: true }).waitFor();
  await bert.page.keyboard.press("Escape");
  await anna.say("are you cross?");
  await anna.message("are you cross?").getByText("Not sent").waitFor();
  await bert.page.getByRole("button", { name: "Settings" }).click();
  await bert.page.getByRole("heading", { name: "Blocked people" }).waitFor();
  await bert.page.getByRole("listitem").filter({ hasText: "Anna" }).getByRole("button", { name: "Unblock" }).click();
  await bert.page.getByRole("heading", { name: "Blocked people" }).waitFor({ state: "detached" });
  await bert.page.keyboard.press("Escape");
  await anna.message("are you cross?").getByRole("button", { name: "Retry" }).click();
  await bert.message("are you cross?").waitFor();
  assert.equal(await anna.page.getByText("Not sent").count(), 0);
});

test("a second device has everything, and is signed out from the first", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("from the first");
  const second = await Person.signIn(chromium, server, "anna");
  await second.open("Bert");
  await second.message("from the first").waitFor();
  await second.say("from the second");
  await anna.message("from the second").waitFor();
  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("button", { name: "Sign this one out" }).click();
  await second.page.getByRole("heading", { name: "Kith" }).waitFor();
  await anna.page.keyboard.press("Escape");
  assert.deepEqual(await second.page.evaluate(() => Object.keys(localStorage)), []);
  await second.context.close();
});

test("without a network it opens with what was said, and sends later what is written then", async () => {
  await anna.converse("bert", "Bert");
  await anna.say("before the tunnel");
  await anna.message("before the tunnel").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await bert.open("Anna");
  await bert.say("see you behind it");
  await anna.message("see you behind it").waitFor();
  // The worker has the page, and the last second is kept.
  await anna.page.evaluate(() => navigator.serviceWorker.ready);
  const keptAll = () => anna.page.evaluate(async () => {
    const kept = (name) => new Promise((resolve) => {
      indexedDB.open("kith").onsuccess = ({ target }) => {
        target.result.transaction(name).objectStore(name).getAll().onsuccess = (event) => resolve(event.target.result);
      };
    });
    const [window] = await kept("windows");
    return window?.messages.length === 3 && (await kept("people")).length === 2 && !!(await caches.match("/"));
  });
  while (!(await keptAll())) await anna.page.waitForTimeout(100);
  await server.kill();
  await anna.page.reload();
  await anna.open("Bert Weiß");
  await anna.message("see you behind it").waitFor();
  await anna.say("in the tunnel");
  await anna.message("in the tunnel").getByRole("img", { name: "Sending" }).waitFor();
  await server.run();
  // Bert has the chat on his screen: it may be read at once.
  await anna.message("in the tunnel").getByRole("img", { name: /Sent|Delivered|Read/ }).waitFor({ timeout: 40_000 });
  await bert.message("in the tunnel").waitFor({ timeout: 40_000 });
  assert.equal(await bert.message("in the tunnel").count(), 1);
});

test("two tabs are one connection and one truth, and either may go", async () => {
  await anna.converse("bert", "Bert");
  const other = await anna.context.newPage();
  await other.goto(server.address);
  const tab = Object.assign(Object.create(Object.getPrototypeOf(anna)), anna, { page: other });
  await tab.open("Bert");
  const devices = async () => {
    const metrics = await (await fetch(`${server.operator}/metrics`)).text();
    return Number(/^kith_connections (\d+)/m.exec(metrics)?.[1]);
  };
  await tab.say("from the other tab");
  await anna.message("from the other tab").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  await anna.say("from the first tab");
  await tab.message("from the first tab").getByRole("img", { name: /Sent|Delivered/ }).waitFor();
  while ((await devices()) !== 2) await new Promise((resolve) => setTimeout(resolve, 100));

  await anna.page.close();
  await bert.open("Anna");
  await bert.say("which of you is there?");
  await tab.message("which of you is there?").waitFor();
  await tab.say("the one that is left");
  await bert.message("the one that is left").waitFor();
  assert.equal(await tab.page.getByRole("log").locator(".text").count(), 4);
});
