// What waits for an answer.

let pairings = [];
/** By id: what the server said of a request, and the pairing it is for. */
const requests = new Map();
/** Requests that this phone is answering or has answered. They are not shown again, whatever a late event says. */
const settled = new Set();

const active = () => pairings.filter((pairing) => !pairing.removed);
const waiting = () => [...requests.values()].sort((one, other) => other.asked_at - one.asked_at);
const left = (request) => request.expires_at - now();
const clientOf = (request) => request.client || plainText("unnamed");

/** Takes what the server says waits for a pairing. */
function take(pairing, said) {
  setClock(said.now);
  const listed = new Map(said.requests.map((request) => [request.id, request]));
  for (const request of waiting()) {
    if (request.pairing === pairing.id && !listed.has(request.id)) end(request);
  }
  const fresh = [];
  for (const request of listed.values()) {
    if (settled.has(request.id)) continue;
    if (!requests.has(request.id)) fresh.push(request);
    requests.set(request.id, { ...requests.get(request.id), ...request, pairing: pairing.id });
  }
  if (fresh.length) arrived(fresh);
  refreshed();
}

/** A request that is over without an answer from this phone. */
function end(request) {
  requests.delete(request.id);
  if (settled.has(request.id)) return;
  settled.add(request.id);
  remember(request, "missed");
  hush(request);
  ended(request);
}

/** What this phone has answered, and how that ended. */
function settle(request, state) {
  requests.delete(request.id);
  settled.add(request.id);
  remember(request, state);
  hush(request);
}

function remember(request, outcome) {
  const account = request.account ?? pairingOf(request)?.account;
  keepHistory({ at: Date.now(), account, client: request.client, from: request.from, outcome }).catch(() => {});
}

const pairingOf = (request) => pairings.find((pairing) => pairing.id === request.pairing);

/** The service no longer accepts this phone for a pairing. */
async function unpaired(pairing) {
  if (pairing.removed) return;
  pairing.removed = true;
  for (const request of waiting()) if (request.pairing === pairing.id) end(request);
  await keepPairing(pairing);
  refreshed();
}

/** Asks what waits for a pairing. */
async function ask(pairing) {
  try {
    take(pairing, await requestsOf(pairing));
  } catch (refusal) {
    if (refusal.word !== "not_paired") throw refusal;
    await unpaired(pairing);
  }
}

/** A device that was disabled may be enabled again: what is marked as removed is asked about whenever the app is opened. */
async function revive(pairing) {
  try {
    const said = await requestsOf(pairing);
    pairing.removed = false;
    await keepPairing(pairing);
    take(pairing, said);
    listenAgain();
  } catch {
    // It stays as it is marked.
  }
}

const reviveAll = () => Promise.all(pairings.filter((pairing) => pairing.removed).map(revive));

const askAll = () => Promise.all(active().map(ask));

/** Takes the notification of a request away. */
async function hush(request) {
  const shown = await worker?.getNotifications({ tag: request.id }).catch(() => []);
  for (const notification of shown ?? []) notification.close();
}

