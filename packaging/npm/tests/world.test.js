// What a world hands over, each thing used once.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CallError, CountersignError, NoMessage } from "countersign-mfa";
import { useWorld } from "countersign-mfa/test";

const world = useWorld();
assert.throws(() => world.baseUrl, CountersignError, "the world is there before the tests");

/** @param {string} name */
const path = (name) => `/api/2/mfa/users/${world.user(name).id}`;

/** Gives a user a device for text messages. @returns {Promise<string>} */
async function enrolSms(name = "ana") {
  const begun = await world.api("POST", `${path(name)}/registrations`, { factor_id: "2", display_name: "My phone" });
  const { code } = await world.outbox.wait(name, { channel: "sms" });
  return (await world.api("PUT", `${path(name)}/registrations/${begun.id}`, { otp: code })).device_id;
}

/** Sends a challenge to a device. @param {string | number} device @returns {Promise<string>} */
async function challenge(device, name = "ana") {
  return (await world.api("POST", `${path(name)}/verifications`, { device_id: String(device) })).id;
}

/** @param {number} status */
const refused = (status) => (/** @type {unknown} */ error) => error instanceof CallError && error.status === status;

/** @param {string} id @param {string | null} otp */
const answer = (id, otp) => world.api("PUT", `${path("ana")}/verifications/${id}`, { otp });

/** @param {string} id */
const status = async (id) => (await world.api("GET", `${path("ana")}/verifications/${id}`)).status;

describe("a world of a describe", () => {
  /** @type {unknown} */
  let pid;

  describe("is another one", () => {
    const own = useWorld({ seed: 7 });
    test("with its options", () => {
      pid = own.ready.pid;
      assert.notEqual(pid, world.ready.pid);
      assert.ok(existsSync(`/proc/${pid}`));
    });
  });

  test("and ends with it", () => assert.ok(!existsSync(`/proc/${pid}`)));
});

test("a code of a text message is accepted once", async () => {
  const id = await challenge(await enrolSms());
  const { code, body, to } = await world.outbox.wait("ana", { channel: "sms" });
  assert.ok(code && body.includes(code));
  assert.equal(to, world.user("ana").phone);
  assert.equal((await answer(id, code)).status, "accepted");
  await assert.rejects(answer(id, code), refused(404));
});

test("the world is as new for each test", async () => {
  assert.deepEqual(await world.outbox.messages(), []);
  assert.deepEqual(await world.api("GET", `${path("ana")}/devices`), []);
});

test("wait returns every message once and the oldest first", async () => {
  const device = await enrolSms();
  const sent = [await challenge(device), await challenge(device)];
  while ((await world.outbox.messages("ana")).length < 3) await pause(10);
  const read = [await world.outbox.wait("ana"), await world.outbox.wait("ana")];
  assert.deepEqual(read.map((one) => one.verification_id), sent);
  await assert.rejects(world.outbox.wait("ana", { timeout: 200 }), NoMessage);
});

test("wait picks the channel and the user", async () => {
  const [ben, ana] = [await enrolSms("ben"), await enrolSms("ana")];
  const begun = await world.api("POST", `${path("ana")}/registrations`, { factor_id: "1", display_name: "My phone" });
  const phone = await world.phone.pair(begun);
  await challenge(ben, "ben");
  await challenge(ana);
  await challenge(phone);
  assert.equal((await world.outbox.wait("ana", { channel: "push" })).channel, "push");
  assert.equal((await world.outbox.wait(world.user("ana"))).channel, "sms");
  assert.equal((await world.outbox.wait()).username, "ben");
});

test("no message says what arrived instead", async () => {
  await enrolSms();
  await assert.rejects(world.outbox.wait("ben", { channel: "email", timeout: 100 }), (/** @type {Error} */ error) => {
    assert.match(error.message, /sms to ana at \+14155550101 \(read\)/);
    assert.match(error.message, /requests\(\)/);
    return error instanceof NoMessage && error instanceof CountersignError;
  });
});

test("a verification expires when the clock moves", async () => {
  const id = await challenge(await enrolSms());
  const { code } = await world.outbox.wait("ana", { verificationId: id });
  const before = await world.clock.now();
  assert.ok((await world.clock.advance(180)).getTime() - before.getTime() >= 180_000);
  await assert.rejects(answer(id, code), refused(404));
});

test("the clock is set, frozen and resumed", async () => {
  const there = new Date("2030-01-01T00:00:00Z");
  await world.clock.freeze();
  assert.deepEqual(await world.clock.set(there), there);
  assert.deepEqual(await world.clock.now(), there);
  assert.ok((await world.clock.resume()) >= there);
});

test("the phone accepts and denies", async () => {
  const begun = await world.api("POST", `${path("ana")}/registrations`, { factor_id: "1", display_name: "My phone" });
  const device = await world.phone.pair(begun);
  assert.deepEqual(await world.phone.deviceIds(), [device]);
  const accepted = await challenge(device);
  assert.equal(await status(accepted), "pending");
  await world.phone.accept("ana");
  assert.equal(await status(accepted), "accepted");
  const denied = await challenge(device);
  await world.phone.deny("ana");
  assert.equal(await status(denied), "rejected");
  const reported = await challenge(device);
  await (await world.outbox.wait("ana", { channel: "push", verificationId: reported })).report();
  assert.equal(await status(reported), "rejected");
  await assert.rejects(world.phone.accept("ana", { timeout: 100 }), /no push is waiting/);
});

test("an authenticator app shows a code that is not used", async () => {
  const begun = await world.api("POST", `${path("ana")}/registrations`, { factor_id: "5", display_name: "My app" });
  const first = await world.authenticator.code("ana");
  const { device_id: device } = await world.api("PUT", `${path("ana")}/registrations/${begun.id}`, { otp: first });
  const second = await world.authenticator.code("ana");
  assert.notEqual(second, first);
  assert.equal((await answer(await challenge(device), second)).status, "accepted");
  await assert.rejects(world.authenticator.code("ben"), /enrol one first/);
});

test("a gateway that fails sends nothing", async () => {
  const device = await enrolSms();
  assert.equal((await world.faults.set("sms", { fail: 1 })).fail, 1);
  const id = await challenge(device);
  await assert.rejects(world.outbox.wait("ana", { channel: "sms", timeout: 500 }), /fault played: fail, sms/);
  assert.equal((await world.faults.played())[0]?.verification_id, id);
  await world.faults.clear();
  await challenge(device);
  assert.ok((await world.outbox.wait("ana", { channel: "sms" })).code);
});

test("clients are found by scope and profile, users by name and id", () => {
  assert.equal(world.clientFor(), world.client);
  assert.equal(world.clientFor({ scope: "Read All" }).scope, "Read All");
  assert.equal(world.clientFor({ profile: "python4" }).profile, "python4");
  assert.throws(() => world.clientFor({ scope: "Everything" }), /Manage users \/ default/);
  const ana = world.user("ana");
  assert.equal(world.user(ana.id), ana);
  assert.throws(() => world.user("zoe"), /ana, ben, chie/);
});

test("calls are listed with why they were refused", async () => {
  const id = await challenge(await enrolSms());
  const { code } = await world.outbox.wait("ana", { verificationId: id });
  await assert.rejects(answer(id, code === "000000" ? "000001" : "000000"), CallError);
  const last = (await world.requests()).at(-1);
  assert.equal(last?.path, `${path("ana")}/verifications/${id}`);
  assert.ok(last?.reason);
  await world.reset();
  assert.deepEqual(await world.requests(), []);
  await world.api("GET", `${path("ana")}/devices`);
  assert.deepEqual((await world.requests()).map((call) => call.status), [200, 200]);
});
