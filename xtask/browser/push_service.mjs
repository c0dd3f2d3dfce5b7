// A push service: Mozilla's WebSocket protocol towards the browser, RFC 8030 towards our server, whose every post is judged by
// the cryptography of Node.js (RFC 8188, 8291, 8292). It keeps all that a relay sees.
import { createPublicKey, generateKeyPairSync, randomBytes, randomUUID, sign, verify } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const bytes = (text) => Buffer.from(text, "base64url");
const json = (text) => JSON.parse(bytes(text));
/** Longest life of a token (RFC 8292, 2). */
const DAY = 24 * 3600;

export async function pushService(port) {
  const service = {
    origin: `http://127.0.0.1:${port}`,
    /** What each post is answered with instead of 201; "down" for nothing, and browsers are not let in. */
    failing: null,
    /** Every post of our server: path, headers, body. */
    posts: [],
    /** Every message of the browser. */
    heard: [],
    /** What no correct server or browser does. */
    faults: [],
    /** By path: the channel of a browser, or null for one that the test plays. Missing: 410. */
    subscriptions: new Map(),
    /** The key that all tokens have to be signed with, once there is one. */
    key: null,
  };
  let browser = null;
  let uaid = randomBytes(16).toString("hex");
  /** Channels that the browser has registered under `uaid`. */
  const channels = new Map();
  const waiting = [];

  /** Waits for what `find` finds. */
  service.until = (what, find, patience = 30_000) =>
    new Promise((resolve, reject) => {
      const found = find();
      if (found) return resolve(found);
      const timer = setTimeout(() => reject(new Error(`${what}: not within ${patience} ms`)), patience);
      waiting.push(() => {
        const now = find();
        if (now) {
          clearTimeout(timer);
          resolve(now);
        }
        return now;
      });
      return undefined;
    });
  const changed = () => {
    for (const look of waiting.splice(0)) if (!look()) waiting.push(look);
  };

  service.subscribe = (channel = null) => {
    const path = `/push/${randomUUID()}`;
    service.subscriptions.set(path, channel);
    return service.origin + path;
  };
  /** The service forgets the browser: it gets another name at its next hello, and has to subscribe anew. */
  service.forget = () => {
    uaid = randomBytes(16).toString("hex");
    service.subscriptions.clear();
    channels.clear();
    service.cut();
  };
  service.cut = () => browser?.terminate();
  /** The newest subscription of the browser. */
  service.newest = () => [...channels.values()].at(-1);

  // ---- towards the browser ----

  function take(socket, message) {
    const say = (answer) => socket.send(JSON.stringify(answer));
    service.heard.push(message);
    const { messageType, channelID } = message;
    if (messageType === "hello") {
      browser = socket;
      say({ messageType, status: 200, uaid, use_webpush: true, broadcasts: {} });
    } else if (messageType === "register") {
      if (message.key && service.key && message.key.replace(/=+$/, "") !== service.key) service.faults.push("another key");
      const pushEndpoint = service.subscribe(channelID);
      channels.set(channelID, pushEndpoint);
      say({ messageType, channelID, status: 200, pushEndpoint });
    } else if (messageType === "unregister") {
      service.subscriptions.delete(channels.get(channelID)?.slice(service.origin.length));
      channels.delete(channelID);
      say({ messageType, channelID, status: 200 });
    } else if (!["ack", "nack", "ping", "broadcast_subscribe"].includes(messageType) && Object.keys(message).length) {
      service.faults.push(`the browser says ${JSON.stringify(message)}`);
    }
    if (!Object.keys(message).length) say({});
    changed();
  }

  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "push-notification" });

  // ---- towards our server ----

  /** What is wrong with a post, by the standards. */
  function wrongOf({ path, headers, body }) {
    const wrong = [];
    const right = (what, holds) => holds || wrong.push(what);
    const [, token, key] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(headers.authorization ?? "") ?? [];
    if (!token) return ["no token in the header"];
    const [head, claims, signature] = token.split(".");
    const point = bytes(key);
    right("the key is an uncompressed point", point.length === 65 && point[0] === 4);
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
    const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
    const signed = Buffer.from(`${head}.${claims}`);
    right("the signature", verify("sha256", signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes(signature)));
    right("the algorithm", json(head).alg === "ES256" && json(head).typ === "JWT");
    const { aud, exp, sub, ...others } = json(claims);
    const seconds = Date.now() / 1000;
    right(`aud ${aud}`, aud === service.origin);
    right(`exp ${exp}`, exp > seconds && exp <= seconds + DAY);
    right(`sub ${sub}`, sub === undefined || /^(mailto|https):/.test(sub));
    right(`claims ${Object.keys(others)}`, Object.keys(others).length === 0);
    right("always the same key", (service.key ??= key) === key);
    right(`TTL ${headers.ttl}`, /^\d+$/.test(headers.ttl) && headers.ttl >= 1 && headers.ttl <= 900);
    right(`Urgency ${headers.urgency}`, headers.urgency === "high");
    right(`Topic ${headers.topic}`, /^[\w-]{1,32}$/.test(headers.topic));
    right(`Content-Encoding ${headers["content-encoding"]}`, headers["content-encoding"] === "aes128gcm");
    // RFC 8188: salt, size of a record, and the key that the message was made with.
    right("one record", body.readUInt32BE(16) >= body.length - 86 && body[20] === 65 && body[21] === 4);
    right("not longer than push services take", body.length <= 4096);
    right("a path of this service", path.startsWith("/push/"));
    return wrong;
  }

  async function post(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const sent = { path: request.url, headers: request.headers, raw: request.rawHeaders, body: Buffer.concat(parts), at: Date.now() };
    const wrong = request.method === "POST" ? wrongOf(sent) : [request.method];
    service.faults.push(...wrong.map((what) => `a push with a wrong ${what}`));
    service.posts.push(sent);
    sent.answered = service.failing ?? (service.subscriptions.has(request.url) ? 201 : 410);
    changed();
    if (sent.answered === "down") return response.destroy();
    response.writeHead(sent.answered, { Location: `${service.origin}/m/${randomUUID()}`, TTL: sent.headers.ttl });
    response.end();
    const channelID = service.subscriptions.get(request.url);
    if (sent.answered === 201 && channelID) {
      sent.version = randomUUID();
      const headers = { encoding: "aes128gcm" };
      const message = { messageType: "notification", channelID, version: sent.version, ttl: Number(sent.headers.ttl), headers };
      browser?.send(JSON.stringify({ ...message, data: sent.body.toString("base64url") }));
    }
    changed();
    return undefined;
  }

  const server = createServer((request, response) => {
    post(request, response).catch((error) => {
      service.faults.push(String(error));
      response.destroy();
    });
  });
  server.on("upgrade", (request, socket, head) => {
    if (service.failing === "down") return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on("message", (text) => {
        try {
          take(opened, JSON.parse(text));
        } catch (error) {
          service.faults.push(String(error));
        }
      });
      opened.on("error", () => {});
    });
    return undefined;
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

  /** The post after these many. */
  service.post = (after) => service.until("a push", () => service.posts[after]);
  /** Whether the browser has taken a message. 100: its worker has run. */
  service.ack = (sent) =>
    service
      .until("an ack", () =>
        service.heard
          .filter(({ messageType }) => messageType === "ack")
          .flatMap(({ updates }) => updates)
          .find(({ version }) => version === sent.version),
      )
      .then(({ code }) => code);
  service.close = () => {
    service.cut();
    server.closeAllConnections();
    server.close();
  };
  return service;
}

/** Whether the service notices what is wrong with a push: one that is not ours is posted to it. Gives what it has not noticed. */
export async function unnoticed(service) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]).toString("base64url");
  const text = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { aud: "https://push.example.net", exp: Math.floor(Date.now() / 1000) + 2 * DAY, sub: "it@example.com", name: "Ana" };
  const signed = `${text({ alg: "ES256", typ: "JWT" })}.${text(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const forged = Buffer.from(signature.map((byte, place) => (place === 9 ? byte ^ 1 : byte)));
  for (const made of [signature, forged]) {
    const Authorization = `vapid t=${signed}.${made.toString("base64url")}, k=${key}`;
    await fetch(`${service.origin}/push/nobody`, { method: "POST", headers: { Authorization, TTL: "0", Topic: "a b", Urgency: "low" }, body: "x".repeat(5000) });
  }
  const noticed = service.faults.splice(0);
  const forgeries = noticed.filter((fault) => fault.includes("signature")).length;
  const wanted = ["aud", "exp", "sub", "claims", "TTL", "Urgency", "Topic", "Content-Encoding", "one record", "longer"];
  service.posts.length = 0;
  service.key = null;
  return [...wanted.filter((word) => !noticed.some((fault) => fault.includes(word))), ...(forgeries === 1 ? [] : [`${forgeries} signatures`])];
}

/** All that a relay can read, as one text: of each post as it came and with what is encoded in it. */
export function readable({ path, raw, body, headers }) {
  const token = (headers.authorization ?? "").replace(/^.*t=/, "").split(/[.,]/).slice(0, 2);
  return [path, ...raw, ...token.map((part) => bytes(part).toString()), body.toString("latin1"), body.toString("utf16le")].join("\n");
}
