// What a story needs: a real server, a real browser, and people in it.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** The program under test, and where pictures are kept. */
const program = process.env.KITH ?? "../target/debug/kith";
const pictures = process.env.KITH_PICTURES ?? "../target/test/pictures";
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Limits that nobody reaches, for a story in which one does what many do. */
export const UNLIMITED = `[limits]
sends_per_s = 1000000
sends_burst = 1000000
requests_per_s = 1000000
requests_burst = 1000000
signins_per_min = 1000000
`;

/** A server with its own data, on a free port that it keeps when it is started again. */
export class Server {
  /** With this configuration, as kith.toml has it. */
  static async start(config = "") {
    const server = new Server();
    server.data = mkdtempSync(join(tmpdir(), "kith-story-"));
    server.config = join(server.data, "kith.toml");
    writeFileSync(server.config, config);
    server.listen = "127.0.0.1:0";
    await server.run();
    return server;
  }

  async run() {
    const places = ["--config", this.config, "--data", join(this.data, "data")];
    const options = ["serve", ...places, "--listen", this.listen, "--operator-listen", "127.0.0.1:0"];
    this.child = spawn(program, options, { stdio: ["ignore", "pipe", "ignore"] });
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    for await (const line of createInterface({ input: this.child.stdout })) {
      const [, address, operator] = /^kith listens on (http:\S+) \(operator: (http:[^)]+)\)/.exec(line) ?? [];
      if (!address) continue;
      this.address = address;
      this.operator = operator;
      this.listen = new URL(address).host;
      return;
    }
    throw new Error("the server did not start");
  }

  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  async end() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** What one of the operator's commands says. */
  command(name) {
    return execFileSync(program, [name, "--data", join(this.data, "data")], { encoding: "utf8" });
  }

  /** Asks the REST API, and again when it says so. */
  async ask(method, path, token, body) {
    const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(this.address + path, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * answer.headers.get("Retry-After")));
      return this.ask(method, path, token, body);
    }
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  /** Sends so many messages to a conversation, over a socket that a page of this server opens. */
  async fill(page, token, conversation, messages) {
    await page.evaluate(
      ({ token, conversation, messages, under_way }) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`ws://${location.host}/v1/socket`);
          const id = (n) => `01900000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
          const texts = ["Yes.", "I will be there at nine, with the others.", "It has rained since Monday, and nobody knows ".repeat(5)];
          let said = 0;
          let sent = 0;
          const say = (frame) => socket.send(JSON.stringify(frame));
          const more = () => {
            for (; said < messages && said - sent < under_way; said += 1) say({ t: "send", conversation, client_id: id(said), text: `${said + 1}: ${texts[said % texts.length]}` });
          };
          socket.onopen = () => say({ t: "hello", token });
          socket.onclose = ({ code }) => reject(new Error(`closed with ${code} after ${sent}`));
          socket.onmessage = ({ data }) => {
            const frame = JSON.parse(data);
            if (frame.t === "error") reject(new Error(data));
            if (frame.t === "sent") sent += 1;
            if (frame.t === "sent" || frame.t === "ready") more();
            if (sent === messages) socket.close();
            if (sent === messages) resolve();
          };
        }),
      { token, conversation, messages, under_way: 500 },
    );
  }

  /** Says something in a conversation, in the name of whose token it is. */
  say(token, conversation, text, more = {}) {
    const hex = Date.now().toString(16).padStart(12, "0") + crypto.randomUUID().replaceAll("-", "");
    const client_id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    return this.ask("POST", `/v1/conversations/${conversation}/messages`, token, { client_id, text, ...more });
  }
}

export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
}

/** Somebody at a browser of their own, with an account. */
export class Person {
  static async arrive(browser, server, username, name, options = {}) {
    const person = await Person.visit(browser, server, options);
    const { page } = person;
    await page.getByRole("button", { name: "New here?" }).click();
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Username").fill(username);
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Chats" }).waitFor();
    return person;
  }

  static async signIn(browser, server, username, options = {}) {
    const person = await Person.visit(browser, server, options);
    await person.page.getByLabel("Username").fill(username);
    await person.page.getByLabel("Password").fill("correct horse");
    await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await person.page.getByRole("heading", { name: "Chats" }).waitFor();
    return person;
  }

  /** A browser that has just opened the page; what it complains about is collected. */
  static async visit(browser, server, options) {
    const person = new Person();
    person.context = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: "en", ...options });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(15_000);
    person.complaints = [];
    person.elsewhere = [];
    person.page.on("pageerror", (error) => person.complaints.push(String(error)));
    person.page.on("console", (line) => /Content.Security.Policy|Uncaught/i.test(line.text()) && person.complaints.push(line.text()));
    person.page.on("request", (request) => new URL(request.url()).host !== server.listen && person.elsewhere.push(request.url()));
    await person.page.goto(server.address);
    return person;
  }

  async token() {
    return this.page.evaluate(() => JSON.parse(localStorage.getItem("kith.session")).token);
  }

  /** Begins, or opens, the chat with somebody. */
  async converse(username, name) {
    await this.page.getByRole("button", { name: "New chat" }).click();
    await this.page.getByLabel("Add people by their username").fill(username);
    await this.page.getByRole("dialog").getByRole("button", { name }).click();
    await this.page.getByRole("region", { name }).waitFor();
  }

  async open(title) {
    await this.chat(title).click();
    await this.page.getByRole("region", { name: title }).waitFor();
  }

  /** The line of the list. */
  chat(title) {
    return this.page.getByRole("navigation", { name: "Chats" }).getByRole("listitem").filter({ hasText: title }).getByRole("button");
  }

  async say(text) {
    await this.page.getByLabel("Write a message").fill(text);
    await this.page.getByLabel("Write a message").press("Enter");
  }

  /** The message with this text. */
  message(text) {
    return this.page.getByRole("log").getByRole("article").filter({ hasText: text });
  }

  async picture(name) {
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`) });
  }
}
