// The process of a world, under the keeper script.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { StartError } from "./errors.js";

const BIN = fileURLToPath(new URL("../bin/", import.meta.url));
// How long the server may finish what runs (25 s) and what it sends (13 s).
const STOP_TIMEOUT = 40_000;
const LAST_LINES = 20;

/** A running `countersign dev`, and the folder that it has for itself. */
export class WorldProcess {
  /** @type {Record<string, any>} */
  ready = {};
  /** @type {import("node:child_process").ChildProcess} */
  #keeper;
  #over = false;

  /** @param {string} folder @param {readonly string[]} flags @param {string | undefined} dataDir */
  constructor(folder, flags, dataDir) {
    this.folder = folder;
    const command = [join(BIN, "countersign"), "dev", "--listen", "127.0.0.1:0"];
    command.push("--ready-file", join(folder, "ready.json"), "--data-dir", dataDir ?? join(folder, "data"), ...flags);
    // Settings of the shell are not those of the tests.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_")));
    this.#keeper = spawn("/bin/sh", [join(BIN, "keeper.sh"), folder, ...command], {
      env,
      stdio: ["pipe", "ignore", "ignore"],
      // Ctrl-C is for the tests. They stop the world when they end.
      detached: true,
    });
    // A script that forgets to stop its world must end all the same; then the pipe closes, and the keeper stops the world.
    this.#keeper.unref();
    /** @type {any} */ (this.#keeper.stdin).unref();
    this.#keeper.stdin?.on("error", () => {});
    this.#keeper.on("error", () => {});
    this.#keeper.on("exit", () => (this.#over = true));
  }

  /**
   * Starts a world and waits until it is ready.
   *
   * @param {readonly string[]} flags @param {string | undefined} dataDir @param {number} timeout
   */
  static async start(flags, dataDir, timeout) {
    if (!existsSync(join(BIN, "countersign"))) {
      throw new StartError(`there is no program in ${BIN}: install the package from its file, not from its sources`);
    }
    const world = new WorldProcess(await mkdtemp(join(tmpdir(), "countersign-")), flags, dataDir);
    try {
      await world.#wait(timeout);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** @param {number} timeout */
  async #wait(timeout) {
    const until = performance.now() + timeout;
    for (;;) {
      const text = await readFile(join(this.folder, "ready.json"), "utf8").catch(() => undefined);
      if (text !== undefined) {
        this.ready = JSON.parse(text);
        return;
      }
      const ended = await this.ended();
      if (ended) throw new StartError(ended);
      if (performance.now() >= until) throw new StartError(`the world is not ready after ${timeout} ms. ${await this.#log()}`);
      await pause(5);
    }
  }

  /** What to say if the process has ended. */
  async ended() {
    const status = await readFile(join(this.folder, "ended"), "utf8").catch(() => undefined);
    if (status !== undefined) return `\`countersign dev\` ended with exit status ${status.trim()}. ${await this.#log()}`;
    return this.#over ? "`countersign dev` was stopped, and its log is gone." : undefined;
  }

  async #log() {
    const log = await readFile(join(this.folder, "log"), "utf8").catch(() => "");
    const lines = log.split("\n").filter((line, at, all) => line !== "" || at < all.length - 1);
    if (lines.length === 0) return "Its log is empty.";
    return `The last lines of its log:\n${lines.slice(-LAST_LINES).map((line) => `  ${line}`).join("\n")}`;
  }

  /** Stops the world as an operator does, and removes its folder. */
  async stop() {
    const { pid } = this.#keeper;
    if (!this.#over && pid !== undefined) {
      this.#keeper.ref();
      const over = once(this.#keeper, "exit");
      this.#keeper.stdin?.end("\n");
      const timer = setTimeout(() => process.kill(-pid, "SIGKILL"), STOP_TIMEOUT);
      await over;
      clearTimeout(timer);
    }
    // The keeper removes it, unless it was killed.
    await rm(this.folder, { recursive: true, force: true });
  }
}
