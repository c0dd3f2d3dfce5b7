// A server for the app of a phone, as the contract has it (20): it serves the files that the crate `pages` made, and judges
// every signature with the cryptography of Node.js.
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

const bytes = (text) => Buffer.from(text, "base64url");
const digestOf = (lines) => createHash("sha256").update(lines.join("\n")).digest("base64url");

/** Whether the signature is ES256 over these lines, as 64 bytes. */
function isSigned(key, lines, signature) {
  const raw = bytes(String(signature));
  return raw.length === 64 && verify("sha256", Buffer.from(lines.join("\n")), { key, dsaEncoding: "ieee-p1363" }, raw);
}

/** The key of an uncompressed point. */
function keyOf(point) {
  const raw = bytes(point);
  if (raw.length !== 65 || raw[0] !== 4) throw new Error("no uncompressed point");
  const [x, y] = [raw.subarray(1, 33), raw.subarray(33)].map((part) => part.toString("base64url"));
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
}

export async function phoneServer(folder) {
  const files = new Map();
  for (const { path: address, file, headers } of JSON.parse(await readFile(path.join(folder, "files.json"), "utf8"))) {
    files.set(address, { headers, body: await readFile(path.join(folder, file)) });
  }

  const world = {
    /** The language of the page, and the kind of it: "" or "-silent" (without a key for push services). */
    language: "en",
    kind: "",
    /** By how much the server's clock is ahead, in milliseconds. */
    ahead: 0,
    streams: true,
    /** What the next posts are answered with instead: `[status, body, headers]`. */
    failing: null,
    /** The same for what is done all the same, so that its answer is lost. */
    losing: null,
    /** Every post: action and body. */
    posts: [],
    codes: new Map(),
    phones: new Map(),
    prompts: new Map(),
    /** What no correct app does. */
    faults: [],
  };
  const open = new Set();
  const now = () => Date.now() + world.ahead;

  world.offer = (code, names) => world.codes.set(code, names);
  world.phone = (account) => [...world.phones.values()].find((phone) => phone.account === account && phone.active);

  world.prompt = (phone, { number = "", older = [], seconds = 120, ...facts } = {}) => {
    const prompt = {
      id: randomUUID(),
      nonce: Buffer.from(randomUUID()).toString("base64url"),
      purpose: "login",
      account: phone.account,
      device_name: phone.deviceName,
      client: "Northfield VPN",
      from: "203.0.113.24",
      caller: "192.0.2.10",
      asked_at: now(),
      expires_at: now() + seconds * 1000,
      digits: number.length,
      ...facts,
    };
    // One prompt waits for a device: a newer one replaces it.
    for (const [id, other] of world.prompts) if (other.phone === phone && !facts.together) world.prompts.delete(id);
    delete prompt.together;
    world.prompts.set(prompt.id, { phone, prompt, number, older });
    tell(phone);
    return prompt;
  };
  world.withdraw = (id) => {
    const { phone } = world.prompts.get(id);
    world.prompts.delete(id);
    tell(phone);
  };
  world.revoke = (phone) => {
    phone.active = false;
    for (const stream of open) if (stream.phones.includes(phone)) say(stream, "unpaired", { user: phone.user, device: phone.device });
  };
  world.cut = () => {
    for (const { response } of open) response.destroy();
  };
  world.listening = () => open.size;

  const waiting = (phone) => ({
    now: now(),
    requests: [...world.prompts.values()].filter((one) => one.phone === phone && one.prompt.expires_at > now()).map((one) => one.prompt),
  });
  const say = (stream, event, data) => stream.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  function tell(phone) {
    for (const stream of open) {
      if (stream.phones.includes(phone)) say(stream, "requests", { user: phone.user, device: phone.device, ...waiting(phone) });
    }
  }

  /** Whose the request is, or what is wrong with it (20.3). */
  function whose({ user, device, signed_at: at, signature }, action, digest) {
    const phone = world.phones.get(`${user}/${device}`);
    const lines = ["countersign-app-v1", action, user, device, digest, at];
    if (!phone?.active || !isSigned(phone.key, lines, signature)) return [403, { error: "not_paired" }];
    if (Math.abs(at - now()) > 60_000) return [409, { error: "clock", now: now() }];
    return phone;
  }

  const known = (body, ...names) => {
    const strange = Object.keys(body).filter((name) => !names.includes(name));
    if (strange.length) world.faults.push(`a field that is not in the contract: ${strange}`);
  };
  const WHO = ["user", "device", "signed_at", "signature"];

  const actions = {
    pair(body) {
      known(body, "code", "public_key", "signature", "subscription");
      const key = keyOf(body.public_key);
      const again = [...world.phones.values()].find((phone) => phone.active && phone.code === body.code && phone.key.equals(key));
      const names = again ?? world.codes.get(body.code);
      if (!names || !isSigned(key, ["countersign-pair-v1", body.code, body.public_key], body.signature)) {
        return [404, { error: "unknown_code" }];
      }
      world.codes.delete(body.code);
      const phone = again ?? { key, code: body.code, active: true, subscription: body.subscription ?? null, ...names };
      world.phones.set(`${phone.user}/${phone.device}`, phone);
      const { user, device, account, deviceName, issuer = "Northfield" } = phone;
      return [200, { user, device, account, issuer, device_name: deviceName, now: now() }];
    },
    requests(body) {
      known(body, ...WHO);
      const phone = whose(body, "requests", "-");
      return Array.isArray(phone) ? phone : [200, waiting(phone)];
    },
    subscription(body) {
      known(body, ...WHO, "subscription");
      const { subscription } = body;
      const digest = subscription ? digestOf([subscription.endpoint, subscription.p256dh, subscription.auth]) : "-";
      const phone = whose(body, "subscription", digest);
      if (Array.isArray(phone)) return phone;
      if (subscription && !subscription.endpoint.startsWith("https://")) return [422, { error: "endpoint" }];
      if (subscription && (bytes(subscription.p256dh).length !== 65 || bytes(subscription.auth).length !== 16)) return [422, { error: "keys" }];
      phone.subscription = subscription;
      return [200, { subscribed: Boolean(subscription) }];
    },
    answer(body) {
      known(body, "id", "decision", "digits", "signed_at", "signature");
      const found = world.prompts.get(body.id);
      if (!found) return [200, { state: "over" }];
      const { phone, prompt, number, older } = found;
      const lines = ["countersign-push-v1", body.id, prompt.nonce, body.decision, body.digits ?? "-", body.signed_at];
      if (!phone.active || !isSigned(phone.key, lines, body.signature)) return [200, { state: "over" }];
      if (phone.locked) return [200, { state: "locked" }];
      const state = { accept: "accepted", deny: "denied", report: "reported" }[body.decision];
      if (state === "accepted" && number !== (body.digits ?? "")) {
        if (older.includes(body.digits)) return [200, { state: "older_number" }];
        world.prompts.delete(body.id);
        return [200, { state: "wrong_number" }];
      }
      world.prompts.delete(body.id);
      // The stream may be faster than the answer.
      tell(phone);
      return [200, { state }];
    },
  };

  function events(body, response) {
    known(body, "phones");
    const found = body.phones.map((one) => whose(one, "events", "-"));
    const phones = found.filter((phone) => !Array.isArray(phone));
    if (!phones.length) return found[0];
    if (!world.streams) return [503, { error: "streams" }, { "Retry-After": "5" }];
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const stream = { phones, response };
    open.add(stream);
    response.on("close", () => open.delete(stream));
    response.write(": so that a proxy lets it through\n\n");
    for (const phone of phones) say(stream, "requests", { user: phone.user, device: phone.device, ...waiting(phone) });
    return null;
  }

  async function answer(request, response) {
    const { pathname, searchParams, search } = new URL(request.url, "http://localhost");
    const reply = ([status, body, headers = {}]) => {
      response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
      response.end(JSON.stringify(body));
    };
    if (request.method === "POST") {
      const parts = [];
      for await (const part of request) parts.push(part);
      const text = Buffer.concat(parts).toString();
      const action = pathname.replace("/app/", "");
      const site = request.headers["sec-fetch-site"];
      if (site && site !== "same-origin") return reply([403, { error: "origin" }]);
      if (text.length > 8192 || request.headers["content-type"] !== "application/json") return reply([400, { error: "not_understood" }]);
      const body = JSON.parse(text);
      world.posts.push({ action, body });
      const failing = world.failing;
      if (failing && (!failing.action || failing.action === action)) return reply(failing.reply);
      if (action === "events") {
        const refused = events(body, response);
        return refused ? reply(refused) : undefined;
      }
      const said = actions[action] ? actions[action](body) : [404, { error: "not_found" }];
      return reply(world.losing?.action === action ? world.losing.reply : said);
    }
    const address = pathname === "/app" ? `/app-${world.language}${searchParams.get("pair") ? "-pair" : world.kind}` : pathname + search;
    const file = files.get(address) ?? files.get(pathname);
    if (!file) return reply([404, { error: "not_found" }]);
    response.writeHead(200, file.headers);
    response.end(file.body);
    return undefined;
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      world.faults.push(String(error));
      response.destroy();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.base = `http://127.0.0.1:${server.address().port}`;
  world.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return world;
}
