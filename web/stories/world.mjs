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
conversations = 1000000
begins_per_day = 1000000
stranger_directs_per_day = 1000000
stranger_groups_per_day = 1000000
`;

/** Limits where everybody knows everybody: whom strangers bring into a group is in it at once. */
export const FAMILIAR = `[limits]
stranger_directs_per_day = 1000
stranger_groups_per_day = 1000
`;

/** A server with its own data, on a free port that it keeps when it is started again. */
export class Server {
  /** With this configuration, as kith.toml has it. */
  static async start(config = FAMILIAR) {
    const server = new Server();
    server.data = mkdtempSync(join(tmpdir(), "kith-story-"));
    server.config = join(server.data, "kith.toml");
    // Whatever room the disk has; and who is new may do less, but in a story everybody is.
    const set = (text, section, line) =>
      text.includes(`[${section}]\n`) ? text.replace(`[${section}]\n`, `[${section}]\n${line}`) : `${text}\n[${section}]\n${line}`;
    const roomy = set(config, "media", "min_free_bytes = 0\n");
    writeFileSync(server.config, set(roomy, "limits", "new_account_hours = 0\n"));
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
  command(...words) {
    return execFileSync(program, [...words, "--data", join(this.data, "data")], { encoding: "utf8" });
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

export async function browser(more = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...quiet, ...more] });
}

/** A picture with something to see on it, as its bytes. */
export async function drawn(page, width, height, type, hue = 150) {
  const bytes = await page.evaluate(
    async ([width, height, type, hue]) => {
      const canvas = new OffscreenCanvas(width, height);
      const paint = canvas.getContext("2d");
      const sky = paint.createLinearGradient(0, 0, 0, height);
      sky.addColorStop(0, `hsl(${hue + 60} 70% 75%)`);
      sky.addColorStop(1, `hsl(${hue} 45% 35%)`);
      paint.fillStyle = sky;
      paint.fillRect(0, 0, width, height);
      for (let hill = 0; hill < 5; hill += 1) {
        paint.fillStyle = `hsl(${hue - hill * 9} ${40 + hill * 5}% ${55 - hill * 8}%)`;
        paint.beginPath();
        paint.ellipse(width * (0.1 + 0.22 * hill), height, width * 0.3, height * (0.65 - 0.09 * hill), 0, 0, 7);
        paint.fill();
      }
      // What no program can make small.
      const chance = (seed) => Math.abs(Math.sin(seed * 12.9898) * 43758.5453) % 1;
      for (let grain = 0; grain < 4000; grain += 1) {
        paint.fillStyle = `rgb(255 255 255 / ${chance(grain) / 3})`;
        paint.fillRect(chance(grain + 0.3) * width, chance(grain + 0.7) * height, 2, 2);
      }
      const reader = new FileReader();
      reader.readAsDataURL(await canvas.convertToBlob({ type, quality: 0.95 }));
      await new Promise((resolve) => (reader.onload = resolve));
      return reader.result.split(",")[1];
    },
    [width, height, type, hue],
  );
  return Buffer.from(bytes, "base64");
}

/** Chooses files for the next message, as with the button. */
export async function attach(person, ...files) {
  await person.page.locator(".composer input[type=file]").setInputFiles(files);
}

/** Waits until something holds. */
export async function until(holds, patience_ms = 30_000) {
  for (const begun = Date.now(); !(await holds()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() - begun > patience_ms) throw new Error(`waited in vain for ${holds}`);
  }
}

/** How wide and high an image is, once it is there. */
export function loaded(image) {
  return image.evaluate((element) => element.decode().then(() => [element.naturalWidth, element.naturalHeight]));
}

/** The messages of somebody's newest chat, as the server has them. */
export async function messages(server, person) {
  const token = await person.token();
  const { items } = await server.ask("GET", "/v1/users/me/conversations", token);
  const page = await server.ask("GET", `/v1/conversations/${items[0].id}/messages`, token);
  return page.items.filter(({ kind }) => kind === "message");
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

  /** The message with this text; its time, which stands right behind, does not count as text. */
  message(text) {
    return this.page.getByRole("log").getByRole("article").filter({ has: this.page.locator(".text", { hasText: text }) });
  }

  async picture(name) {
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`) });
  }
}
