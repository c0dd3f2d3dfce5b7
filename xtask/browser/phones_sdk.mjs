// The stories of `phones.mjs` with unmodified clients, whose requests the person answers on the real page, in Chromium: SDKs,
// with which an application enrols a phone and asks it for a log-in, and a tool that logs in to AWS.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isolated, launched } from "./checks.mjs";

/** After which a press on a new request counts. */
const NOT_TOO_SOON = 600;

export async function sdkStories({ SIZES, check, secrets, work, world }) {
  const browser = await launched(world.chromium);

  /** A program that says its steps in lines of JSON. */
  function started(name, python, args) {
    const program = spawn(python, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    const next = async (step) => {
      const { value, done } = await lines.next();
      const said = done ? {} : JSON.parse(value);
      check(`${name}: ${step}`, said.step === step, value);
      return said;
    };
    return { next, stop: () => program.kill() };
  }

  /** The app on a phone. */
  async function phoneOf(user) {
    secrets.push(user.username, user.email);
    const context = await browser.newContext({ viewport: SIZES.phone, reducedMotion: "reduce", locale: "en-GB" });
    const phone = await context.newPage();
    isolated(phone, work.base);
    phone.removeAllListeners("requestfailed");
    const state = (name) => phone.locator(`main[data-shown="${name}"]`).waitFor({ timeout: 30_000 });
    return {
      async pair(address) {
        await phone.goto(address);
        await state("pair");
        await phone.locator('#view [data-do="pair"]').first().click();
        // A client that asks at once brings the request before anyone reads that the phone is paired.
        await phone.locator('main:is([data-shown="paired"], [data-shown="request"])').waitFor({ timeout: 30_000 });
      },
      async accept() {
        await state("request");
        await phone.waitForTimeout(NOT_TOO_SOON);
        await phone.locator("[type=submit]").click();
        await state("result");
      },
      close: () => context.close(),
    };
  }

  async function enrolsAndAsks({ version, python, client: { client_id: id, client_secret: secret } }) {
    const user = await work.hire(`sdk.${version.replaceAll(".", "-")}`);
    const program = started(`SDK ${version}`, python, [world.sdk_program, work.base, id, secret, String(user.id)]);
    const phone = await phoneOf(user);
    try {
      await phone.pair((await program.next("enrol")).address);
      check(`SDK ${version}: the phone is enrolled`, (await program.next("paired")).status === "accepted");
      await program.next("asked");
      await phone.accept();
      const { status, device } = await program.next("answered");
      check(`SDK ${version}: the log-in is accepted`, status === "accepted" && Number(device) > 0, status);
    } finally {
      program.stop();
      await phone.close();
    }
  }

  async function logsInToAws({ python, program: file, app, client: { client_id: id, client_secret: secret } }) {
    const user = await work.hire("aws.user");
    const phone = await phoneOf(user);
    const factor = (await work.plain.must("GET", `${work.mfa(user)}/factors`)).find(({ name }) => name === "OneLogin Protect");
    const begun = { factor_id: factor.factor_id, display_name: "My phone" };
    const { factor_data: data } = await work.plain.must("POST", `${work.mfa(user)}/registrations`, begun);
    await phone.pair(data.totp_url);
    const { id: number, username, email, password } = user;
    const person = JSON.stringify({ id: number, username, email, password });
    const program = started("AWS", python, [file, work.base, id, secret, String(app.id), person]);
    try {
      await program.next("ready");
      await phone.accept();
      const { session } = await program.next("in");
      check("AWS: the keys are for the person", session?.includes(username), session);
    } finally {
      program.stop();
      await phone.close();
    }
  }

  const stories = Object.fromEntries(world.sdks.map((sdk) => [`sdk: onelogin ${sdk.version} for Python`, () => enrolsAndAsks(sdk)]));
  stories[`sdk: ${world.aws.name}`] = () => logsInToAws(world.aws);
  return { stories, close: () => browser.close() };
}
