// Lets the client open without a network. It keeps the page and what the page names, and nothing of what people say.
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
