// Who is signed in on this page, from its beginning to the signing out.
import { Client } from "../core/client";
import { KnownUsers } from "../core/known";
import { Rest } from "../core/rest";
import { browserShelf } from "../core/shelf";
import { browserTabs } from "../core/tabs";
import type { Profile, SignedIn } from "../core/types";
import { type Language, language, languages } from "../texts";
import { beginNotifications, forgetNotifications, refresh, tellOf } from "./notifications";
import { client, dialog, info, keep, known } from "./state";

const SESSION = "kith.session";

const shelf = browserShelf();

interface Session {
  token: string;
  user: Profile;
}

/** Takes up where the last page left off. */
export function begin(): void {
  const chosen = keep.get("kith.language") ?? navigator.language.slice(0, 2);
  speak(chosen in languages ? (chosen as Language) : "en");
  const kept = keep.get(SESSION);
  if (kept) start(JSON.parse(kept) as Session);
  void new Rest(location.origin).info().then((told) => {
    info.value = told;
    if (client.value) void refresh(client.value, keep, told, token());
  }, () => undefined);
  beginNotifications(keep, () => client.value);
  window.addEventListener("online", () => client.value?.wake());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) client.value?.wake();
  });
  for (const event of ["pointerdown", "keydown"]) window.addEventListener(event, () => client.value?.act(), { passive: true });
}

export function speak(chosen: Language): void {
  language.value = chosen;
  document.documentElement.lang = chosen;
}

function start({ token, user }: Session): void {
  const rest = new Rest(location.origin, token);
  const socket = new URL("/v1/socket", location.origin);
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  client.value = new Client(user, rest, keep, shelf, browserTabs(`kith.${user.id}`), socket.href, token, forget);
  const started = client.value;
  started.heard = (entry) => void tellOf(started, entry);
}

/** What signs this device in. */
export function token(): string {
  const kept = keep.get(SESSION);
  return kept ? (JSON.parse(kept) as Session).token : "";
}

export function enter({ token, user, device_secret }: SignedIn): void {
  if (user.username && device_secret) known.remember(user.username, device_secret);
  keep.set(SESSION, JSON.stringify({ token, user }));
  start({ token, user });
}

/** Forgets who signed out here, and everything that was theirs but that this device is known. */
export function leave(): void {
  void forgetNotifications().catch(() => undefined);
  client.value?.outbox.clear();
  client.value?.end();
  client.value = null;
  dialog.value = null;
  void shelf.clear();
  for (const name of keep.names("kith.")) if (name !== "kith.language" && !KnownUsers.keeps(name)) keep.set(name, null);
}

/** The same for who was signed out from elsewhere, or has no account any longer: this device is not known either. */
export function forget(): void {
  const username = client.value?.me.username;
  leave();
  if (username) known.forget(username);
}
