// Notifications while the app is closed: Web Push (contract 18.14, 20.5).

/** The service worker's registration, if the browser has one. */
let worker;
/** `ask`, `on`, `denied`, `unsupported`, or `install`: only an app on the home screen has them. Unknown at the start. */
let push;
/** How long the service worker may take to start, in milliseconds. */
const WORKER_PATIENCE = 10_000;
/** What Chromium gives an app to install it with. */
let installation;

const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const isInstalled = () => navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;
const needsHomeScreen = () => isApple && !isInstalled();

async function startWorker() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register(`${CONFIG.root}/app/worker.js`, { scope: `${CONFIG.root}/app` });
    const late = new Promise((resolve) => setTimeout(resolve, WORKER_PATIENCE));
    worker = await Promise.race([navigator.serviceWorker.ready, late]);
  } catch {
    // Some private windows have none. The app works while it is open.
  }
}

async function pushOffered() {
  if (needsHomeScreen()) return "install";
  if (!CONFIG.pushKey || !worker?.pushManager || !("Notification" in window)) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && (await setting("push")) ? "on" : "ask";
}

/** The browser's subscription under this server's key: the one there is, or a new one. */
async function subscription() {
  const kept = await worker.pushManager.getSubscription();
  if (kept) {
    if (base64url(kept.options.applicationServerKey) === CONFIG.pushKey) return plainSubscription(kept);
    await kept.unsubscribe();
  }
  const options = { userVisibleOnly: true, applicationServerKey: CONFIG.pushKey };
  return plainSubscription(await worker.pushManager.subscribe(options));
}

/** Subscribes anew and says so for each pairing. It happens at each start, since browsers end subscriptions in silence. */
async function renewPush() {
  push = await pushOffered();
  if (push !== "on") return;
  try {
    const current = await subscription();
    await Promise.all(active().map((pairing) => subscribed(pairing, current)));
  } catch {
    // The push service cannot be reached, or the server. The next start tries again.
  }
}

async function subscribed(pairing, current) {
  try {
    await subscribePairing(pairing, current);
  } catch (refusal) {
    if (refusal.word !== "not_paired") throw refusal;
    await unpaired(pairing);
  }
}

/** Asks for the permission. Browsers show their question only in answer to a press. */
async function turnOnPush() {
  try {
    if ((await Notification.requestPermission()) === "granted") {
      const current = await subscription();
      await Promise.all(active().map((pairing) => subscribed(pairing, current)));
      await set("push", true);
    }
  } catch {
    fault("notify-failed");
    return;
  }
  push = await pushOffered();
  showPush();
}

async function turnOffPush() {
  await set("push", false);
  await Promise.allSettled(active().map((pairing) => subscribed(pairing, null)));
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
  push = await pushOffered();
  showPush();
}

/** Fills the part of a screen that is about notifications. */
function showPush() {
  const section = view.querySelector("[data-notify]");
  if (!section) return;
  section.hidden = !active().length || !push;
  if (!push) return;
  const part = bind(screen(`notify-${push}`, {}, { installable: Boolean(installation) }), {
    notify: () => busy(turnOnPush),
    silence: () => busy(turnOffPush),
    steps: () => go("install", {}),
    install: async () => {
      await installation?.prompt();
      installation = undefined;
      showPush();
    },
  });
  const hadFocus = section.contains(document.activeElement);
  section.replaceChildren(part);
  // One button of a screen is what it is for.
  const onward = view.querySelector('[data-do="home"].primary');
  if (push === "ask") onward?.classList.replace("primary", "secondary");
  // What is done goes to the end, what is to be done stays where it is seen.
  if (push === "on") section.parentNode.append(section);
  if (hadFocus) section.querySelector("button")?.focus();
}

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installation = event;
  showPush();
});

