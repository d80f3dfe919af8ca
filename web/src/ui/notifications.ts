// Being told of messages on this device: by a push while no page is open, and by a page that nobody sees.
import { effect, signal } from "@preact/signals";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import type { Keep } from "../core/keep";
import { now, timeOf } from "../core/now";
import type { Entry, Info } from "../core/types";
import { nameOf, titleOf } from "./names";

/**
 * Whether one is told on this device: `local` where the browser has no push service that answers, or the server does not
 * push, and only open pages tell.
 */
export type Told = "unsupported" | "denied" | "off" | "local" | "on";

const WANTED = "kith.notifications";
/** Where the service worker finds as whom to speak when the browser replaces a subscription. */
const LEFT = "kith-push";

export const told = signal<Told>("off");

const supported = () => "serviceWorker" in navigator && "Notification" in window;

/** Answers the service worker, goes where a notification leads, and tells of what comes while nobody looks. */
export function beginNotifications(keep: Keep, client: () => Client | null): void {
  const count = () => {
    const unread = client()?.listing.list.value.filter(isLoud).length ?? 0;
    document.title = unread > 0 ? `(${unread}) Kith` : "Kith";
  };
  effect(count);
  if (!supported()) {
    told.value = "unsupported";
    return;
  }
  navigator.serviceWorker.addEventListener("message", ({ data, ports }: MessageEvent<{ is: string; conversation?: string }>) => {
    if (data.is === "what-is-seen") ports[0]?.postMessage({ seen: !document.hidden, conversation: client()?.open.value });
    else if (data.is === "open" && data.conversation) arriveAt(client, data.conversation);
  });
  navigator.serviceWorker.startMessages();
  look(keep);
  effect(() => void tidy(client()));
}

/** What the browser and the person have decided so far. */
function look(keep: Keep): void {
  const wanted = keep.get(WANTED);
  if (Notification.permission === "denied") told.value = "denied";
  else if (Notification.permission === "granted" && wanted) told.value = wanted === "local" ? "local" : "on";
  else told.value = "off";
}

/** Unread, and not put away or muted. */
function isLoud(conversation: Conversation): boolean {
  const { unread, archived } = conversation.item.value;
  return unread > 0 && !archived && !isMuted(conversation);
}

function isMuted(conversation: Conversation): boolean {
  const { muted_until } = conversation.item.value;
  return !!muted_until && Date.parse(muted_until) > now();
}

/** Opens a conversation as soon as it is known. */
function arriveAt(client: () => Client | null, id: string): void {
  let done = false;
  const stop = effect(() => {
    const signedIn = client();
    if (done || !signedIn?.listing.conversations.value.has(id)) return;
    done = true;
    void signedIn.show(id);
    queueMicrotask(() => stop());
  });
}

let tidied = "";

/** Takes away what was told of conversations that have been read since. */
async function tidy(signedIn: Client | null): Promise<void> {
  if (!signedIn?.listing.listed.value) return;
  // Up to where, since a word may be overtaken by a message.
  const read = Object.fromEntries(signedIn.listing.list.value.map(({ id, item }) => [id, item.value.read]));
  const now = JSON.stringify(Object.entries(read).toSorted());
  if (now === tidied) return;
  tidied = now;
  const registration = await navigator.serviceWorker.getRegistration();
  registration?.active?.postMessage({ is: "read", read });
}

/** Tells of an entry that has just come, if nobody sees a page of this browser. */
export async function tellOf(signedIn: Client, entry: Entry): Promise<void> {
  if (told.value !== "on" && told.value !== "local") return;
  const conversation = signedIn.get(entry.conversation);
  if (entry.kind !== "message" || entry.sender === signedIn.me.id || !document.hidden || !conversation || isMuted(conversation)) return;
  const item = conversation.item.value;
  const registration = await navigator.serviceWorker.ready;
  registration.active?.postMessage({
    is: "heard",
    told: {
      conversation: entry.conversation,
      seq: entry.seq,
      at: timeOf(entry),
      title: titleOf(conversation),
      sender: nameOf(entry.sender),
      text: entry.body.text,
      attachment: entry.body.attachments?.[0]?.content_type,
      unread: item.unread,
      mentioned: entry.body.mentions?.includes(signedIn.me.id) ?? false,
      direct: item.kind === "direct",
    },
  });
}

/** Has this device told, asking the person if they were not asked. */
export async function turnOn(signedIn: Client, keep: Keep, info: Info | null, token: string): Promise<void> {
  if ((await Notification.requestPermission()) === "granted") keep.set(WANTED, "local");
  look(keep);
  if (told.value === "local") await subscribe(signedIn, keep, info, token);
}

async function subscribe(signedIn: Client, keep: Keep, info: Info | null, token: string): Promise<void> {
  const key = info?.push?.vapid_key;
  const registration = await navigator.serviceWorker.ready;
  if (!key || !("pushManager" in registration)) return;
  const subscription = await subscriptionWith(registration.pushManager, key);
  const device = (await signedIn.rest.devices()).items.find(({ current }) => current);
  if (!subscription || !device) return;
  const path = await signedIn.rest.subscribe(device.id, subscription.toJSON());
  await leave({ path, token, key });
  keep.set(WANTED, "on");
  look(keep);
}

/** A subscription for the server's key, in place of one for another key; null where no push service answers. */
async function subscriptionWith(push: PushManager, key: string): Promise<PushSubscription | null> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await push.subscribe(options);
  } catch {
    const before = await push.getSubscription();
    if (!before) return null;
    await before.unsubscribe();
    return push.subscribe(options).catch(() => null);
  }
}

/** Tells the server anew at the start of a page: the browser may have another subscription than it knows. */
export async function refresh(signedIn: Client, keep: Keep, info: Info, token: string): Promise<void> {
  if (told.value === "on" || told.value === "local") await subscribe(signedIn, keep, info, token).catch(() => undefined);
}

/** Has this device told no longer. */
export async function turnOff(signedIn: Client, keep: Keep): Promise<void> {
  keep.set(WANTED, null);
  look(keep);
  const device = (await signedIn.rest.devices()).items.find(({ current }) => current);
  if (device) await signedIn.rest.unsubscribe(device.id);
  await forgetNotifications();
}

/** Forgets where this device is woken, and all that was told: somebody has signed out. */
export async function forgetNotifications(): Promise<void> {
  if (!supported()) return;
  if (told.value !== "denied") told.value = "off";
  const registration = await navigator.serviceWorker.getRegistration();
  registration?.active?.postMessage({ is: "over" });
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
  indexedDB.deleteDatabase(LEFT);
}

function leave(device: { path: string; token: string; key: string }): Promise<void> {
  return new Promise((resolve) => {
    const opening = indexedDB.open(LEFT, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("device");
    opening.onerror = () => resolve();
    opening.onsuccess = () => {
      const writing = opening.result.transaction("device", "readwrite");
      writing.objectStore("device").put(device, "here");
      writing.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });
}
