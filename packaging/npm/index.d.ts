/// <reference lib="esnext.disposable" />
/** Test code that uses multi-factor authentication against a whole server, with users, phones and an outbox. */

/** An API client. Your code logs in with its id and secret. */
export interface Client {
  readonly client_id: string;
  readonly client_secret: string;
  readonly scope: string;
  readonly profile: string;
}

/** A person of the world. */
export interface User {
  readonly id: number;
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly phone: string;
  /** The devices that a world file has given. */
  readonly devices?: readonly { readonly device_id: number; readonly factor: string }[];
}

/** How a user is named in calls: the object, the id, or the user name. */
export type UserName = User | number | string;

export type Channel = "sms" | "voice" | "email" | "push";

/** A message to a user. */
export interface Message {
  readonly id: number;
  readonly channel: Channel;
  readonly to: string;
  readonly subject: string | null;
  readonly body: string;
  /** The code in it, if it has one. */
  readonly code: string | null;
  /** The link in it, if it has one. */
  readonly link: string | null;
  readonly user_id: number;
  readonly username: string;
  readonly device_id: number;
  readonly verification_id: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  /** State of the message when it was read. */
  readonly state: "waiting" | "accepted" | "rejected" | "expired";
  /** Accepts this prompt. `number` is for prompts that ask for one. */
  accept(options?: { number?: string }): Promise<void>;
  /** Denies this prompt. */
  deny(): Promise<void>;
  /** Denies this prompt and says that somebody else has started it. */
  report(): Promise<void>;
  /** Keys digits into this call. */
  keypad(digits: string): Promise<void>;
}

/** Which messages are meant. */
export interface Asked {
  channel?: Channel;
  to?: string;
  verificationId?: string;
}

/** Messages that were sent. */
export interface Outbox {
  /**
   * Waits for the oldest message that no `wait` has returned yet, up to `timeout` milliseconds (10,000). Each message is
   * returned once and in order, so a test that reads a code for each one that it asks for never gets an older code.
   */
  wait(user?: UserName | null, asked?: Asked & { timeout?: number }): Promise<Message>;
  /** Lists the messages that have arrived, oldest first, read or not. */
  messages(user?: UserName | null, asked?: Asked): Promise<Message[]>;
}

/** The simulated phone. It answers the newest prompt of a device that it is paired as, and waits for one (5,000 ms). */
export interface Phone {
  /** Pairs the phone. `enrolment` is the answer that your code got when it enrolled. Returns the device's id. */
  pair(enrolment: unknown): Promise<number>;
  accept(user?: UserName | null, options?: { number?: string; timeout?: number }): Promise<void>;
  deny(user?: UserName | null, options?: { timeout?: number }): Promise<void>;
  /** Denies, and says that somebody else has started it. */
  report(user?: UserName | null, options?: { timeout?: number }): Promise<void>;
  /** The devices that the phone is paired as. */
  deviceIds(): Promise<number[]>;
}

/** The world's clock. Expiry, locks and delays follow it. Each call returns the time of the world. */
export interface Clock {
  now(): Promise<Date>;
  /** Moves the clock forward, to a whole second. */
  advance(seconds: number): Promise<Date>;
  set(time: Date | string): Promise<Date>;
  /** Stops the clock. Codes of authenticator apps then stay the same. */
  freeze(): Promise<Date>;
  /** Continues from the frozen time. */
  resume(): Promise<Date>;
}

/** Faults of a channel. */
export interface ChannelFaults {
  delay: string;
  fail: number;
}

/** A fault that was played. */
export interface PlayedFault {
  at: string;
  channel: Channel;
  to: string;
  user_id: number;
  verification_id: string | null;
  fault: string;
}

/** Gateways that are slow or fail. */
export interface Faults {
  /** Sets how late messages of a channel arrive (seconds), and which share of them fails (0 to 1). */
  set(channel: Channel, faults: { delay?: number; fail?: number }): Promise<ChannelFaults>;
  /** Ends the faults of all channels. */
  clear(): Promise<void>;
  /** The last hundred faults, oldest first. */
  played(): Promise<PlayedFault[]>;
}

/** What an authenticator app or a token shows. */
export interface AuthenticatorDevice {
  user_id: number;
  username: string;
  device_id: number;
  name: string;
  factor: "totp" | "hotp";
  state: "pending" | "active" | "disabled";
  code: string;
  used: boolean;
  period: number | null;
  seconds_left: number | null;
  next_code: string;
}

/** Authenticator apps of all users. */
export interface Authenticator {
  devices(user?: UserName | null): Promise<AuthenticatorDevice[]>;
  /** The code that the newest app of a user shows. If it is used up, the code after it. */
  code(user: UserName): Promise<string>;
}

/** A call of the API. */
export interface RecordedCall {
  id: number;
  at: string;
  method: string;
  path: string;
  status: number;
  ms: number;
  client: string | null;
  client_id: string | null;
  request_id: string;
  message: string | null;
  /** Why it was refused. */
  reason: string | null;
}

/** A running dev world. */
export interface World {
  /** Where your code finds the server. */
  readonly baseUrl: string;
  /** The API client with the widest scope. */
  readonly client: Client;
  /** An API client of every scope and profile. */
  readonly clients: readonly Client[];
  readonly users: readonly User[];
  /** The content of the ready file. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly outbox: Outbox;
  readonly phone: Phone;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly authenticator: Authenticator;
  /** The API client of this scope and profile (`Manage All`, `default`). */
  clientFor(asked?: { scope?: string; profile?: string }): Client;
  /** The person with this user name or id. */
  user(name: UserName): User;
  /** Calls the API as `client`, to prepare a test. Returns the answer's JSON; throws `CallError` if refused. */
  api(method: string, path: string, body?: unknown): Promise<any>;
  /** Calls of the API since the last reset, 200 at most, oldest first, each with why it was refused. */
  requests(): Promise<RecordedCall[]>;
  /** Deletes devices, verifications, tokens and messages, ends faults, resets the clock. Clients and users stay. */
  reset(): Promise<void>;
  /** Stops the world and removes its folder. A world that `attachWorld` gave runs on. */
  stop(): Promise<void>;
  /** The same as `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a world is started. */
export interface WorldOptions {
  /** Makes the same credentials and passwords from this number each time. */
  seed?: number;
  /** Keeps the world in this folder. */
  dataDir?: string;
  /** A file that describes users and devices (the flag `--world`). */
  world?: string;
  /** How polls are held: `off` (the default), so that a test sees `pending` at once, `adaptive`, or a number of seconds. */
  hold?: string;
  /** Further flags of `countersign dev`. */
  flags?: readonly string[];
  /** Milliseconds that the start may take (30,000). */
  timeout?: number;
}

/** Starts a world and waits until it is ready. It ends with this process at the latest. */
export function startWorld(options?: WorldOptions): Promise<World>;

/**
 * Uses a world that runs already, such as a service of a CI job. `readyFile` is what it wrote; `baseUrl` is where it is
 * reached, if that differs.
 */
export function attachWorld(readyFile: string, options?: { baseUrl?: string }): Promise<World>;

/** Base of all errors of this package. Every message says what to do next. */
export class CountersignError extends Error {}

/** The world did not start, or has ended. The message has the last lines of its log. */
export class StartError extends CountersignError {}

/** No message arrived in time. The message lists what did arrive. */
export class NoMessage extends CountersignError {}

/** The world refused a call. */
export class CallError extends CountersignError {
  /** HTTP status of the answer. */
  readonly status: number;
  /** The answer: parsed JSON, or text. */
  readonly answer: unknown;
  constructor(message: string, status: number, answer: unknown);
}
