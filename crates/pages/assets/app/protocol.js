// How a phone asks and answers (contract 20.2–20.6).

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
/** How long a request may take, in milliseconds. */
const PATIENCE = 15_000;

/** By how many milliseconds the server's clock is ahead of this one. */
let ahead = 0;
const now = () => Date.now() + ahead;
const setClock = (theirs) => {
  if (!Number.isFinite(theirs)) return;
  const found = theirs - Date.now();
  // The service worker needs it, too, to know whether a prompt is over.
  if (Math.abs(found - ahead) > 2_000) set("ahead", found).catch(() => {});
  ahead = found;
};

/** The server has answered, and not with 200. */
class Refusal extends Error {
  constructor(status, word, seconds, theirs) {
    super(`${status} ${word}`);
    this.status = status;
    this.word = word;
    this.seconds = seconds;
    this.theirs = theirs;
  }
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const bytesOf = (text) => new TextEncoder().encode(text);

async function signature(privateKey, lines) {
  return base64url(await crypto.subtle.sign(SIGNING, privateKey, bytesOf(lines.join("\n"))));
}

/** Posts to the server. Gives the response if it is 200. */
async function post(action, body, signal = AbortSignal.timeout(PATIENCE)) {
  const response = await fetch(`${CONFIG.root}/app/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    cache: "no-store",
    redirect: "error",
    signal,
  });
  if (response.status === 200) return response;
  const said = await response.json().catch(() => ({}));
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  throw new Refusal(response.status, said.error ?? "", Number.isFinite(seconds) ? seconds : undefined, said.now);
}

/** Whose the request is, signed (20.3). */
async function signed({ user, device, privateKey }, action, digest = "-") {
  const at = Math.round(now());
  const lines = ["countersign-app-v1", action, user, device, digest, at];
  return { user, device, signed_at: at, signature: await signature(privateKey, lines) };
}

/** Asks once more if the server's clock is another than this phone took it for. */
async function onTime(asking) {
  try {
    return await asking();
  } catch (refusal) {
    if (refusal.word !== "clock") throw refusal;
    setClock(refusal.theirs);
    return asking();
  }
}

/** The requests that wait for a pairing (20.4). */
function requestsOf(pairing) {
  return onTime(async () => (await post("requests", await signed(pairing, "requests"))).json());
}

/** Where prompts are pushed to, or null for nowhere (20.5). */
function subscribePairing(pairing, subscription) {
  return onTime(async () => {
    const { endpoint, p256dh, auth } = subscription ?? {};
    const digest = subscription
      ? base64url(await crypto.subtle.digest("SHA-256", bytesOf([endpoint, p256dh, auth].join("\n"))))
      : "-";
    const body = { ...(await signed(pairing, "subscription", digest)), subscription };
    return (await post("subscription", body)).json();
  });
}

/** An answer to a request (decision 31). Gives the state (20.4). */
async function answerTo(pairing, request, decision, digits) {
  const at = Math.round(now());
  const lines = ["countersign-push-v1", request.id, request.nonce, decision, digits ?? "-", at];
  const body = { id: request.id, decision, ...(digits && { digits }), signed_at: at };
  const answer = await post("answer", { ...body, signature: await signature(pairing.privateKey, lines) });
  return (await answer.json()).state;
}

/** The keys for a code, which cannot leave the browser. They are kept before they are sent: if the answer is lost, the same
 * keys ask again. */
async function keysFor(code) {
  const begun = await setting("begun");
  if (begun?.code === code) return begun;
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  await set("begun", { code, privateKey, publicKey });
  return { privateKey, publicKey };
}

/** Pairs with a code (20.2), and gives what is to be kept. */
async function pairWith(code, subscription) {
  const { privateKey, publicKey } = await keysFor(code);
  const point = base64url(await crypto.subtle.exportKey("raw", publicKey));
  const body = {
    code,
    public_key: point,
    signature: await signature(privateKey, ["countersign-pair-v1", code, point]),
    ...(subscription && { subscription }),
  };
  const said = await (await post("pair", body)).json();
  setClock(said.now);
  const { user, device, account, issuer } = said;
  const names = { account, issuer, deviceName: said.device_name };
  return { id: `${user}/${device}`, user, device, ...names, privateKey, pairedAt: Date.now(), removed: false };
}

/** A subscription of the browser as the server takes it. */
function plainSubscription(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, p256dh: keys.p256dh, auth: keys.auth };
}

