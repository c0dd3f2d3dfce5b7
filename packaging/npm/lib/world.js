// A dev world: everything that a test needs of an MFA server.

import { readFile } from "node:fs/promises";

import { Authenticator, Clock, Faults, Phone } from "./controls.js";
import { CallError, CountersignError, StartError } from "./errors.js";
import { Http } from "./http.js";
import { Outbox } from "./outbox.js";
import { WorldProcess } from "./process.js";

/** @typedef {import("../index.js").UserName} UserName */
/** @typedef {import("../index.js").World} PublicWorld */

// Node.js has this symbol since 18.18.
/** @type {typeof Symbol.asyncDispose} */
const DISPOSE = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");

/**
 * @param {import("../index.js").WorldOptions} [options]
 * @returns {Promise<import("../index.js").World>}
 */
export async function startWorld({ seed, dataDir, world, hold = "off", flags = [], timeout = 30_000 } = {}) {
  const all = ["--hold", hold, ...flags];
  if (seed !== undefined) all.push("--seed", String(seed));
  if (world !== undefined) all.push("--world", world);
  const running = await WorldProcess.start(all, dataDir, timeout);
  return new World(running.ready, running);
}

/**
 * @param {string} readyFile @param {{ baseUrl?: string }} [options]
 * @returns {Promise<import("../index.js").World>}
 */
export async function attachWorld(readyFile, { baseUrl } = {}) {
  const ready = JSON.parse(await readFile(readyFile, "utf8"));
  return new World({ ...ready, base_url: baseUrl ?? ready.base_url });
}

/** @implements {PublicWorld} */
class World {
  #http;
  #outbox;
  /** @type {WorldProcess | undefined} */
  #process;
  #running = true;
  #seen = 0;
  /** @type {string | undefined} */
  #token;

  /** @param {Record<string, any>} ready @param {WorldProcess} [process] */
  constructor(ready, process) {
    this.ready = ready;
    this.#process = process;
    this.#http = new Http(ready.base_url, ready.dev_key);
    this.#http.call = this.#guarded(this.#http.call.bind(this.#http));
    const userId = this.#userId.bind(this);
    this.#outbox = new Outbox(this.#http, userId);
    this.outbox = this.#outbox;
    this.phone = new Phone(this.#http, userId);
    this.clock = new Clock(this.#http, () => (this.#token = undefined));
    this.faults = new Faults(this.#http);
    this.authenticator = new Authenticator(this.#http, userId);
  }

  /**
   * Says why there is no answer if the world was stopped or has ended.
   *
   * @param {Http["call"]} call @returns {Http["call"]}
   */
  #guarded(call) {
    return async (...args) => {
      if (!this.#running) throw new CountersignError("the world was stopped: start another one");
      try {
        return await call(...args);
      } catch (error) {
        const ended = error instanceof CallError ? undefined : await this.#process?.ended();
        throw ended ? new StartError(ended, { cause: error }) : error;
      }
    };
  }

  /** @returns {string} */
  get baseUrl() {
    return this.ready.base_url;
  }

  /** @returns {import("../index.js").Client} */
  get client() {
    return this.ready.clients[0];
  }

  /** @returns {readonly import("../index.js").Client[]} */
  get clients() {
    return this.ready.clients;
  }

  /** @returns {readonly import("../index.js").User[]} */
  get users() {
    return this.ready.users;
  }

  /** @param {{ scope?: string, profile?: string }} [asked] */
  clientFor({ scope = "Manage All", profile = "default" } = {}) {
    const found = this.clients.find((client) => client.scope === scope && client.profile === profile);
    if (found) return found;
    const known = this.clients.map((client) => `${client.scope} / ${client.profile}`).join(", ");
    throw new CountersignError(`no client has scope ${scope} and profile ${profile}; there are: ${known}`);
  }

  /** @param {UserName} name */
  user(name) {
    const id = typeof name === "object" ? name.id : name;
    const found = this.users.find((user) => user.id === id || user.username === id);
    if (found) return found;
    const known = this.users.map((user) => user.username).join(", ");
    throw new CountersignError(`the world has no user ${id}; there are: ${known}`);
  }

  /** @param {UserName} name */
  #userId(name) {
    // An id may belong to a user whom the test itself has created.
    return typeof name === "number" ? name : this.user(name).id;
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  async api(method, path, body) {
    this.#token ??= await this.#http.token(this.client);
    return this.#http.call(method, path, body, { Authorization: `Bearer ${this.#token}` });
  }

  /** @returns {Promise<import("../index.js").RecordedCall[]>} */
  requests() {
    return this.#http.dev("GET", "/dev/requests", { after: this.#seen || undefined });
  }

  async reset() {
    // The devices of a world file are there again, under new ids.
    this.ready.users = (await this.#http.dev("POST", "/dev/reset")).users ?? this.ready.users;
    this.#outbox.forget();
    this.#token = undefined;
    // The world's list of calls outlives a reset.
    this.#seen = (await this.requests()).at(-1)?.id ?? this.#seen;
  }

  async stop() {
    const process = this.#process;
    if (!process) return;
    this.#process = undefined;
    this.#running = false;
    await process.stop();
  }

  async [DISPOSE]() {
    await this.stop();
  }
}
