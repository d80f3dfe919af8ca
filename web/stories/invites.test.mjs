// Who may come in, and how: by a link with an invite in it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

let chromium;

before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

test("who is invited comes by a link, which works once and reaches no log", async () => {
  const server = await Server.start('registration = "invite"\ninvites_by = "everyone"\n');
  const [code] = server.command("invite").split(" ");
  const anna = await Person.visit(chromium, server, {});
  const asked = [];
  anna.page.on("request", (request) => asked.push(request.url()));
  await anna.page.getByRole("button", { name: "New here?" }).click();
  await anna.page.getByText("Ask somebody who is here").waitFor();
  await anna.page.goto(`${server.address}/#invite=${code}`);
  await anna.page.getByText("You are invited.").waitFor();
  assert.equal(await anna.page.getByLabel("Invite code").inputValue(), code);
  await anna.page.getByLabel("Your name").fill("Anna Berg");
  await anna.page.getByLabel("Username").fill("anna");
  await anna.page.getByLabel("Password").fill("correct horse");
  await anna.page.getByRole("button", { name: "Create account" }).click();
  await anna.page.getByRole("heading", { name: "Chats" }).waitFor();
  assert.equal(new URL(anna.page.url()).hash, "");
  assert.deepEqual(asked.filter((url) => new URL(url).pathname.includes(code) || new URL(url).search.includes(code)), []);

  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("button", { name: "Make an invite" }).click();
  const link = await anna.page.getByLabel("One person can create an account").inputValue();
  assert.match(link, /#invite=[A-Za-z0-9_-]+$/);
  await anna.page.getByRole("button", { name: "Copy", exact: true }).click();
  await anna.page.getByRole("status").filter({ hasText: /Copied|#invite=/ }).waitFor();
  const bert = await Person.visit(chromium, server, { locale: "de" });
  await bert.page.goto(link);
  await bert.page.getByText("Du bist eingeladen.").waitFor();
  await bert.page.getByLabel("Benutzername").fill("bert");
  await bert.page.getByLabel("Passwort").fill("correct horse");
  await bert.page.getByRole("button", { name: "Konto anlegen" }).click();
  await bert.page.getByRole("heading", { name: "Chats" }).waitFor();
  // For who is here already it is of no use, nor a second time.
  await anna.page.goto(link);
  await anna.page.getByText("You are signed in already.").waitFor();
  const cem = await Person.visit(chromium, server, {});
  await cem.page.goto(link);
  await cem.page.getByLabel("Username").fill("cem");
  await cem.page.getByLabel("Password").fill("correct horse");
  await cem.page.getByRole("button", { name: "Create account" }).click();
  await cem.page.getByRole("alert").getByText("is none that is good now").waitFor();
  for (const person of [anna, bert, cem]) {
    assert.deepEqual([person.complaints, person.elsewhere], [[], []]);
    await person.context.close();
  }
  await server.end();
});

test("where nobody may sign up, that is said", async () => {
  const server = await Server.start('registration = "closed"\n');
  const { page, context } = await Person.visit(chromium, server, {});
  await page.goto(`${server.address}/#invite=abc`);
  await page.getByText("takes no new accounts").waitFor();
  assert.equal(await page.getByRole("button", { name: "New here?" }).count(), 0);
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  await context.close();
  await server.end();
});
