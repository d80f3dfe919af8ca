import { type Events, Socket, type Standing } from "./socket";
import type { ClientFrame, ServerFrame } from "./types";

/** What one tab tells the others. */
type Word =
  | { is: "frame"; frame: ServerFrame }
  | { is: "standing"; standing: Standing }
  | { is: "say"; frame: ClientFrame }
  | { is: "wake" | "active" | "news" | "signed-out" };

/** What tabs hear each other with. */
export interface Channel {
  postMessage(word: Word): void;
  onmessage: ((event: MessageEvent<Word>) => void) | null;
  close(): void;
}

/** What tabs share: a channel, and a turn that one of them has for as long as it lives. */
export interface Tabs {
  channel(): Channel;
  /** Calls `lead` once it is this tab's turn, which lasts until what it gives is settled. */
  turn(lead: () => Promise<void>): void;
  /** Does a work of which no two tabs do the same at a time; the next one's turn comes when this one has ended, or is gone. */
  alone(work: string, signal: AbortSignal, does: () => Promise<void>): Promise<void>;
}

/** The tabs of a browser; null where it cannot share, and then each tab is a connection of its own. */
export function browserTabs(name: string): Tabs | null {
  if (!("locks" in navigator) || !("BroadcastChannel" in globalThis)) return null;
  return {
    channel: () => new BroadcastChannel(name) as unknown as Channel,
    turn: (lead) => void navigator.locks.request(name, lead).catch(() => undefined),
    alone: async (work, signal, does) => {
      await navigator.locks.request(`${name}.${work}`, { signal }, does);
    },
  };
}

/**
 * One connection for all tabs of a browser. The tab whose turn it is holds the socket; what it hears all hear, and what
 * the others say it says for them. When it goes, the next one connects.
 */
export class SharedSocket {
  private socket: Socket | null = null;
  private readonly channel: Channel | null;
  private standing: Standing = "connecting";
  private active = false;
  /** What the server said when the connection began, for tabs that join later. */
  private greeting: ServerFrame | null = null;
  private release: (() => void) | null = null;
  private ended = false;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly events: Events & {
      /** Some tab says this, this one or another. */
      said(frame: ClientFrame): void;
    },
    private readonly tabs: Tabs | null,
  ) {
    this.channel = tabs?.channel() ?? null;
  }

  connect(): void {
    if (!this.tabs || !this.channel) return this.lead();
    this.channel.onmessage = ({ data }) => this.hear(data);
    this.channel.postMessage({ is: "news" });
    this.tabs.turn(() => {
      if (this.ended) return Promise.resolve();
      this.lead();
      return new Promise((resolve) => {
        this.release = resolve;
      });
    });
  }

  /** Says a frame; false if there is no connection, and then it was not said. */
  send(frame: ClientFrame): boolean {
    if (this.standing !== "online") return false;
    this.events.said(frame);
    this.channel?.postMessage({ is: "say", frame });
    return this.socket ? this.socket.send(frame) : true;
  }

  /** Whether this is the tab that holds the connection for all. */
  get leads(): boolean {
    return this.socket !== null;
  }

  wake(): void {
    if (this.socket) this.socket.wake();
    else this.channel?.postMessage({ is: "wake" });
  }

  /** Ends this tab's part. Where it held the connection, the next tab takes over. */
  end(): void {
    this.ended = true;
    this.socket?.end();
    this.socket = null;
    this.release?.();
    this.channel?.close();
  }

  private lead(): void {
    this.socket = new Socket(this.url, this.token, {
      ...this.events,
      frame: (frame) => {
        if (frame.t === "ready") this.greeting = frame;
        this.channel?.postMessage({ is: "frame", frame });
        this.events.frame(frame);
      },
      standing: (standing) => this.become(standing),
      signedOut: () => {
        this.channel?.postMessage({ is: "signed-out" });
        this.events.signedOut();
      },
      active: () => {
        const active = this.active || this.events.active();
        this.active = false;
        return active;
      },
    });
    this.socket.connect();
  }

  private become(standing: Standing): void {
    this.standing = standing;
    // The end of one tab's part is nobody else's.
    if (standing !== "ended") this.channel?.postMessage({ is: "standing", standing });
    this.events.standing(standing);
  }

  private hear(word: Word): void {
    switch (word.is) {
      case "say":
        this.events.said(word.frame);
        this.socket?.send(word.frame);
        return;
      case "wake":
        return this.socket?.wake();
      case "active":
        this.active = true;
        return;
      case "news":
        if (this.socket && this.greeting) this.channel?.postMessage({ is: "frame", frame: this.greeting });
        if (this.socket) this.channel?.postMessage({ is: "standing", standing: this.standing });
        return;
      case "signed-out":
        return this.events.signedOut();
      case "frame":
        // Who joins while there is a connection is greeted by its next word.
        if (!this.socket) this.events.frame(word.frame);
        return;
      case "standing":
        if (this.socket || this.standing === word.standing) return;
        this.standing = word.standing;
        this.events.standing(word.standing);
    }
  }

  /** The person did something in this tab. */
  act(): void {
    if (!this.socket) this.channel?.postMessage({ is: "active" });
  }
}
