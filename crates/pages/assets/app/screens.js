// The screens, and how one leads to another. The browser's way back leads through them as well.

/** The screen that is shown. */
let here = { name: "starting", parameters: {} };

const screens = { home, welcome, pair, paired, account, remove, history: pastRequests, install, request, deny, result };

function go(name, parameters = {}, { replace = false, focus = true } = {}) {
  const next = { name, parameters };
  history[replace ? "replaceState" : "pushState"](next, "");
  arrive(next, focus);
}

function arrive(next, focus = true) {
  here = next;
  screens[here.name](here.parameters, { focus });
}

/** Home is one: without a pairing it is the screen that asks for a code. */
const goHome = (options = {}) => go(pairings.length ? "home" : "welcome", {}, { replace: true, ...options });

window.addEventListener("popstate", ({ state }) => {
  if (state?.name) arrive(state);
});

function home(_, options) {
  if (!pairings.length) return goHome();
  show(bind(screen("home", {}, { none: !waiting().length }), { add: () => go("welcome"), history: () => go("history") }), options);
  const list = (name, entries) => view.querySelector(`[data-list="${name}"]`).replaceChildren(...entries);
  const requestEntry = (request) => {
    const entry = screen("home-request", { client: clientOf(request), account: request.account });
    timed(entry.querySelector("[data-time]"), request);
    return bind(entry, { open: () => go("request", { id: request.id }) });
  };
  const pairingEntry = (pairing) =>
    bind(screen("home-pairing", pairing, { removed: pairing.removed }), { open: () => go("account", { id: pairing.id }) });
  list("requests", waiting().map(requestEntry));
  list("pairings", pairings.map(pairingEntry));
  showPush();
  tick();
}

/** Shows what has changed, without taking the focus from where it is. */
function refreshed() {
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (requests.size) document.title = `(${requests.size}) ${document.title}`;
  if (here.name === "home") {
    const controls = () => [...view.querySelectorAll("button, h1")];
    const at = controls().indexOf(document.activeElement);
    home({}, { focus: false });
    controls()[at]?.focus({ preventScroll: true });
  }
  if (here.name === "account") arrive(here, false);
}

const spaced = (code) => code.replace(/(.{4})(.{4})/, "$1 $2");

/** A pairing code as its person may write it: blanks, hyphens, lower case, and letters that look like digits. */
function pairingCode(written) {
  const code = written.toUpperCase().replace(/[\s\-\u2010-\u2015]/g, "").replace(/[IL]/g, "1").replaceAll("O", "0");
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(code) ? code : undefined;
}

function welcome(_, options) {
  const node = screen("welcome", {}, { steps: !pairings.length, home: pairings.length });
  const check = () => {
    const field = document.getElementById("code");
    const code = pairingCode(field.value);
    if (code) return go("pair", { code });
    wrong(field, "code-wrong");
  };
  show(bind(node, { check, home: () => goHome() }), options);
}

/** Says below a field what is wrong with it, and puts the focus there. */
function wrong(field, name) {
  field.setAttribute("aria-invalid", "true");
  put(document.getElementById(`${field.id}-fault`), name);
  field.addEventListener("input", () => right(field), { once: true });
  field.focus();
}

function right(field) {
  field.removeAttribute("aria-invalid");
  document.getElementById(`${field.id}-fault`).replaceChildren();
}

/** What is about to be paired, before it is. */
function pair({ code }, options) {
  const node = screen("pair", { shown: spaced(code), issuer: CONFIG.issuer });
  show(bind(node, { pair: () => busy(() => pairNow(code)), cancel: () => goHome() }), options);
}

async function pairNow(code) {
  fault();
  if (pairings.length >= MOST_PAIRINGS) return fault("full");
  try {
    const current = push === "on" ? await subscription().catch(() => undefined) : undefined;
    const pairing = await pairWith(code, current);
    await keepPairing(pairing);
    pairings.push(pairing);
    await spend(code);
    // So that the browser does not delete the key when space runs short.
    navigator.storage?.persist?.().catch(() => {});
    if (push) push = await pushOffered();
    listenAgain();
    go("paired", { id: pairing.id }, { replace: true });
  } catch (error) {
    if (error.word !== "unknown_code") return faultOf(error);
    await spend(code);
    fault("code-unknown");
    // Trying again would change nothing.
    view.querySelector('[data-do="pair"]').hidden = true;
  }
}

/** An app on the home screen of iOS is opened with the same code for ever. It is asked about once. */
async function spend(code) {
  await set("begun", undefined);
  await set("codes", [...((await setting("codes")) ?? []), code].slice(-MOST_HISTORY));
}

const pairingWith = (id) => pairings.find((pairing) => pairing.id === id);

function paired({ id }, options) {
  const pairing = pairingWith(id);
  if (!pairing) return goHome();
  const node = screen("paired", { ...pairing, device: pairing.deviceName });
  show(bind(node, { home: () => goHome(), remove: () => go("remove", { id }) }), options);
  showPush();
}

function account({ id }, options) {
  const pairing = pairingWith(id);
  if (!pairing) return goHome();
  const values = { ...pairing, device: pairing.deviceName, paired: dayOf(pairing.pairedAt) };
  const node = screen("account", values, { removed: pairing.removed });
  show(bind(node, { home: () => goHome(), remove: () => go("remove", { id }) }), options);
}

function remove({ id }, options) {
  const pairing = pairingWith(id);
  if (!pairing) return goHome();
  const node = screen("remove", pairing, { listed: !pairing.removed });
  const yes = () => busy(() => removeNow(pairing));
  show(bind(node, { yes, back: () => go("account", { id }, { replace: true }) }), options);
}

async function removeNow(pairing) {
  // Without a connection the service finds out by itself: the push service says that the subscription is over.
  if (!pairing.removed) await subscribePairing(pairing, null).catch(() => {});
  await forgetPairing(pairing.id);
  pairings = pairings.filter(({ id }) => id !== pairing.id);
  for (const request of waiting()) if (request.pairing === pairing.id) requests.delete(request.id);
  if (!active().length) await turnOffPush().catch(() => {});
  listenAgain();
  goHome();
}

const TONES = { accepted: "success", reported: "warning", wrong_number: "danger" };

async function pastRequests(_, options) {
  const entries = await historyKept();
  const node = screen("history", {}, { none: !entries.length, some: entries.length });
  const clear = async () => {
    await clearHistory();
    arrive(here);
  };
  show(bind(node, { clear, home: () => goHome() }), options);
  const list = view.querySelector("[data-list]");
  if (!entries.length) return list.remove();
  for (const { at, client, account: who, outcome } of entries) {
    const values = { client: client || plainText("unnamed"), account: who, at: dayOf(at) };
    const entry = screen("history-entry", { ...values, outcome: plainText(`outcome-${outcome}`) });
    if (TONES[outcome]) entry.querySelector(".badge").classList.add(TONES[outcome]);
    list.append(entry);
  }
}

/** How iOS puts the app on the home screen. The storage there is another one, so the code goes with it. */
function install({ code }, options) {
  const node = screen("install", { shown: code && spaced(code) }, { code });
  const skip = () => (code ? go("pair", { code }) : goHome());
  show(bind(node, { skip }), options);
}

