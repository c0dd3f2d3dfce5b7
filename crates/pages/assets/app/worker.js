// The service worker: shows notifications, and opens the app without a connection. It may be started for a single event,
// so it remembers nothing.

const CACHE = `countersign-${CONFIG.version}`;
const APP = `${CONFIG.root}/app`;

self.addEventListener("install", (event) => {
  const fill = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(CONFIG.shell);
    await cache.put(APP, await fetch(APP, { cache: "no-store" }));
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("countersign-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// The page comes from the server if it can, the files from the cache: their names change with them. Answers of the
// server to the app's questions are never kept.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === APP) event.respondWith(page(request));
  else if (CONFIG.shell.includes(pathname)) event.respondWith(file(request, pathname));
});

async function page(request) {
  try {
    const fresh = await fetch(request);
    // The page of an address with a pairing code is another one.
    if (fresh.ok && !new URL(request.url).search) {
      const cache = await caches.open(CACHE);
      await cache.put(APP, fresh.clone());
    }
    return fresh;
  } catch (error) {
    const kept = await caches.match(APP);
    if (kept) return kept;
    throw error;
  }
}

async function file(request, path) {
  return (await caches.match(path)) ?? fetch(request);
}

/** The windows that show the app. */
async function windows() {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((client) => new URL(client.url).pathname === APP);
}

// Browsers withdraw a subscription whose pushes show nothing, so each shows something, even one that comes too late.
self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data.json();
  } catch {
    // Not from this server. It is shown as if its prompt had ended.
  }
  event.waitUntil(notify(said));
});

async function notify({ id = "none", end = 0, notification = {} }) {
  ahead = (await setting("ahead").catch(() => 0)) ?? 0;
  const lang = notification.lang ?? "en";
  const isOver = end <= now() || !notification.title;
  const title = isOver ? (CONFIG.ended[lang.slice(0, 2)] ?? CONFIG.ended.en) : notification.title;
  for (const client of await windows()) client.postMessage({ kind: "push", id });
  await self.registration.showNotification(title, {
    lang,
    tag: id,
    icon: CONFIG.icon,
    requireInteraction: !isOver,
    silent: isOver,
    timestamp: Date.now(),
    data: { id },
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { id } = event.notification.data ?? {};
  const open = async () => {
    const [shown] = await windows();
    if (!shown) return self.clients.openWindow(APP);
    shown.postMessage({ kind: "open", id });
    return shown.focus();
  };
  event.waitUntil(open());
});

// Not every browser says so, which is why the app subscribes anew at each start, too.
self.addEventListener("pushsubscriptionchange", (event) => {
  const renew = async () => {
    if (!CONFIG.pushKey || !(await setting("push"))) return;
    const options = { userVisibleOnly: true, applicationServerKey: CONFIG.pushKey };
    const current = plainSubscription(await self.registration.pushManager.subscribe(options));
    const pairings = (await pairingsKept()).filter((pairing) => !pairing.removed);
    await Promise.allSettled(pairings.map((pairing) => subscribePairing(pairing, current)));
  };
  event.waitUntil(renew());
});
