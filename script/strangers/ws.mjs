// Chats with a Kith server as npm's `ws` does: node ws.mjs http://127.0.0.1:8080

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import WebSocket from "ws";

const base = process.argv[2];
const FRAME_BYTES = 64 * 1024;

function fail(error) {
  const got = error.actual === undefined ? "" : ` (got ${error.actual})`;
  console.log(`npm ws: FAILED: ${error.message.split("\n")[0]}${got}`);
  process.exit(1);
}
const watchdog = setTimeout(() => fail(new Error("not done after 30 s")), 30_000);

/** A UUIDv7 (RFC 9562). */
function uuid() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function post(path, body, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok([200, 201].includes(answer.status), `POST ${path}: ${answer.status} ${text}`);
  return { status: answer.status, ...JSON.parse(text) };
}

function signUp(name) {
  const username = `${name}-${randomBytes(6).toString("hex")}`;
  return post("/v1/users", { username, password: "correct horse battery", device: { name: "ws", platform: "node" } });
}

/** One socket: what came and was not asked for yet, and how it was closed. */
class Device {
  #inbox = [];
  #waiting = [];

  constructor() {
    this.socket = new WebSocket(base.replace(/^http/, "ws") + "/v1/socket");
    this.opened = new Promise((resolve, reject) => this.socket.once("open", resolve).once("error", reject));
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("error", () => {});
    this.socket.on("message", (data, binary) => {
      assert.ok(!binary, "the server sends text only");
      this.#inbox.push(JSON.parse(data.toString()));
      this.#serve();
    });
    this.closed.then((code) => {
      for (const { kind, reject } of this.#waiting) reject(new Error(`closed with ${code} before ${kind}`));
    });
  }

  say(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  /** The next frame of a kind; an `error` is one that nobody asks for. */
  hear(kind) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, resolve, reject });
      this.#serve();
    });
  }

  #serve() {
    const error = this.#inbox.find((frame) => frame.t === "error");
    for (const waiting of [...this.#waiting]) {
      const at = this.#inbox.findIndex((frame) => frame.t === waiting.kind);
      if (at < 0 && !error) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      if (error) waiting.reject(new Error(`the server says ${JSON.stringify(error)}`));
      else waiting.resolve(this.#inbox.splice(at, 1)[0]);
    }
  }

  async hello(token) {
    await this.opened;
    assert.equal(this.socket.extensions, "", "no extension is agreed on");
    this.say({ t: "hello", token, client: "stranger-ws 1" });
    const ready = await this.hear("ready");
    while ((await this.hear("heads")).more);
    return ready;
  }
}

/** Sends a text in several frames, with a ping after each. */
function sendInFragments(socket, text, fragments) {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / fragments);
  for (let at = 0; at < bytes.length; at += size) {
    socket.send(bytes.subarray(at, at + size), { binary: false, fin: at + size >= bytes.length });
    socket.ping("between");
  }
}

async function main() {
  const [anna, bert] = [await signUp("anna"), await signUp("bert")];
  const pair = { kind: "direct", members: [bert.user.id] };
  const conversation = (await post("/v1/conversations", pair, anna.token)).id;
  const second = await post("/v1/conversations", pair, anna.token);
  assert.deepEqual([second.status, second.id], [200, conversation], "a second direct conversation is the first");

  const [left, right] = [new Device(), new Device()];
  assert.equal((await left.hello(anna.token)).user, anna.user.id);
  assert.equal((await right.hello(bert.token)).user, bert.user.id);

  const texts = ["plain", "gr\u00fc\u00df \u{1f44b}".repeat(9), "\u20ac".repeat(3), "x".repeat(126), "y".repeat(16_000), "last"];
  const sends = texts.map((text) => ({ t: "send", conversation, client_id: uuid(), text }));
  sends.forEach((send, n) => {
    if (n % 2) sendInFragments(left.socket, JSON.stringify(send), n === 1 ? 17 : 3);
    else left.say(send);
  });
  let seq;
  for (const send of sends) {
    const sent = await left.hear("sent");
    const { entry } = await right.hear("entry");
    assert.equal(sent.client_id, send.client_id, "sent in order");
    seq ??= sent.seq;
    assert.deepEqual([sent.seq, entry.seq], [seq, seq], "the same seq on both sides, without a gap");
    assert.deepEqual([entry.body.text, entry.sender, entry.client_id], [send.text, anna.user.id, send.client_id]);
    seq += 1;
  }

  left.say(sends[0]);
  assert.equal((await left.hear("sent")).seq, seq - sends.length, "a resend gets the seq it had");
  right.say({ t: "send", conversation, client_id: uuid(), text: "back" });
  assert.equal((await right.hear("sent")).seq, seq, "and no second entry");
  assert.equal((await left.hear("entry")).entry.body.text, "back", "one's own entries come as sent alone");

  const pong = new Promise((resolve) => left.socket.on("pong", (data) => data.toString() === "payload" && resolve()));
  left.socket.ping("payload");
  await pong;
  left.say({ t: "ping", active: true });
  assert.match((await left.hear("pong")).at, /^\d{4}-.*Z$/);

  right.socket.send(JSON.stringify({ t: "ping", padding: "z".repeat(FRAME_BYTES) }));
  assert.equal(await right.closed, 4002, "a frame that is too big");
  const bad = new Device();
  await bad.opened;
  bad.say({ t: "hello", token: "A".repeat(43) });
  assert.equal(await bad.closed, 4004, "a bad token");
  left.socket.close(1000, "bye");
  assert.equal(await left.closed, 1000, "a clean close");
  return texts.length;
}

main().then((messages) => {
  clearTimeout(watchdog);
  console.log(`npm ws: ok: ${messages} messages, whole and in fragments; pings; closes 1000, 4002, 4004`);
}, fail);
