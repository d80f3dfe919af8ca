// A conversation of a hundred thousand messages: it opens, scrolls and jumps as a short one does.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person, Server, UNLIMITED } from "./world.mjs";

const MESSAGES = 100_000;
/** Messages that one scrolls through, each way. */
const THROUGH = 3_000;
/** Rows that the page has at most, whatever the conversation. */
const ROWS = 900;

let chromium;
let server;
let anna;
let bert;
let debug;

before(async () => {
  chromium = await browser();
  server = await Server.start(UNLIMITED);
  [anna, bert] = [await Person.arrive(chromium, server, "anna", "Anna"), await Person.arrive(chromium, server, "bert", "Bert")];
  await bert.converse("anna", "Anna");
  const token = await bert.token();
  const { items } = await server.ask("GET", "/v1/users/me/conversations", token);
  await anna.page.goto("about:blank");
  await bert.page.goto(`${server.address}/icon.svg`);
  await server.fill(bert.page, token, items[0].id, MESSAGES);
  debug = await anna.context.newCDPSession(anna.page);
});
after(async () => {
  await anna?.context.close();
  await bert?.context.close();
  await server.end();
  await chromium.close();
});

/** What the page has, after what nobody needs was let go. */
async function weight() {
  await debug.send("HeapProfiler.collectGarbage");
  await debug.send("Performance.enable");
  const { metrics } = await debug.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize") / 2 ** 20, nodes: of("Nodes"), rows: await anna.page.locator("[data-seq]").count() };
}

/**
 * Scrolls by as much as a wheel does in a frame, until the first row on screen has passed `until`. Gives each frame's time,
 * and by how many pixels what one looks at moved further than it was scrolled.
 */
async function scroll(by, until) {
  return anna.page.evaluate(
    async ({ by, until }) => {
      const log = document.querySelector("[role=log]");
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const onScreen = () => {
        const edge = log.getBoundingClientRect().top;
        return [...log.querySelectorAll("[data-seq]:not([hidden])")].find((row) => row.getBoundingClientRect().bottom > edge + 100);
      };
      const [frames, jumps] = [[], []];
      let last = await frame();
      let still = 0;
      while (still < 300) {
        const row = onScreen();
        const seq = Number(row.dataset.seq);
        if (by < 0 ? seq <= until : seq >= until) break;
        const [top, place] = [row.getBoundingClientRect().top, log.scrollTop];
        log.scrollTop += by;
        const moved = log.scrollTop - place;
        still = moved === 0 ? still + 1 : 0;
        const now = await frame();
        frames.push(now - last);
        last = now;
        const same = log.querySelector(`[data-seq="${seq}"]`);
        if (same) jumps.push(Math.abs(same.getBoundingClientRect().top - top + moved));
      }
      return { frames, jumps, still };
    },
    { by, until },
  );
}

function tell(what, { frames }, { heap, nodes, rows }) {
  const sorted = [...frames].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(1);
  console.log(
    `${what}: ${frames.length} frames, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; ` +
      `heap ${heap.toFixed(1)} MiB, ${nodes} nodes, ${rows} rows`,
  );
}

/** Nothing was lost on the way, nothing jumped, and the page holds what it shows. */
function smooth({ jumps, still }, { rows }) {
  assert.ok(still < 300, "it stands still");
  const worst = Math.max(...jumps);
  assert.ok(worst <= 2, `what one looks at jumped by ${worst} pixels`);
  assert.ok(rows <= ROWS, `${rows} rows`);
}

test("it opens at the first unread message, and is read from there without a jump", async () => {
  // At once: what the page has kept is from before, and the list is still on its way.
  await anna.page.goto(server.address);
  await anna.open("Bert");
  await anna.page.getByText("New messages").waitFor();
  await anna.message(/^.*\b1: Yes/).waitFor();
  const before = await weight();
  const seen = await scroll(240, THROUGH);
  const after = await weight();
  tell(`down through ${THROUGH} of ${MESSAGES} messages`, seen, after);
  smooth(seen, after);
  assert.ok(after.heap < before.heap + 30, `the heap grew from ${before.heap} to ${after.heap} MiB`);
});

test("it goes to the newest message, and back up without a jump", async () => {
  await anna.page.getByRole("button", { name: "Jump to the latest" }).click();
  await anna.message(`${MESSAGES}:`).waitFor();
  const seen = await scroll(-240, MESSAGES - THROUGH);
  const after = await weight();
  tell(`up through ${THROUGH} of ${MESSAGES} messages`, seen, after);
  smooth(seen, after);
  await bert.page.goto(server.address);
  await bert.open("Anna");
  await bert.say("Are you still up there?");
  await anna.page.getByRole("button", { name: "Jump to the latest" }).click();
  await anna.message("Are you still up there?").waitFor();
});
