// Writes src/core/recorded/chat.json from a running server: what one person's device hears while two talk, and the
// history that the server folds of it: node record.mjs BASE_URL
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";

const [base] = process.argv.slice(2);
if (!base) {
  console.error("usage: node record.mjs BASE_URL");
  process.exit(2);
}

async function ask(method, path, token, body) {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** A UUIDv7 of now. */
function clientId() {
  const hex = Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const suffix = randomBytes(4).toString("hex");
const person = (name) => ask("POST", "/v1/users", null, { username: `${name}-${suffix}`, password: "correct horse" });
const [anna, bert, cem] = [await person("anna"), await person("bert"), await person("cem")];
const members = [bert.user.id];
const group = await ask("POST", "/v1/conversations", anna.token, { kind: "group", title: "Walk", members });
const { poll } = await ask("POST", "/v1/polls", bert.token, {});
const messages = `/v1/conversations/${group.id}/messages`;
const say = (who, text, more = {}) => ask("POST", messages, who.token, { client_id: clientId(), text, ...more });

const first = await say(anna, "Tea at for?");
await ask("PATCH", `/v1/messages/${first.id}`, anna.token, { text: "Tea at four?" });
await say(bert, "Yes", { reply_to: first.seq, mentions: [anna.user.id] });
await ask("PUT", `/v1/messages/${first.id}/reactions/🎉`, bert.token);
await ask("PUT", `/v1/messages/${first.id}/reactions/👍`, anna.token);
await ask("PUT", `/v1/messages/${first.id}/reactions/🎉`, anna.token);
await ask("DELETE", `/v1/messages/${first.id}/reactions/👍`, anna.token);
const wrong = await say(anna, "wrong chat");
await ask("PUT", `/v1/messages/${wrong.id}/reactions/👀`, bert.token);
await ask("DELETE", `/v1/messages/${wrong.id}`, anna.token);
await ask("POST", `/v1/conversations/${group.id}/participants`, anna.token, { user: cem.user.id });
await ask("PATCH", `/v1/conversations/${group.id}`, anna.token, { title: "Sunday walk" });
await ask("PATCH", `/v1/conversations/${group.id}/participants/${cem.user.id}`, anna.token, { role: "admin" });
await ask("DELETE", `/v1/conversations/${group.id}/participants/${cem.user.id}`, anna.token);
await say(bert, "See you there");

const { items, head } = await ask("GET", messages, bert.token);
const frames = [];
let after = 0;
while (!frames.some(({ t, entry }) => t === "entry" && entry.seq === head)) {
  const page = await ask("GET", `/v1/polls/${poll}?after=${after}&wait_s=5`, bert.token);
  for (const { n, frame } of page.items) {
    after = n;
    frames.push(frame);
  }
}
const folder = new URL("src/core/recorded/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("chat.json", folder), `${JSON.stringify({ me: bert.user, conversation: group.id, frames, history: { items, head } }, null, 1)}\n`);
