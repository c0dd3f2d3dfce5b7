// How worlds start and end: failed starts are explained, and nothing is left behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { attachWorld, startWorld, StartError } from "countersign-mfa";

/** Worlds of these tests have their folders here, so that a test sees what is left. */
let folder = "";
const before = process.env.TMPDIR;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ends-"));
  process.env.TMPDIR = folder;
});

afterEach(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true, force: true });
});

/** Whether a process runs. A zombie has ended. @param {unknown} pid */
function runs(pid) {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until a condition holds. @param {() => boolean} done */
async function until(done) {
  const end = performance.now() + 10_000;
  while (!done() && performance.now() < end) await pause(10);
  assert.ok(done());
}

/** Runs a script that has a world, as leader of a process group. @param {string} rest */
function script(rest) {
  const source = `
    import { startWorld } from "countersign-mfa";
    const world = await startWorld();
    ${rest}
    console.log(world.ready.pid);`;
  return spawn(process.execPath, ["--input-type=module", "-e", source], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("a stopped world leaves no process and no folder", async () => {
  const world = await startWorld();
  assert.ok(runs(world.ready.pid));
  assert.notDeepEqual(readdirSync(folder), []);
  await world.stop();
  await world.stop();
  assert.ok(!runs(world.ready.pid));
  assert.deepEqual(readdirSync(folder), []);
  await assert.rejects(world.reset(), /start another one/);
});

test("a disposed world leaves nothing either", { skip: !Symbol.asyncDispose }, async () => {
  const world = await startWorld();
  await world[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(folder), []);
});

for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT", "SIGKILL"])) {
  test(`a test run that gets ${signal} leaves no process and no folder`, async () => {
    const running = script("setTimeout(() => {}, 60_000);");
    const [pid] = await once(running.stdout, "data");
    assert.ok(runs(Number(pid)));
    const over = once(running, "exit");
    running.kill(signal);
    assert.deepEqual(await over, [null, signal]);
    await until(() => !runs(Number(pid)) && readdirSync(folder).length === 0);
  });
}

test("Ctrl-C leaves the world to the tests", async () => {
  const running = script(`
    process.on("SIGINT", () => world.reset().then(() => world.stop()).then(() => process.exit(0)));
    setTimeout(() => {}, 60_000);`);
  await once(running.stdout, "data");
  const over = once(running, "exit");
  // A terminal sends the signal to every process of the group.
  process.kill(-Number(running.pid), "SIGINT");
  assert.deepEqual(await over, [0, null]);
});

test("a script that forgets to stop its world ends all the same", async () => {
  const running = script("await world.reset();");
  const [[pid], [status]] = await Promise.all([once(running.stdout, "data"), once(running, "exit")]);
  assert.equal(status, 0);
  await until(() => !runs(Number(pid)) && readdirSync(folder).length === 0);
});

test("a failed start shows the log", async () => {
  await assert.rejects(startWorld({ flags: ["--no-such-flag"] }), (/** @type {Error} */ error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /exit status 2/);
    assert.match(error.message, /unexpected argument '--no-such-flag'/);
    return true;
  });
  assert.deepEqual(readdirSync(folder), []);
});

test("a world file is passed on", async () => {
  await assert.rejects(startWorld({ world: join(folder, "no-such-world.toml") }), /exit status[^]*world/);
});

test("a start that takes too long is given up", async () => {
  await assert.rejects(startWorld({ timeout: 0 }), /not ready after 0 ms/);
  assert.deepEqual(readdirSync(folder), []);
});

test("a world that was killed says so", async () => {
  const world = await startWorld();
  process.kill(Number(world.ready.pid), "SIGKILL");
  await until(() => !runs(world.ready.pid));
  await pause(50);
  await assert.rejects(world.reset(), /exit status 137/);
  await world.stop();
  assert.deepEqual(readdirSync(folder), []);
});

test("a data folder keeps the world", async () => {
  const user = "/api/2/mfa/users/1";
  for (const kept of [false, true]) {
    const world = await startWorld({ dataDir: join(folder, "kept") });
    assert.equal((await world.api("GET", `${user}/devices`)).length > 0, kept);
    if (!kept) {
      const factor = { factor_id: "1", display_name: "My phone" };
      await world.phone.pair(await world.api("POST", `${user}/registrations`, factor));
    }
    await world.stop();
  }
  assert.deepEqual(readdirSync(folder), ["kept"]);
});

test("a seed makes the same credentials", async () => {
  const worlds = await Promise.all([startWorld({ seed: 7 }), startWorld({ seed: 7 }), startWorld()]);
  const [one, other, third] = worlds.map((world) => world.client);
  await Promise.all(worlds.map((world) => world.stop()));
  assert.deepEqual(one, other);
  assert.notDeepEqual(one, third);
});

test("a world that runs already is used and not stopped", async () => {
  const world = await startWorld({ flags: ["--dev-host", "countersign"] });
  const ready = join(folder, "world.json");
  writeFileSync(ready, JSON.stringify(world.ready));
  const same = await attachWorld(ready);
  assert.deepEqual(same.client, world.client);
  await same.reset();
  await same.stop();
  await world.clock.now();
  await world.stop();
});

test("the command is the program", async () => {
  const command = "node_modules/.bin/countersign";
  const ready = join(folder, "ready.json");
  const failed = spawn(command, ["--no-such-flag"], { stdio: "ignore" });
  assert.deepEqual(await once(failed, "exit"), [2, null]);
  const running = spawn(command, ["dev", "--listen", "127.0.0.1:0", "--ready-file", ready], { stdio: "ignore" });
  await until(() => existsSync(ready));
  const over = once(running, "exit");
  running.kill("SIGTERM");
  assert.deepEqual(await over, [0, null]);
  assert.ok(!existsSync(ready));
});

test("settings of the shell do not reach a world", async () => {
  process.env.COUNTERSIGN_CONFIG = "/nonexistent";
  try {
    const world = await startWorld();
    await world.stop();
  } finally {
    delete process.env.COUNTERSIGN_CONFIG;
  }
});
