// Calls to the world.

import { CallError, StartError } from "./errors.js";

// The longest wait that the server grants is 25 seconds.
const TIMEOUT = 40_000;

/** The address of a world, and its key if it serves other machines. */
export class Http {
  /** @param {string} baseUrl @param {string} [devKey] */
  constructor(baseUrl, devKey) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.devKey = devKey;
  }

  /**
   * Calls an endpoint of the dev world.
   *
   * @param {string} method @param {string} path @param {Record<string, unknown>} [query] @param {unknown} [body]
   */
  dev(method, path, query = {}, body) {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) asked.set(name, String(value));
    }
    const suffix = asked.size === 0 || String(asked) === "" ? "" : `?${asked}`;
    return this.call(method, path + suffix, body, this.devKey ? { "X-Dev-Key": this.devKey } : {});
  }

  /**
   * Gets an access token by client credentials.
   *
   * @param {import("../index.js").Client} client
   * @returns {Promise<string>}
   */
  async token(client) {
    const login = Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64");
    const grant = { grant_type: "client_credentials" };
    const answer = await this.call("POST", "/auth/oauth2/v2/token", grant, { Authorization: `Basic ${login}` });
    return answer.access_token;
  }

  /**
   * Sends JSON, and returns the answer's JSON.
   *
   * @param {string} method @param {string} path @param {unknown} body @param {Record<string, string>} headers
   * @returns {Promise<any>}
   */
  async call(method, path, body, headers) {
    /** @type {RequestInit} */
    const request = { method, headers, signal: AbortSignal.timeout(TIMEOUT) };
    if (body !== undefined) {
      request.body = JSON.stringify(body);
      request.headers = { ...headers, "Content-Type": "application/json" };
    }
    let status, text;
    try {
      const response = await fetch(this.baseUrl + path, request);
      ({ status } = response);
      text = await response.text();
    } catch (error) {
      const { cause, message } = /** @type {Error} */ (error);
      const reason = cause instanceof Error ? cause.message : message;
      const question = "is the world still running?";
      throw new StartError(`${method} ${path}: ${this.baseUrl} does not answer (${reason}); ${question}`, { cause: error });
    }
    const answer = parsed(text);
    if (status >= 400) throw new CallError(`${method} ${path} was answered ${status}: ${reasonOf(answer)}`, status, answer);
    return answer;
  }
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {any} answer */
function reasonOf(answer) {
  const { error, message } = Object(answer);
  if (error && typeof error === "object") return [error.message, error.hint].filter(Boolean).join("; ");
  return message ?? JSON.stringify(answer);
}
