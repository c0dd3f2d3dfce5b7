// The start of the app.

/** The pairing code of the address: behind `#` where a camera has read it, in the query where the home screen keeps it. */
function codeOfAddress() {
  // `URLSearchParams` decodes whatever is there, where `decodeURIComponent` throws.
  const behindHash = new URLSearchParams(`code=${location.hash.slice(1)}`).get("code");
  return pairingCode(new URLSearchParams(location.search).get("pair") ?? behindHash);
}

/** Begins to pair with the code of the address, if there is one that was not used here. */
async function pairFromAddress() {
  const code = codeOfAddress();
  const isNew = code && !((await setting("codes")) ?? []).includes(code);
  if (isNew && needsHomeScreen()) {
    // iOS takes the address of the app from the page as the server made it, and the app there has a storage apart.
    if (!location.search) return location.replace(`${CONFIG.root}/app?pair=${code}`);
    return go("install", { code });
  }
  // The code is secret for as long as it works: it does not stay in the address, nor in the way back.
  history.replaceState(history.state, "", `${CONFIG.root}/app`);
  if (isNew) go("pair", { code });
}

async function start() {
  try {
    if (!isSecureContext || !crypto.subtle) throw new Error("not secure");
    pairings = await pairingsKept();
  } catch {
    document.getElementById("status").hidden = true;
    here = { name: "broken", parameters: {} };
    return show(screen("broken"));
  }
  goHome({ focus: false });
  await pairFromAddress();
  setInterval(tick, 1_000);
  listen();
  reviveAll();
  await startWorker();
  await renewPush();
  showPush();
}

let hiddenAt = 0;
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState === "hidden") {
    hiddenAt = Date.now();
    return;
  }
  // Another window may have paired or removed. A phone that has slept does not know that its stream is dead.
  if (here.name === "broken") return;
  pairings = await pairingsKept();
  refreshed();
  reviveAll();
  if (Date.now() - hiddenAt > 20_000) listenAgain();
  else wake();
});
window.addEventListener("online", () => wake());
window.addEventListener("offline", () => listenAgain());
window.addEventListener("hashchange", () => pairFromAddress());

// What the service worker says: a prompt has come, or its notification was pressed.
navigator.serviceWorker?.addEventListener("message", async ({ data }) => {
  await askAll().catch(() => {});
  if (data?.kind === "open") openNewest();
});

start();
