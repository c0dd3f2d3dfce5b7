// The outbox: text messages, calls, mails and prompts that the world would have sent.

import { NoMessage } from "./errors.js";

/** @typedef {import("../index.js").Message} Message */
/** @typedef {import("../index.js").UserName} UserName */
/** @typedef {import("../index.js").Outbox} PublicOutbox */
/** @typedef {import("../index.js").Asked} Asked */

// The server holds a request for 25 seconds at most.
const HELD = 20_000;
const SHOWN = 10;

/** @implements {PublicOutbox} */
export class Outbox {
  #http;
  #userId;
  /** @type {Set<number>} */
  #read = new Set();

  /** @param {import("./http.js").Http} http @param {(name: UserName) => number} userId */
  constructor(http, userId) {
    this.#http = http;
    this.#userId = userId;
  }

  /** @param {UserName | null} [user] @param {Asked & { timeout?: number }} [asked] */
  async wait(user, { timeout = 10_000, ...asked } = {}) {
    const query = this.#query(user, asked);
    const until = performance.now() + timeout;
    let after = 0;
    for (;;) {
      const left = Math.max(until - performance.now(), 0);
      const wait = `${Math.floor(Math.min(left, HELD))}ms`;
      for (const message of await this.#get({ ...query, after: after || undefined, wait })) {
        after = Math.max(after, message.id);
        if (!this.#read.has(message.id)) {
          this.#read.add(message.id);
          return message;
        }
      }
      if (performance.now() >= until) throw new NoMessage(await this.#nothing(query, timeout));
    }
  }

  /** @param {UserName | null} [user] @param {Asked} [asked] */
  messages(user, asked = {}) {
    return this.#get(this.#query(user, asked));
  }

  /** Forgets what `wait` has returned. A reset of the world does it. */
  forget() {
    this.#read.clear();
  }

  /** @param {UserName | null | undefined} user @param {Asked} asked */
  #query(user, { channel, to, verificationId }) {
    const userId = user === undefined || user === null ? undefined : this.#userId(user);
    return { user_id: userId, channel, to, verification_id: verificationId };
  }

  /** @param {Record<string, unknown>} query @returns {Promise<Message[]>} */
  async #get(query) {
    const found = await this.#http.dev("GET", "/dev/outbox", query);
    return found.map((/** @type {Message} */ values) => new Sent(this.#http, values));
  }

  /** @param {Record<string, unknown>} query @param {number} timeout */
  async #nothing(query, timeout) {
    const wanted = Object.entries(query).filter(([, value]) => value !== undefined).map((one) => one.join(" "));
    const lines = [`no unread message (${wanted.join(", ") || "anybody"}) arrived within ${timeout} ms.`];
    const arrived = await this.#get({});
    lines.push(arrived.length > 0 ? "The outbox has:" : "The outbox is empty: did your code ask for a message?");
    for (const one of arrived.slice(-SHOWN)) {
      const read = this.#read.has(one.id) ? " (read)" : "";
      lines.push(`  ${one.id}. ${one.channel} to ${one.username} at ${one.to}${read}`);
    }
    const { played } = await this.#http.dev("GET", "/dev/faults");
    for (const one of played.slice(-SHOWN)) lines.push(`  fault played: ${one.fault}, ${one.channel} to ${one.to}`);
    lines.push("`world.requests()` shows what your code called, and why a call was refused.");
    return lines.join("\n");
  }
}

/** A message, and what a person can do with it. */
class Sent {
  #http;

  /** @param {import("./http.js").Http} http @param {Message} values */
  constructor(http, values) {
    this.#http = http;
    this.id = values.id;
    this.channel = values.channel;
    this.to = values.to;
    this.subject = values.subject;
    this.body = values.body;
    this.code = values.code;
    this.link = values.link;
    this.user_id = values.user_id;
    this.username = values.username;
    this.device_id = values.device_id;
    this.verification_id = values.verification_id;
    this.created_at = values.created_at;
    this.expires_at = values.expires_at;
    this.state = values.state;
  }

  /** @param {{ number?: string }} [options] */
  async accept({ number } = {}) {
    await this.#http.dev("POST", `/dev/outbox/${this.id}/accept`, { number });
  }

  async deny() {
    await this.#http.dev("POST", `/dev/outbox/${this.id}/deny`);
  }

  async report() {
    await this.#http.dev("POST", `/dev/outbox/${this.id}/report`);
  }

  /** @param {string} digits */
  async keypad(digits) {
    await this.#http.dev("POST", `/dev/outbox/${this.id}/keypad`, {}, { digits });
  }
}
