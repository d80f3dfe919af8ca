import type {
  ConversationInfo,
  ConversationItem,
  ConversationList,
  ConversationKind,
  Device,
  Info,
  Media,
  MediaUrl,
  Invite,
  Message,
  Messages,
  Page,
  Participant,
  Personal,
  Problem,
  Profile,
  ReadReceipts,
  SearchItem,
  SignedIn,
} from "./types";
import { cleaned } from "./text";

/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 30_000;

/** The server said no, with a problem document (RFC 9457). */
export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    /** In how many seconds it may be asked again, where the server says so. */
    readonly retryAfterS: number | null = null,
  ) {
    super(problem.detail ?? problem.title);
  }
}

/** The server was not reached, or answered with something that is not its own. */
export class Unreachable extends Error {}

/** Where in a history a page lies: at most one of these; at the end without any. */
export interface Place {
  before?: number;
  after?: number;
  around?: number;
  at?: string;
}

type Query = Record<string, string | number | undefined>;

/** The REST routes that the client uses, one method for each. */
export class Rest {
  private known: Promise<Info> | undefined;

  constructor(
    readonly base: string,
    readonly token: string | null = null,
  ) {}

  info = () => this.ask<Info>("GET", "/v1/info");
  signUp = (body: { username: string; password: string; display_name?: string; invite?: string; device: { name: string; platform: string } }) =>
    this.ask<SignedIn>("POST", "/v1/users", body);
  signIn = (body: { username: string; password: string; device: { name: string; platform: string }; device_secret?: string }) =>
    this.ask<SignedIn>("POST", "/v1/sessions", body);
  signOut = () => this.ask<void>("DELETE", "/v1/sessions/current");

  profile = (user: string) => this.ask<Profile>("GET", `/v1/users/${user}`);
  people = (username: string) => this.ask<Page<Profile>>("GET", "/v1/users", undefined, { username, limit: 20 });
  changeProfile = (body: { display_name?: string; about?: string; avatar?: string; privacy?: { last_seen?: "everyone" | "contacts" | "nobody"; read_receipts?: boolean; groups?: "everyone" | "contacts" } }) =>
    this.ask<Profile>("PUT", "/v1/users/me", body);
  changePassword = (old: string, password: string) => this.ask<void>("PUT", "/v1/users/me/password", { old, new: password });
  eraseAccount = (password: string) => this.ask<void>("DELETE", "/v1/users/me", { password });
  devices = () => this.ask<Page<Device>>("GET", "/v1/users/me/devices");
  revoke = (device: string) => this.ask<void>("DELETE", `/v1/users/me/devices/${device}`);
  /** Has a device woken by a push service; gives the path of the request. */
  subscribe = async (device: string, subscription: unknown): Promise<string> => {
    const path = `/v1/users/me/devices/${device}/push`;
    await this.ask<void>("PUT", path, subscription);
    return path;
  };
  unsubscribe = (device: string) => this.ask<void>("DELETE", `/v1/users/me/devices/${device}/push`);
  blocked = (cursor?: string) => this.ask<Page<Profile>>("GET", "/v1/users/me/blocked", undefined, { limit: 200, cursor });
  block = (user: string) => this.ask<void>("PUT", `/v1/users/me/blocked/${user}`);
  unblock = (user: string) => this.ask<void>("DELETE", `/v1/users/me/blocked/${user}`);
  report = (body: { user?: string; conversation?: string; messages?: string[]; reason?: string }) =>
    this.ask<{ id: string }>("POST", "/v1/reports", body);
  invite = () => this.ask<Invite>("POST", "/v1/invites");

  conversations = (cursor?: string) =>
    this.ask<ConversationList>("GET", "/v1/users/me/conversations", undefined, { limit: 200, cursor });
  personalize = (conversation: string, body: Partial<Personal>) =>
    this.ask<Personal>("PUT", `/v1/users/me/conversations/${conversation}`, body);
  requests = () => this.ask<Page<ConversationItem>>("GET", "/v1/users/me/requests");
  answerRequest = (conversation: string, answer: "accepted" | "declined" | "blocked") =>
    this.ask<void>("PUT", `/v1/users/me/requests/${conversation}`, { answer });
  channels = (q: string) => this.ask<Page<{ id: string; title: string }>>("GET", "/v1/channels", undefined, { q, limit: 20 });
  converse = (body: { kind: ConversationKind; members: string[]; title?: string; expire_after_s?: number }) =>
    this.ask<ConversationInfo>("POST", "/v1/conversations", body);
  conversation = (id: string) => this.ask<ConversationInfo>("GET", `/v1/conversations/${id}`);
  changeConversation = (id: string, body: { title?: string; topic?: string; avatar?: string; expire_after_s?: number; writers?: "everyone" | "admins" }) =>
    this.ask<ConversationInfo>("PATCH", `/v1/conversations/${id}`, body);
  participants = (id: string, cursor?: string) =>
    this.ask<Page<Participant>>("GET", `/v1/conversations/${id}/participants`, undefined, { limit: 200, cursor });
  add = (id: string, user: string) => this.ask<Participant>("POST", `/v1/conversations/${id}/participants`, { user });
  changeRole = (id: string, user: string, role: string) =>
    this.ask<Participant>("PATCH", `/v1/conversations/${id}/participants/${user}`, { role });
  remove = (id: string, user: string) => this.ask<void>("DELETE", `/v1/conversations/${id}/participants/${user}`);

  messages = (id: string, place: Place, limit: number) =>
    this.ask<Messages>("GET", `/v1/conversations/${id}/messages`, undefined, { ...place, limit } satisfies Query);
  message = (message: string) => this.ask<Message>("GET", `/v1/messages/${message}`);
  edit = (message: string, text: string, mentions: string[]) =>
    this.ask<Message>("PATCH", `/v1/messages/${message}`, { text: cleaned(text), mentions });
  delete = (message: string) => this.ask<void>("DELETE", `/v1/messages/${message}`);
  react = (message: string, emoji: string, on: boolean) =>
    this.ask<void>(on ? "PUT" : "DELETE", `/v1/messages/${message}/reactions/${encodeURIComponent(emoji)}`);
  /** Who got and read a message, a page of them, and how many; of a channel only how many. */
  readReceipts = (message: string, cursor?: string) =>
    this.ask<ReadReceipts>("GET", `/v1/messages/${message}/read_receipts`, undefined, { cursor });

  /** What the server bounds, asked for once. */
  limits = async () => (await (this.known ??= this.info().catch((error: unknown) => {
    this.known = undefined;
    throw error;
  }))).limits;
  /** How far what is sent in parts has come, by its path. */
  upload = (path: string) => this.ask<{ media?: Media }>("GET", path);
  mediaUrl = (media: string) => this.ask<MediaUrl>("GET", `/v1/media/${media}/url`);
  /** The bytes behind a signed url. */
  bytes = async (url: string): Promise<ArrayBuffer> => {
    const answer = await fetch(new URL(url, this.base), { signal: AbortSignal.timeout(PATIENCE_MS) }).catch((cause: unknown) => {
      throw new Unreachable("the server does not answer", { cause });
    });
    if (!answer.ok) throw new Unreachable(`the server answered ${answer.status}`);
    return answer.arrayBuffer();
  };
  search = (q: string, conversation: string | null, limit: number, cursor?: string) =>
    this.ask<Page<SearchItem>>("GET", "/v1/search", undefined, { q, conversation: conversation ?? undefined, limit, cursor });
  /** The messages that mention oneself, newest first. */
  mentioning = (limit: number, cursor?: string) => this.ask<Page<Message>>("GET", "/v1/users/me/mentions", undefined, { limit, cursor });

  private async ask<T>(method: string, path: string, body?: unknown, query: Query = {}): Promise<T> {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = new Headers();
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    let answer: Response;
    let text: string;
    try {
      const sent = body === undefined ? null : JSON.stringify(body);
      answer = await fetch(url, { method, headers, body: sent, signal: AbortSignal.timeout(PATIENCE_MS) });
      text = await answer.text();
    } catch (cause) {
      throw new Unreachable("the server does not answer", { cause });
    }
    if (answer.ok) return (text ? JSON.parse(text) : undefined) as T;
    throw failure(answer, text);
  }

  /** The bytes of a media. */
  mediaBytes = async (media: string, signal: AbortSignal): Promise<Blob> => {
    const headers = { Authorization: `Bearer ${this.token}` };
    try {
      const answer = await fetch(new URL(`/v1/media/${media}`, this.base), { headers, signal });
      if (answer.ok) return await answer.blob();
      throw failure(answer, await answer.text());
    } catch (cause) {
      if (signal.aborted || cause instanceof Refused) throw cause;
      throw new Unreachable("the server does not answer", { cause });
    }
  };
}

/** What an answer that is not the wanted one means. */
function failure(answer: Response, text: string): Refused | Unreachable {
  if (!answer.headers.get("Content-Type")?.startsWith("application/problem+json")) return new Unreachable(`the server answered ${answer.status}`);
  const after = answer.headers.get("Retry-After");
  return new Refused(JSON.parse(text) as Problem, after === null ? null : Number(after));
}
