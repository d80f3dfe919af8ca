import type { ClientFrame, ServerFrame } from "./types";

/** The first and the longest wait before connecting again, in milliseconds. */
const BACK_OFF_MS = 500;
const BACK_OFF_AT_MOST_MS = 30_000;
/** Silent heartbeats of the server after which the connection is taken for dead. */
const SILENT_HEARTBEATS = 3;
/** How long a connection has stood that was one: the next wait is a first one, in milliseconds. */
const STEADY_MS = 5_000;
/** Close codes after which connecting again is no use: the token is not good any more. */
const SIGNED_OUT = [4004, 4100];

/** `connecting` and `online` speak for themselves; `waiting` is between two attempts; `ended` is for good. */
export type Standing = "connecting" | "online" | "waiting" | "ended";

/** What a socket needs of the world, so that a test can be one. */
export interface World {
  open(url: string): WebSocket;
  random(): number;
}

export interface Events {
  frame(frame: ServerFrame): void;
  standing(standing: Standing): void;
  /** The token is not good any more. */
  signedOut(): void;
  /** What the device has, most recent first: [conversation, seq]. */
  have(): [string, number][];
  /** Whether the person did something since this was last asked. */
  active(): boolean;
}

/** A frame from its text; null where it is none. */
function read(text: string): ServerFrame | null {
  try {
    const frame = JSON.parse(text) as ServerFrame | null;
    return typeof frame?.t === "string" ? frame : null;
  } catch {
    return null;
  }
}

const browser: World = { open: (url) => new WebSocket(url), random: Math.random };

/** The connection of a device: it says hello, keeps alive, and comes back by itself with jittered, growing waits. */
export class Socket {
  private ws: WebSocket | null = null;
  private standing: Standing = "waiting";
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setTimeout> | undefined;
  private heartbeatMs = 10_000;
  private saidAt = 0;
  private heardAt = 0;
  /** When the server greeted; null before it did. */
  private readyAt: number | null = null;
  private wait: { after: number; spread: number } | null = null;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly events: Events,
    private readonly world: World = browser,
  ) {}

  /** Connects now, if it waits. */
  connect(): void {
    if (this.standing !== "waiting") return;
    clearTimeout(this.timer);
    this.become("connecting");
    const ws = this.world.open(this.url);
    this.ws = ws;
    this.heardAt = Date.now();
    ws.onopen = () => this.say({ t: "hello", token: this.token, have: this.events.have(), client: "kith-web" });
    ws.onmessage = (event) => {
      if (this.ws !== ws) return;
      const frame = read(event.data as string);
      if (frame) this.hear(frame);
      // Of a later version, or broken: the server is not silent.
      else this.heardAt = Date.now();
    };
    ws.onclose = (event) => {
      if (this.ws === ws) this.lose(event.code);
    };
    this.beat();
  }

  /** Says a frame; false if the device is not online, and then it was not said. */
  send(frame: ClientFrame): boolean {
    if (this.standing !== "online") return false;
    this.say(frame);
    return true;
  }

  /** Ends the connection for good. */
  end(): void {
    clearTimeout(this.timer);
    clearTimeout(this.heartbeat);
    const ws = this.ws;
    this.ws = null;
    ws?.close(1000);
    this.become("ended");
  }

  /** Something has changed about the network: what waits does not wait any longer, what is open shows that it lives. */
  wake(): void {
    if (this.standing === "waiting") this.connect();
    else this.send({ t: "ping" });
  }

  private say(frame: ClientFrame): void {
    this.saidAt = Date.now();
    this.ws?.send(JSON.stringify(frame));
  }

  private hear(frame: ServerFrame): void {
    this.heardAt = Date.now();
    if (frame.t === "ready") {
      this.readyAt = Date.now();
      this.heartbeatMs = frame.heartbeat_ms;
      // Whose seqs these are is known before anything is said or asked.
      this.events.frame(frame);
      this.become("online");
      this.beat(this.world.random());
      return;
    }
    if (frame.t === "goaway") {
      this.wait = { after: frame.reconnect_after_ms, spread: frame.spread_ms };
    } else if (frame.t === "reset") {
      setTimeout(() => this.send({ t: "hello", have: this.events.have() }), this.world.random() * frame.spread_ms);
    }
    this.events.frame(frame);
  }

  /**
   * Pings when nothing was said for a heartbeat, or nothing heard: most of what is said has no answer. Lets go of a
   * connection on which nothing is heard.
   */
  private beat(share = 1): void {
    clearTimeout(this.heartbeat);
    this.heartbeat = setTimeout(() => {
      if (Date.now() - this.heardAt > SILENT_HEARTBEATS * this.heartbeatMs) {
        const ws = this.ws;
        this.ws = null;
        ws?.close();
        this.lose(1006);
        return;
      }
      const quiet = Date.now() - Math.min(this.saidAt, this.heardAt);
      if (quiet >= this.heartbeatMs * 0.9 || share < 1) this.send({ t: "ping", active: this.events.active() });
      this.beat();
    }, this.heartbeatMs * share);
  }

  private lose(code: number): void {
    clearTimeout(this.heartbeat);
    this.ws = null;
    if (SIGNED_OUT.includes(code)) {
      this.become("ended");
      this.events.signedOut();
      return;
    }
    if (this.readyAt !== null && Date.now() - this.readyAt >= STEADY_MS) this.attempts = 0;
    this.readyAt = null;
    const backOff = Math.min(BACK_OFF_MS * 2 ** this.attempts, BACK_OFF_AT_MOST_MS);
    const { after, spread } = this.wait ?? { after: backOff / 2, spread: backOff / 2 };
    this.attempts += 1;
    this.wait = null;
    this.become("waiting");
    this.timer = setTimeout(() => this.connect(), after + this.world.random() * spread);
  }

  private become(standing: Standing): void {
    if (this.standing === standing) return;
    this.standing = standing;
    this.events.standing(standing);
  }
}
