// What the web client costs where nobody looks: node costs.mjs, with KITH, the program. Prints a report as JSON.
import { browser, Person, Server, UNLIMITED } from "./stories/world.mjs";

/** Conversations that are opened and closed, and messages of each. */
const CONVERSATIONS = 200;
const MESSAGES = 100;
/** For how long nobody answers, in milliseconds. */
const GONE_MS = 60_000;

const title = (n) => `Group ${String(n).padStart(3, "0")}`;

const chromium = await browser();
const server = await Server.start(UNLIMITED);
try {
  const bert = await Person.arrive(chromium, server, "bert", "Bert");
  const token = await bert.token();
  await bert.page.goto(`${server.address}/icon.svg`);
  const anna = await Person.arrive(chromium, server, "anna", "Anna");
  const user = JSON.parse(await anna.page.evaluate(() => localStorage.getItem("kith.session"))).user.id;
  for (let n = 1; n <= CONVERSATIONS; n += 1) {
    const { id } = await server.ask("POST", "/v1/conversations", token, { kind: "group", members: [user], title: title(n) });
    await server.fill(bert.page, token, id, MESSAGES);
  }
  await bert.context.close();

  const report = { command: "web", ok: true, conversations: CONVERSATIONS, messages_of_each: MESSAGES };
  Object.assign(report, await firstLoad());
  await anna.page.reload();
  const debug = await anna.context.newCDPSession(anna.page);
  await debug.send("Performance.enable");
  const heap = async () => {
    await debug.send("HeapProfiler.collectGarbage");
    const { metrics } = await debug.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "JSHeapUsedSize").value;
  };
  await anna.chat(title(1)).waitFor();
  report.heap_before_bytes = await heap();
  for (let n = 1; n <= CONVERSATIONS; n += 1) {
    await anna.page.evaluate((name) => [...document.querySelectorAll(".chat")].find((chat) => chat.textContent.includes(name)).click(), title(n));
    await anna.page.getByRole("region", { name: title(n), exact: true }).getByRole("article").first().waitFor();
  }
  report.heap_after_bytes = await heap();
  report.heap_per_conversation_bytes = Math.round((report.heap_after_bytes - report.heap_before_bytes) / CONVERSATIONS);

  let attempts = 0;
  anna.page.on("websocket", () => (attempts += 1));
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, GONE_MS));
  report.reconnects_of_a_minute = attempts;
  console.log(JSON.stringify(report));
} finally {
  await server.end();
  await chromium.close();
}

/** What somebody who was never here has to fetch until the entrance is there. */
async function firstLoad() {
  const context = await chromium.newContext();
  const page = await context.newPage();
  const debug = await context.newCDPSession(page);
  await debug.send("Network.enable");
  let [requests, bytes] = [0, 0];
  debug.on("Network.requestWillBeSent", () => (requests += 1));
  debug.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(server.address);
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  await page.waitForLoadState("networkidle");
  await context.close();
  return { first_load_requests: requests, first_load_bytes: bytes };
}
