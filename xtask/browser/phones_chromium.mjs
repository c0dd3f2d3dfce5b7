// The stories of `phones.mjs` in Chromium: the pages of an invitation as people meet them, and pushes that the test decrypts,
// so that all that a phone receives can be read.
import { createDecipheriv, createECDH, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { eventually, isolated, launched, scanned } from "./checks.mjs";

/** After which a press on a new request counts. */
const NOT_TOO_SOON = 600;
/** Of an authenticator app. */
const PERIOD = 30;

/** What an app on a phone shows at this time (RFC 6238). */
function codeOf(address, at = Date.now()) {
  const { searchParams } = new URL(address);
  const bits = [...searchParams.get("secret")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 1000 / PERIOD)));
  const algorithm = (searchParams.get("algorithm") ?? "SHA1").toLowerCase();
  const digest = createHmac(algorithm, secret).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 10 ** Number(searchParams.get("digits") ?? 6)).padStart(6, "0");
}

/** What a browser makes of the body of a push (RFC 8188, 8291). */
function opened(body, keys, auth) {
  const salt = body.subarray(0, 16);
  const sender = body.subarray(21, 21 + body[20]);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), keys.getPublicKey(), sender]);
  const secret = hkdfSync("sha256", keys.computeSecret(sender), auth, info, 32);
  const derive = (name, length) => Buffer.from(hkdfSync("sha256", secret, salt, `Content-Encoding: ${name}\0`, length));
  const record = body.subarray(21 + body[20]);
  const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return padded.subarray(0, padded.lastIndexOf(2)).toString();
}

export async function chromiumStories({ SIZES, check, look, secrets, service, work, world }) {
  const browser = await launched(world.chromium);
  const see = (page, name) => look(page, `chromium-${name}`);
  const appears = async (what, page, text) => check(what, await page.getByText(text).first().waitFor({ timeout: 30_000 }).then(() => true, () => false), String(text));

  async function newPage(status = () => false) {
    const context = await browser.newContext({ viewport: SIZES.phone, reducedMotion: "reduce", locale: "en-GB" });
    const page = await context.newPage();
    isolated(page, work.base, status);
    return { context, page };
  }

  async function hire(name, facts) {
    const user = await work.hire(name, facts);
    secrets.push(...[user.username, user.email, user.phone].filter(Boolean));
    return user;
  }

  const linkOf = async (user, said) => (await work.invite(user, said)).body.url;
  const choose = (page, factor) => page.locator(`button[value=${factor}]`).click();
  const confirm = async (page, code) => {
    await page.locator("input[name=code]").fill(code);
    await page.locator("form:has(input[name=code]) button").click();
  };
  const done = (page, what) => appears(`${what}: it is set up`, page, "You are set up");

  async function withApp(page, name) {
    await choose(page, "totp");
    await appears(`${name}: the picture is shown`, page, "Add your account to the app");
    const address = await scanned(page);
    check(`${name}: a camera reads the address that the link has`, address?.startsWith("otpauth://totp/") && address === (await page.locator('a[href^="otpauth:"]').getAttribute("href")), address);
    return address;
  }

  /** The newest code that was sent there. */
  async function received(to, after) {
    for (let tries = 0; tries < 400; tries += 1) {
      const found = (await work.sent(to)).filter(({ code }) => code);
      if (found.length > after) return found.at(-1).code;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`nothing was sent to ${to}`);
  }

  const stories = {
    async "chromium: an authenticator app"() {
      const user = await hire("cara.varga", { phone: "+4915112345603", firstname: "Cara" });
      const { page, context } = await newPage((url) => url.includes("/enroll/"));
      const link = await linkOf(user);
      await page.goto(link);
      await appears("the page says for whom it is", page, user.email);
      await appears("and who invites", page, "Northfield VPN");
      await see(page, "choice");
      const address = await withApp(page, "authenticator");
      await see(page, "authenticator");
      await confirm(page, codeOf(address, Date.now() + 5 * 60_000));
      await appears("a clock that is off is said to be", page, /5 minutes fast/);
      await see(page, "authenticator-fast");
      await confirm(page, codeOf(address, Date.now() - 4 * 60_000));
      await appears("in the other direction, too", page, /[345] minutes slow/);
      await see(page, "authenticator-slow");
      await confirm(page, String((Number(codeOf(address)) + 271_828) % 1_000_000).padStart(6, "0"));
      await appears("a wrong code is one", page, "This code is not right");
      await see(page, "authenticator-wrong");
      await confirm(page, ` ${codeOf(address).replace(/(...)/, "$1 ")}`);
      await done(page, "authenticator");
      await see(page, "authenticator-done");
      const again = await page.goto(link);
      check("the link works once", again.status() === 410, `${again.status()}`);
      await see(page, "link-over");
      check("a link that never was looks the same", (await page.goto(link.slice(0, -6) + "AAAAAA")).status() === 410);

      const refused = await work.invite(user);
      check("a person with a device is not invited by the way", refused.status === 422 && JSON.stringify(refused.body).includes("replace"), JSON.stringify(refused.body));
      const [before] = await work.plain.must("GET", `${work.mfa(user)}/devices`);
      await page.goto(await linkOf(user, { replace: true }));
      await appears("the page says that earlier devices go", page, "Your earlier devices stop working when you finish");
      await see(page, "choice-replace");
      const other = await withApp(page, "another phone");
      const kept = await work.plain.must("GET", `${work.mfa(user)}/devices`);
      check("until then they stay", kept.length === 1 && kept[0].device_id === before.device_id);
      await confirm(page, codeOf(other));
      await done(page, "another phone");
      await appears("and that they have gone", page, "Your earlier devices were removed");
      await see(page, "replaced");
      const after = await work.plain.must("GET", `${work.mfa(user)}/devices`);
      check("the earlier device is gone", after.length === 1 && after[0].device_id !== before.device_id, JSON.stringify(after));
      await context.close();
    },

    async "chromium: text message and e-mail"() {
      const user = await hire("dora.nemeth", { phone: "+4915112345604", firstname: "Dora" });
      const { page, context } = await newPage();
      await page.goto(await linkOf(user));
      const shown = await page.innerText("main");
      check("number and address are masked", !shown.includes(user.phone) && !shown.replace(user.email, "").includes(user.email) && shown.includes("604"), shown);
      await choose(page, "sms");
      await appears("a text message was sent", page, "We have sent a text message to");
      await see(page, "text-message");
      const code = await received(user.phone, 0);
      await confirm(page, String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0"));
      await appears("a wrong code is one", page, "This code is not right");
      check("and the page still says where to", /text message to \+4\S*604\./.test(await page.innerText("main")), await page.innerText("main"));
      await see(page, "text-message-wrong");
      await confirm(page, code);
      await done(page, "text message");
      await appears("a number alone is called weak", page, "A telephone number alone is weak");
      await see(page, "text-message-done");
      await page.getByText("Add another way").click();
      await appears("the next link is for the same person", page, user.email);
      check("what is enrolled is not offered again", (await page.locator("button[value=sms]").count()) === 0);
      await see(page, "choice-next");
      await choose(page, "email");
      await appears("a mail was sent", page, "We have sent a mail to");
      await see(page, "mail");
      await confirm(page, await received(user.email, 0));
      await done(page, "e-mail");
      await see(page, "mail-done");
      const devices = await work.plain.must("GET", `${work.mfa(user)}/devices`);
      check("both are there", devices.length === 2, JSON.stringify(devices));
      await context.close();
    },

    async "chromium: another number"() {
      const user = await hire("emil.brandt", { phone: "+4915112345606", firstname: "Emil" });
      const { page, context } = await newPage();
      await page.goto(await linkOf(user));
      const number = "+4915112345605";
      secrets.push(number);
      const other = () => page.locator("form:has(button[value=sms]) summary").click();
      await other();
      await page.locator("form:has(button[value=sms]) input[name=target]").fill("+1 415 555 0100");
      await choose(page, "sms");
      await appears("a number where nothing can go is refused", page, "No message can go there");
      await see(page, "number-refused");
      await page.locator("form:has(button[value=sms]) input[name=target]").fill("+49 1511 2345605");
      await choose(page, "sms");
      await appears("another is taken", page, "We have sent a text message to");
      const first = await received(number, 0);
      await confirm(page, String((Number(first) + 1) % 10 ** first.length).padStart(first.length, "0"));
      await appears("a wrong code is one", page, "This code is not right");
      await page.getByText("Send a new code").click();
      await confirm(page, await received(number, 1));
      await done(page, "another number");
      await context.close();
    },

    async "chromium: a phone"() {
      const user = await hire("finn.solberg", { firstname: "Finn" });
      const { page, context } = await newPage();
      await context.grantPermissions(["notifications"], { origin: work.base });
      const keys = createECDH("prime256v1");
      keys.generateKeys();
      const auth = randomBytes(16);
      const made = { endpoint: service.subscribe(), keys: { p256dh: keys.getPublicKey().toString("base64url"), auth: auth.toString("base64url") } };
      // Chromium subscribes at Google's alone: its half of the subscription is made here.
      await context.addInitScript((said) => {
        let current = null;
        PushManager.prototype.getSubscription = async () => current;
        PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
          const key = Uint8Array.from(atob(applicationServerKey.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
          current = { options: { applicationServerKey: key.buffer }, toJSON: () => said, unsubscribe: async () => true };
          return current;
        };
      }, made);

      // All that the phone is told, streams too.
      await context.addInitScript(() => {
        const { fetch } = window;
        window.told = [];
        window.fetch = async (...asked) => {
          const answer = await fetch(...asked);
          const read = async () => {
            for await (const part of answer.clone().body.pipeThrough(new TextDecoderStream())) window.told.push(part);
          };
          read().catch(() => {});
          return answer;
        };
      });

      await page.goto(await linkOf(user));
      await choose(page, "push");
      await appears("the page waits for the phone", page, "Waiting for your phone");
      const address = await scanned(page);
      check("a camera reads the address of the app", /\/app#[0-9A-Z]{8}$/.test(address) && address.startsWith(work.base), address);
      const phone = await context.newPage();
      isolated(phone, work.base);
      phone.removeAllListeners("requestfailed");
      const state = (name) => phone.locator(`main[data-shown="${name}"]`).waitFor({ timeout: 30_000 });
      const press = (action) => phone.locator(`#view [data-do="${action}"]`).first().click();
      await page.emulateMedia({ colorScheme: "light" });
      await phone.goto(address);
      await state("pair");
      await see(phone, "app-pair");
      await press("pair");
      await state("paired");
      await see(phone, "app-paired");
      await appears("the page that waits says that it is paired", page, "You are set up");
      await see(page, "phone-done");
      await press("notify");
      await phone.locator('[data-do="silence"]').waitFor();
      await see(phone, "app-notifications");
      await press("home");
      await state("home");
      await see(phone, "app-home");

      const device = await work.deviceOf(user, "OneLogin");
      const before = service.posts.length;
      const asked = await work.byVersion2(user, device, { matching: true });
      const sent = await service.post(before);
      const plain = opened(sent.body, keys, auth);
      const said = JSON.parse(plain);
      check("a push has what the contract says, and nothing else", Object.keys(said).sort().join() === "end,id,notification,web_push" && Object.keys(said.notification).sort().join() === "lang,navigate,title", plain);
      check("the id, the end, and the address of the app", said.id === asked.id && said.end > Date.now() && said.end < Date.now() + 900_000 && said.notification.navigate === `${work.base}/app`, plain);
      check("its title is neutral", !/\d/.test(said.notification.title) && !secrets.some((secret) => plain.includes(secret)), said.notification.title);

      const session = await context.newCDPSession(phone);
      let registration;
      session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        registration = registrations.find(({ scopeURL }) => scopeURL.endsWith("/app")) ?? registration;
      });
      await session.send("ServiceWorker.enable");
      await eventually(() => registration);
      const notifications = () =>
        phone.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(({ title, tag }) => ({ title, tag })));
      // A push that comes in this way while a busy browser starts the worker is dropped; a push service would keep it.
      let one;
      for (let attempt = 0; attempt < 3 && !one; attempt += 1) {
        await session.send("ServiceWorker.deliverPushMessage", { origin: work.base, registrationId: registration.registrationId, data: plain });
        [one] = await eventually(notifications, (all) => all.length > 0, 10_000);
      }
      check("the worker shows it", one?.tag === asked.id && one.title === said.notification.title, JSON.stringify(one));

      await state("request");
      await see(phone, "app-number");
      const told = (await phone.evaluate(() => window.told)).join("\n");
      const prompts = told.match(/\{[^{}]*"id":[^{}]*\}/g).map((text) => JSON.parse(text)).filter(({ id }) => id === asked.id);
      check("the phone was told of the prompt by its stream and by asking", prompts.length > 1, told);
      check("and the number is in nothing that it was told", prompts.every((facts) => facts.digits === 2 && !Object.values(facts).map(String).includes(asked.number)), told);
      await phone.waitForTimeout(NOT_TOO_SOON);
      await phone.locator("#digits").fill(asked.number);
      await phone.locator("[type=submit]").click();
      await state("result");
      check("the waiting caller hears it", (await asked.answered) === "accepted");
      await see(phone, "app-accepted");
      check("its notification goes", (await eventually(notifications, (all) => all.length === 0)).length === 0);
      await press("home");

      const next = await work.byVersion2(user, device);
      await state("request");
      await see(phone, "app-request");
      await press("deny");
      await state("deny");
      await see(phone, "app-deny");
      await press("mind");
      await state("result");
      check("a denial arrives", (await next.answered) === "rejected");
      await see(phone, "app-denied");
      await press("home");
      await press("history");
      await state("history");
      await see(phone, "app-history");
      await press("home");

      // Another prompt takes the place of the one that is on the screen.
      const first = await work.byVersion2(user, device);
      await state("request");
      await press("home");
      await phone.locator(".choice.urgent").waitFor();
      await see(phone, "app-home-waiting");
      await phone.locator(".choice.urgent").click();
      await state("request");
      await work.plain.must("DELETE", `${work.mfa(user)}/devices/${device}`);
      await state("result");
      await see(phone, "app-over");
      check("what waited is rejected", (await first.answered) !== "accepted", `${await first.answered}`);
      await press("home");
      await phone.getByText("Removed").waitFor();
      await see(phone, "app-home-removed");
      await phone.locator(".choice", { hasText: user.email }).click();
      await see(phone, "app-account-removed");
      await press("remove");
      await state("remove");
      await see(phone, "app-remove");
      await press("yes");
      await state("welcome");
      await see(phone, "app-welcome");
      await context.close();
    },
  };
  return { stories, close: () => browser.close() };
}
