// Lets the client open without a network, and tells of messages. It keeps the page and what the page names, and nothing of
// what people say.
const KEPT = "kith-client";

/** Keeps a new page with everything that it needs, or leaves the old one as it is. */
async function renew(answer) {
  const text = await answer.clone().text();
  const needed = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]);
  const cache = await caches.open(KEPT);
  await cache.addAll(needed.filter((path) => !path.startsWith("/v1/")));
  await cache.put("/", answer);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/" && !needed.includes(pathname)) await cache.delete(request);
  }
}

async function page(request) {
  try {
    const answer = await fetch(request);
    if (answer.ok) await renew(answer.clone());
    return answer;
  } catch (error) {
    const kept = await caches.match("/");
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", (event) => {
  event.waitUntil(fetch("/").then((answer) => renew(answer)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || pathname.startsWith("/v1/")) return;
  if (event.request.mode === "navigate" && pathname === "/") event.respondWith(page(event.request));
  else event.respondWith(caches.match(event.request, { ignoreVary: true }).then((kept) => kept ?? fetch(event.request)));
});

/** How long a window may take to say what it shows, in milliseconds: one that sleeps says nothing. */
const ANSWER_MS = 500;

/** What a window shows: whether somebody sees it, and the conversation that is open. */
function ask(page) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const asleep = setTimeout(() => resolve({ seen: false }), ANSWER_MS);
    port1.onmessage = ({ data }) => {
      clearTimeout(asleep);
      resolve(data);
    };
    page.postMessage({ is: "what-is-seen" }, [port2]);
  });
}

const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

/** What stands for an attachment where a message has no words. */
function sign(type) {
  if (!type) return "";
  return { image: "🖼", video: "🎬", audio: "🎤" }[type.split("/")[0]] ?? "📎";
}

/**
 * Shows the newest message of a conversation in place of the one before. `here` is what a page of this browser has heard:
 * then nobody is told who sees any page of it, else nobody who sees the conversation.
 */
async function tell(told, here) {
  const seen = (await Promise.all((await pages()).map(ask))).filter((page) => page.seen);
  if (here ? seen.length > 0 : seen.some((page) => page.conversation === told.conversation)) return;
  const [before] = await self.registration.getNotifications({ tag: told.conversation });
  if (before && before.data.seq >= told.seq) return;
  const words = [sign(told.attachment), told.text].filter(Boolean).join(" ");
  await self.registration.showNotification(told.unread > 1 ? `${told.title} (${told.unread})` : told.title, {
    body: told.direct ? words : `${told.sender}: ${words}`,
    tag: told.conversation,
    // One that replaces another makes no sound again, but where somebody is meant.
    renotify: Boolean(told.mentioned),
    timestamp: Date.parse(told.at),
    icon: "/icon.svg",
    data: { conversation: told.conversation, seq: told.seq },
  });
}

/** Takes away what was told and has been read: up to a seq of each conversation. */
async function hush(isRead) {
  for (const shown of await self.registration.getNotifications()) if (isRead(shown.data)) shown.close();
}

/** Goes to a conversation: in a window that is there, or in a new one. */
async function open(conversation) {
  const [page] = (await pages()).sort((a, b) => Number(b.focused) - Number(a.focused));
  if (!page) return self.clients.openWindow(`/#${conversation}`);
  page.postMessage({ is: "open", conversation });
  // A browser lets the focus be taken only right after a click.
  return page.focus().catch(() => undefined);
}

/** What a page has left for the time when there is none: where to tell the server of a new subscription, and as whom. */
function left() {
  return new Promise((resolve) => {
    const opening = indexedDB.open("kith-push", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("device");
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      const got = opening.result.transaction("device").objectStore("device").get("here");
      got.onerror = () => resolve(undefined);
      got.onsuccess = () => resolve(got.result);
    };
  });
}

/** The browser has replaced a subscription: the server must know the new one. */
async function renewSubscription(event) {
  const device = await left();
  if (!device) return;
  const options = event.oldSubscription?.options ?? { userVisibleOnly: true, applicationServerKey: device.key };
  const subscription = event.newSubscription ?? (await self.registration.pushManager.subscribe(options));
  const headers = { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json" };
  await fetch(device.path, { method: "PUT", headers, body: JSON.stringify(subscription) });
}

self.addEventListener("push", (event) => event.waitUntil(tell(event.data.json(), false)));
self.addEventListener("message", (event) => {
  if (event.data.is === "heard") event.waitUntil(tell(event.data.told, true));
  else if (event.data.is === "read") event.waitUntil(hush(({ conversation, seq }) => seq <= (event.data.read[conversation] ?? 0)));
  else if (event.data.is === "over") event.waitUntil(hush(() => true));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.conversation));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewSubscription(event)));
