// The phone, the clock, the faults and the authenticator apps of a world.

import { setTimeout as pause } from "node:timers/promises";

import { CallError, CountersignError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("../index.js").UserName} UserName */
/** @typedef {import("../index.js").Phone} PublicPhone */
/** @typedef {import("../index.js").Clock} PublicClock */
/** @typedef {import("../index.js").Faults} PublicFaults */
/** @typedef {import("../index.js").Authenticator} PublicAuthenticator */
/** @typedef {import("../index.js").Channel} Channel */

/** @implements {PublicPhone} */
export class Phone {
  #http;
  #userId;

  /** @param {Http} http @param {(name: UserName) => number} userId */
  constructor(http, userId) {
    this.#http = http;
    this.#userId = userId;
  }

  /** @param {unknown} enrolment @returns {Promise<number>} */
  async pair(enrolment) {
    return (await this.#http.dev("POST", "/dev/phone/pair", {}, enrolment)).device_id;
  }

  /** @param {UserName | null} [user] @param {{ number?: string, timeout?: number }} [options] */
  accept(user, options) {
    return this.#answer("accept", user, options);
  }

  /** @param {UserName | null} [user] @param {{ timeout?: number }} [options] */
  deny(user, options) {
    return this.#answer("deny", user, options);
  }

  /** @param {UserName | null} [user] @param {{ timeout?: number }} [options] */
  report(user, options) {
    return this.#answer("report", user, options);
  }

  /** @returns {Promise<number[]>} */
  async deviceIds() {
    return (await this.#http.dev("GET", "/dev/phone")).device_ids;
  }

  /**
   * @param {string} how @param {UserName | null | undefined} user
   * @param {{ number?: string, timeout?: number }} [options]
   */
  async #answer(how, user, { number, timeout = 5_000 } = {}) {
    const userId = user === undefined || user === null ? undefined : this.#userId(user);
    const until = performance.now() + timeout;
    for (;;) {
      try {
        await this.#http.dev("POST", `/dev/phone/${how}`, { user_id: userId, number });
        return;
      } catch (error) {
        // Until the prompt is there.
        const early = error instanceof CallError && error.status === 404;
        if (!early || performance.now() >= until) throw error;
      }
      await pause(20);
    }
  }
}

/** @implements {PublicClock} */
export class Clock {
  #http;
  #moved;

  /** @param {Http} http @param {() => void} moved is called before the clock moves: a token may expire */
  constructor(http, moved) {
    this.#http = http;
    this.#moved = moved;
  }

  async now() {
    return time(await this.#http.dev("GET", "/dev/clock"));
  }

  /** @param {number} seconds */
  advance(seconds) {
    return this.#put({ advance_seconds: Math.round(seconds) });
  }

  /** @param {Date | string} to */
  set(to) {
    return this.#put({ set: to instanceof Date ? to.toISOString() : to });
  }

  freeze() {
    return this.#put({ freeze: true });
  }

  resume() {
    return this.#put({ freeze: false });
  }

  /** @param {object} change */
  async #put(change) {
    this.#moved();
    return time(await this.#http.dev("PUT", "/dev/clock", {}, change));
  }
}

/** @param {{ now: string }} answer */
function time(answer) {
  return new Date(answer.now);
}

/** @implements {PublicFaults} */
export class Faults {
  #http;

  /** @param {Http} http */
  constructor(http) {
    this.#http = http;
  }

  /**
   * @param {Channel} channel @param {{ delay?: number, fail?: number }} faults
   * @returns {Promise<import("../index.js").ChannelFaults>}
   */
  async set(channel, { delay, fail }) {
    const late = delay === undefined ? undefined : `${Math.round(delay * 1000)}ms`;
    return (await this.#http.dev("PUT", "/dev/faults", {}, { channel, delay: late, fail })).channels[channel];
  }

  async clear() {
    const { channels } = await this.#http.dev("GET", "/dev/faults");
    for (const channel of Object.keys(channels)) {
      await this.set(/** @type {Channel} */ (channel), { delay: 0, fail: 0 });
    }
  }

  /** @returns {Promise<import("../index.js").PlayedFault[]>} */
  async played() {
    return (await this.#http.dev("GET", "/dev/faults")).played;
  }
}

/** @implements {PublicAuthenticator} */
export class Authenticator {
  #http;
  #userId;

  /** @param {Http} http @param {(name: UserName) => number} userId */
  constructor(http, userId) {
    this.#http = http;
    this.#userId = userId;
  }

  /** @param {UserName | null} [user] @returns {Promise<import("../index.js").AuthenticatorDevice[]>} */
  async devices(user) {
    const userId = user === undefined || user === null ? undefined : this.#userId(user);
    return (await this.#http.dev("GET", "/dev/authenticator", { user_id: userId })).devices;
  }

  /** @param {UserName} user */
  async code(user) {
    const devices = await this.devices(user);
    const [newest] = devices.sort((one, other) => other.device_id - one.device_id);
    if (!newest) {
      const name = typeof user === "object" ? user.username : user;
      throw new CountersignError(`${name} has no authenticator app or token: enrol one first`);
    }
    return newest.used ? newest.next_code : newest.code;
  }
}
