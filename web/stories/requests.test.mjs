// What strangers send waits apart, and is answered there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server } from "./world.mjs";

let chromium;
let server;
let bert;

/** Somebody who uses no browser; their token. */
async function stranger(username, display_name) {
  const { token } = await server.ask("POST", "/v1/users", null, { username, display_name, password: "correct horse" });
  return token;
}

before(async () => {
  chromium = await browser();
  server = await Server.start("");
  bert = await Person.arrive(chromium, server, "bert", "Bert Weiß");
});
after(async () => {
  assert.deepEqual(bert.complaints, [], "the browser complained");
  await bert.context.close();
  await server.end();
  await chromium.close();
});

test("a stranger's groups are requests: accepted, declined, blocked", async () => {
  const { page } = bert;
  const id = (await server.ask("GET", "/v1/users/me", await bert.token())).id;
  const mallory = await stranger("mallory", "Mallory Malice");
  const carol = await stranger("carol", "Carol Kind");
  const group = (token, title) => server.ask("POST", "/v1/conversations", token, { kind: "group", title, members: [id] });
  // Whoever writes directly arrives, the first few of a day.
  const direct = await server.ask("POST", "/v1/conversations", carol, { kind: "direct", members: [id] });
  await server.say(carol, direct.id, "Hello Bert, this is Carol, we sing together");
  await bert.chat("Carol Kind").waitFor();

  const choir = await group(carol, "Choir");
  await server.say(carol, choir.id, "Rehearsal at seven?");
  const [coins] = [await group(mallory, "Free coins"), await group(mallory, "More free coins")];
  await server.say(mallory, coins.id, "Only today!");
  const entry = page.getByRole("button", { name: /^Requests/ });
  await entry.getByText("3 requests wait").waitFor();
  assert.equal(await bert.chat("Choir").count() + await bert.chat("coins").count(), 0);
  await bert.picture("requests-entry");

  await entry.click();
  const requests = page.getByRole("dialog", { name: "Requests" });
  await requests.getByRole("button", { name: /^(?!More).*Free coins/ }).click();
  await requests.getByText("Only today!").waitFor();
  assert.equal(await requests.getByRole("textbox").count(), 0);
  await bert.picture("requests");
  await requests.getByRole("button", { name: "Report" }).click();
  const why = page.getByRole("dialog", { name: "Report" });
  await why.getByLabel("Why?").fill("spam");
  await bert.picture("report");
  await why.getByRole("button", { name: "Report" }).click();
  await page.getByText("Reported.").waitFor();
  assert.match(server.command("reports", "list"), /by bert\tabout mallory\t1 messages\tspam/);
  await requests.getByRole("button", { name: "Block" }).click();
  await requests.getByRole("button", { name: "More free coins" }).click();
  await requests.getByRole("button", { name: "Decline" }).click();
  await requests.getByRole("button", { name: "Choir" }).click();
  await requests.getByText("Rehearsal at seven?").waitFor();
  await requests.getByRole("button", { name: "Accept" }).click();

  await page.getByRole("region", { name: "Choir" }).waitFor();
  await bert.message("Rehearsal at seven?").waitFor();
  await bert.say("I will be there");
  await bert.message("I will be there").waitFor();
  await entry.waitFor({ state: "hidden" });
  await assert.rejects(group(mallory, "Coins again"), /blocked/);
  assert.equal(await bert.chat("coins").count(), 0);
});
