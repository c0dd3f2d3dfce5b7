// The stories of `phones.mjs` with unmodified SDKs: an application enrols a phone and asks it for a log-in, and the person pairs
// and accepts on the real page, in Chromium.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isolated, launched } from "./checks.mjs";

/** After which a press on a new request counts. */
const NOT_TOO_SOON = 600;

export async function sdkStories({ SIZES, check, secrets, work, world }) {
  const browser = await launched(world.chromium);

  async function story({ version, python, client: { client_id: id, client_secret: secret } }) {
    const user = await work.hire(`sdk.${version.replaceAll(".", "-")}`);
    secrets.push(user.username, user.email);
    const program = spawn(python, [world.sdk_program, work.base, id, secret, String(user.id)], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    const next = async (step) => {
      const { value, done } = await lines.next();
      const said = done ? {} : JSON.parse(value);
      check(`SDK ${version}: ${step}`, said.step === step, value);
      return said;
    };
    const context = await browser.newContext({ viewport: SIZES.phone, reducedMotion: "reduce", locale: "en-GB" });
    try {
      const phone = await context.newPage();
      isolated(phone, work.base);
      phone.removeAllListeners("requestfailed");
      const state = (name) => phone.locator(`main[data-shown="${name}"]`).waitFor({ timeout: 30_000 });
      const press = (action) => phone.locator(`#view [data-do="${action}"]`).first().click();
      await phone.goto((await next("enrol")).address);
      await state("pair");
      await press("pair");
      await state("paired");
      check(`SDK ${version}: the phone is enrolled`, (await next("paired")).status === "accepted");
      await next("asked");
      await state("request");
      await phone.waitForTimeout(NOT_TOO_SOON);
      await phone.locator("[type=submit]").click();
      await state("result");
      const { status, device } = await next("answered");
      check(`SDK ${version}: the log-in is accepted`, status === "accepted" && Number(device) > 0, status);
    } finally {
      program.kill();
      await context.close();
    }
  }

  const stories = Object.fromEntries(world.sdks.map((sdk) => [`sdk: onelogin ${sdk.version} for Python`, () => story(sdk)]));
  return { stories, close: () => browser.close() };
}
