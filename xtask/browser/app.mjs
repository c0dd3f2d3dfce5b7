// Uses the app of a phone as its person does, in a real Chromium, and says what is wrong with it.
//
//     node app.mjs FOLDER FOLDER_FOR_SCREENSHOTS CHROMIUM
//
// FOLDER is what `cargo run -p countersign-pages --example app_files` wrote. The server is that of `phone_server.mjs`, which
// judges the app's signatures with another implementation than the browser's.
import { appears, check, inspect, isolated, launched, said } from "./checks.mjs";
import { notificationStories } from "./app_notifications.mjs";
import { phoneServer } from "./phone_server.mjs";

const [folder, pictures, executablePath] = process.argv.slice(2);
const LANGUAGES = ["en", "de", "fr", "es", "ja"];
const SIZES = { phone: { width: 390, height: 844 }, narrow: { width: 320, height: 640 }, desk: { width: 1280, height: 900 } };
const ANA = { user: "32715", device: "1001", account: "ana@example.com", deviceName: "Ana's phone" };
const BEN = { user: "32716", device: "1002", account: "ben@example.org", deviceName: "Work phone", issuer: "Hospital" };
/** After which a press on a new request counts. */
const NOT_TOO_SOON = 600;

/** Whether the connection is cut on purpose. */
let offline = false;

const world = await phoneServer(folder);
const browser = await launched(executablePath);

/** A phone with nothing on it. Answers that the app has to bear with are expected. */
async function newPhone(options = {}) {
  const context = await browser.newContext({ viewport: SIZES.phone, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  isolated(page, world.base, (url) => /\/app\/(pair|events|requests|answer|subscription)$/.test(url));
  // A stream of events ends with its page, and whenever the app begins another one.
  page.removeAllListeners("requestfailed");
  page.on("requestfailed", (request) => {
    if (!offline && !request.url().endsWith("/app/events")) check("every request answered", false, request.url());
  });
  return { context, page };
}

const shown = (page, name) => page.locator(`main[data-shown="${name}"]`);
const press = (page, action) => page.locator(`#view [data-do="${action}"]`).first().click();
const status = (page, state) => page.locator(`#status[data-state="${state}"]`);
const last = (action) => world.posts.filter((post) => post.action === action).at(-1)?.body;

/** A state in every size, by day and by night. */
async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await inspect(page, pictures, `app-${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(SIZES.phone);
}

async function pairByLink(page, code, names) {
  world.offer(code, names);
  await page.goto(`${world.base}/app#${code}`);
  await appears(`the code of the link is shown: ${code}`, shown(page, "pair"));
  await press(page, "pair");
  await appears(`${names.account} is paired`, shown(page, "paired"));
  await press(page, "home");
  return world.phone(names.account);
}

/** A request arrives and is opened. */
async function asked(page, phone, facts) {
  const prompt = world.prompt(phone, facts);
  await appears("a request opens by itself", shown(page, "request"));
  await page.waitForTimeout(NOT_TOO_SOON);
  return prompt;
}

async function ended(page, state, name) {
  const text = page.locator("#view h1");
  await appears(`${name}: it says how it ended`, shown(page, "result"));
  await look(page, state);
  check(`${name}: the title has the focus`, await text.evaluate((title) => title === document.activeElement));
  await press(page, "home");
  await appears(`${name}: then home`, shown(page, "home"));
}

const stories = {
  async "pairing by typing"() {
    const { context, page } = await newPhone();
    await page.goto(`${world.base}/app`);
    await appears("a phone without a pairing asks for a code", shown(page, "welcome"));
    await look(page, "welcome");
    await page.locator("#code").fill("7K2M");
    await page.keyboard.press("Enter");
    await appears("a short code is refused", page.locator("#code-fault", { hasText: "8 letters" }));
    check("and the field has the focus", await page.locator("#code").evaluate((field) => field === document.activeElement));
    await look(page, "welcome-wrong");
    world.offer("10KMN9XR", ANA);
    await page.locator("#code").fill("iok m-n9xr");
    await page.keyboard.press("Enter");
    await appears("letters that look like digits are digits", page.getByText("10KM N9XR"));
    await look(page, "pair");
    await press(page, "pair");
    await appears("it is paired", shown(page, "paired"));
    check("the account is shown", (await page.innerText("#view")).includes(ANA.account));
    await look(page, "paired");
    check("the code is not in the address", page.url() === `${world.base}/app`, page.url());

    const exported = await page.evaluate(async () => {
      const opening = indexedDB.open("countersign");
      await new Promise((resolve) => (opening.onsuccess = resolve));
      const all = opening.result.transaction("pairings").objectStore("pairings").getAll();
      await new Promise((resolve) => (all.onsuccess = resolve));
      const [{ privateKey }] = all.result;
      const tries = ["pkcs8", "jwk", "raw"].map((form) => crypto.subtle.exportKey(form, privateKey).then(() => form, () => ""));
      return { extractable: privateKey.extractable, forms: (await Promise.all(tries)).join("") };
    });
    check("the key cannot be exported", exported.extractable === false && exported.forms === "", JSON.stringify(exported));

    // A used code, and a code that there never was.
    await page.goto(`${world.base}/app#ZZZZZZZZ`);
    await appears("an unknown code is asked about like any other", shown(page, "pair"));
    await press(page, "pair");
    await appears("and refused", page.locator("[data-fault]", { hasText: "does not work" }));
    await look(page, "pair-unknown");
    await press(page, "cancel");
    await appears("home has the account", shown(page, "home"));
    await context.close();
  },

  async "a pairing whose answer is lost"() {
    const { context, page } = await newPhone();
    world.offer("7K2M9QXV", ANA);
    await page.goto(`${world.base}/app#7K2M9QXV`);
    world.losing = { action: "pair", reply: [503, { error: "busy" }] };
    await press(page, "pair");
    await appears("it says that it may not have arrived", page.locator("[data-fault]:not(:empty)"));
    await look(page, "pair-not-sent");
    world.losing = null;
    check("the server has paired the phone", Boolean(world.phone(ANA.account)));
    // The app is closed and opened from the camera again, too.
    await page.goto("about:blank");
    await page.goto(`${world.base}/app#7K2M9QXV`);
    await press(page, "pair");
    await appears("the same key asks again, and is paired", shown(page, "paired"));
    check("the key was the same", new Set(world.posts.filter((post) => post.body.code === "7K2M9QXV").map((post) => post.body.public_key)).size === 1);
    await press(page, "home");
    await appears("it is connected", status(page, "ready"));
    await context.close();
  },

  async "requests and answers"() {
    const { context, page } = await newPhone();
    const phone = await pairByLink(page, "7K2M9QXR", ANA);
    await appears("the app is connected", status(page, "ready"));
    await look(page, "home");

    await asked(page, phone);
    await look(page, "request");
    const facts = await page.innerText("#view");
    check("it says who, where and from where", ["ana@example.com", "Northfield VPN", "203.0.113.24"].every((fact) => facts.includes(fact)));
    check("the title says that one waits", (await page.title()).startsWith("(1) "), await page.title());
    check("a screen reader is interrupted", (await page.textContent("#alarmed")).includes("Northfield VPN"));
    await page.locator("[type=submit]").click();
    await ended(page, "accepted", "accept");
    check("the answer was signed rightly", last("answer").decision === "accept" && !world.faults.length, world.faults.join());

    await asked(page, phone);
    await press(page, "deny");
    await appears("a denial asks why", shown(page, "deny"));
    await look(page, "deny");
    await press(page, "mind");
    await ended(page, "denied", "deny");
    check("a denial is one", last("answer").decision === "deny");

    await asked(page, phone);
    await press(page, "deny");
    await press(page, "report");
    await ended(page, "reported", "report");
    check("a report is one", last("answer").decision === "report");

    // A press that was meant for something else.
    world.prompt(phone);
    await shown(page, "request").waitFor();
    await page.locator("[type=submit]").click();
    await page.waitForTimeout(NOT_TOO_SOON);
    check("a press in the first moment does nothing", await shown(page, "request").isVisible());
    await press(page, "home");
    await appears("what waits is listed", page.locator(".choice.urgent"));
    await look(page, "home-waiting");
    await page.locator(".choice.urgent").focus();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(NOT_TOO_SOON);
    phone.locked = true;
    await page.locator("[type=submit]").focus();
    await page.keyboard.press("Enter");
    await ended(page, "locked", "a locked device");
    phone.locked = false;
    const [{ prompt }] = world.prompts.values();
    await page.locator(".choice.urgent").click();
    world.withdraw(prompt.id);
    await ended(page, "over", "a request that is withdrawn");

    const answered = last("answer");
    const replayed = await fetch(`${world.base}/app/answer`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(answered),
    });
    check("an answer that is replayed changes nothing", (await replayed.json()).state === "over");

    await asked(page, phone, { client: undefined, from: undefined, account: "a-very-long-address-without-any-place-to-break-it@subdomain.university.example.org" });
    await inspect(page, pictures, "app-request-unnamed-phone");
    await page.locator("[type=submit]").click();
    await press(page, "home");
    await asked(page, phone, { client: "بوابة المستشفى <b>Klinik</b> \u202Egpj.exe", seconds: 18 });
    await look(page, "request-names");
    check("names are text", (await page.locator("#view b").count()) === 0 && !(await page.textContent("#view")).includes("\u202E"));
    await page.waitForTimeout(16_000);
    await appears("a request ends by its clock", shown(page, "result"));
    await press(page, "home");
    await press(page, "history");
    await appears("the history has them", page.locator(".rows li").nth(5));
    await look(page, "history");
    await press(page, "clear");
    await appears("and is empty once it is cleared", page.locator(".empty"));
    await inspect(page, pictures, "app-history-empty-phone");
    await page.goBack();
    await appears("the browser's way back leads home", shown(page, "home"));
    check("the server has no complaint", world.faults.length === 0, world.faults.join());
    await context.close();
  },

  async "a number to type"() {
    const { context, page } = await newPhone();
    const phone = await pairByLink(page, "7K2M9QXS", ANA);
    await status(page, "ready").waitFor();
    await asked(page, phone, { number: "42", older: ["17"] });
    const submit = page.locator("[type=submit]");
    const field = page.locator("#digits");
    check("without the number nothing can be accepted", await submit.isDisabled());
    await look(page, "number");
    await field.fill("4a2b9");
    check("only so many digits are taken", (await field.inputValue()) === "42", await field.inputValue());
    check("then it can be accepted", await submit.isEnabled());
    await field.fill("17");
    await submit.click();
    await appears("an older number is said to be one", page.locator("#digits-fault", { hasText: "earlier screen" }));
    await look(page, "number-older");
    await field.fill("42");
    await page.keyboard.press("Enter");
    await ended(page, "accepted", "the right number");
    check("the digits were signed", last("answer").digits === "42" && !world.faults.length, world.faults.join());
    await asked(page, phone, { number: "314159" });
    await field.fill("271828");
    await submit.click();
    await ended(page, "wrong_number", "a wrong number");
    await context.close();
  },

  async "two pairings"() {
    const { context, page } = await newPhone();
    const ana = await pairByLink(page, "7K2M9QXT", ANA);
    const ben = await pairByLink(page, "7K2M9QXV", BEN);
    await status(page, "ready").waitFor();
    await page.waitForTimeout(500);
    check("one stream carries both", world.listening() === 1 && last("events").phones.length === 2, `${world.listening()}`);
    await asked(page, ben, { client: "Ward terminal" });
    world.prompt(ana);
    await press(page, "home");
    await appears("two wait, the newest first", page.locator(".choice.urgent").nth(1));
    check("in order", (await page.locator(".choice.urgent").first().innerText()).includes("Northfield VPN"));
    await look(page, "home-two");
    await page.locator(".choice.urgent").last().click();
    await page.waitForTimeout(NOT_TOO_SOON);
    check("the device is named", (await page.innerText("#view")).includes("Work phone"));
    await page.locator("[type=submit]").click();
    await appears("what else waits is offered", page.locator('[data-do="next"]'));
    await inspect(page, pictures, "app-accepted-next-phone");
    await press(page, "next");
    await appears("and opened", page.locator("#view", { hasText: "ana@example.com" }));
    await press(page, "home");

    world.revoke(ben);
    await appears("an account that is removed says so", page.getByText("Removed"));
    await look(page, "home-removed");
    await page.locator(".choice", { hasText: "ben@example.org" }).click();
    await look(page, "account-removed");
    await press(page, "remove");
    await look(page, "remove");
    await press(page, "yes");
    await appears("and can be removed", shown(page, "home"));
    check("the other stays", (await page.locator(".choice", { hasText: "@" }).count()) >= 1 && !(await page.innerText("#view")).includes("ben@"));

    await page.locator('[data-list="pairings"] .choice').click();
    await look(page, "account");
    await press(page, "remove");
    await press(page, "yes");
    await appears("without an account the app begins anew", shown(page, "welcome"));
    check("its subscription was ended", last("subscription").subscription === null && ana.subscription === null);
    await context.close();
  },

  async "without a connection"() {
    const { context, page } = await newPhone();
    const phone = await pairByLink(page, "7K2M9QXW", ANA);
    await status(page, "ready").waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await status(page, "ready").waitFor();
    offline = true;
    page.removeAllListeners("console");
    await context.setOffline(true);
    await appears("without a connection the app says so", status(page, "offline"));
    await look(page, "offline");
    await page.reload();
    await appears("it opens without one", shown(page, "home"));
    await context.setOffline(false);
    offline = false;
    await appears("and connects again by itself", status(page, "ready"));
    await asked(page, phone);
    world.failing = { action: "answer", reply: [503, { error: "busy" }] };
    await page.locator("[type=submit]").click();
    await appears("an answer that did not arrive says so", page.locator("[data-fault]", { hasText: "not sent" }));
    await look(page, "request-not-sent");
    world.failing = { action: "answer", reply: [429, { error: "limited" }, { "Retry-After": "30" }] };
    await page.locator("[type=submit]").click();
    await appears("and one too many does, too", page.locator("[data-fault]", { hasText: "0:30" }));
    world.failing = null;
    await page.locator("[type=submit]").click();
    await appears("trying again works", shown(page, "result"));
    await press(page, "home");

    world.streams = false;
    world.cut();
    await appears("without a stream the app asks, and says so", status(page, "polling"));
    await look(page, "polling");
    await asked(page, phone);
    await page.locator("[type=submit]").click();
    await appears("a request is found by asking", shown(page, "result"));
    world.streams = true;
    await press(page, "home");

    world.ahead = 7 * 60_000;
    await page.reload();
    await appears("a wrong clock is corrected", status(page, "ready"));
    await asked(page, phone);
    const time = await page.innerText(".countdown");
    check("the time left is that of the server", /^(2:00|1:5\d)/.test(time), time);
    await page.locator("[type=submit]").click();
    await appears("and answers are taken", shown(page, "result"));
    world.ahead = 0;

    phone.active = false;
    await page.reload();
    await appears("what was revoked meanwhile is found at the start", page.getByText("Removed"));
    phone.active = true;
    await page.reload();
    await appears("and what is enabled again, too", status(page, "ready"));
    check("it is not marked any more", (await page.getByText("Removed").count()) === 0);
    await context.close();
  },

  ...notificationStories({ ANA, BEN, NOT_TOO_SOON, last, look, newPhone, pairByLink, press, shown, world }),

  async "a browser that keeps nothing"() {
    const { context, page } = await newPhone();
    await page.addInitScript(() => Object.defineProperty(window, "indexedDB", { get: () => { throw new Error("private"); } }));
    await page.goto(`${world.base}/app`);
    await appears("it says that it cannot be used", page.getByText("This browser cannot be used"));
    await inspect(page, pictures, "app-broken-phone");
    await context.close();
    const plain = await newPhone({ javaScriptEnabled: false });
    await plain.page.goto(`${world.base}/app`);
    await appears("without scripts it says so", plain.page.locator("noscript"));
    check("and shows nothing that waits", !(await plain.page.locator(".sign").isVisible()));
    await plain.context.close();
  },

  async "five languages"() {
    for (const language of LANGUAGES) {
      world.language = language;
      const { context, page } = await newPhone({ viewport: SIZES.narrow });
      const view = (name) => inspect(page, pictures, `app-${language}-${name}-narrow`);
      await page.goto(`${world.base}/app`);
      await shown(page, "welcome").waitFor();
      await view("welcome");
      world.offer("7K2M9QXZ", ANA);
      await page.goto(`${world.base}/app#7K2M9QXZ`);
      await shown(page, "pair").waitFor();
      await view("pair");
      await press(page, "pair");
      await shown(page, "paired").waitFor();
      await view("paired");
      await press(page, "home");
      await status(page, "ready").waitFor();
      await view("home");
      const phone = world.phone(ANA.account);
      await asked(page, phone, { number: "42" });
      await view("number");
      check(`${language}: the page has its language`, (await page.getAttribute("html", "lang")) === language);
      await press(page, "deny");
      await view("deny");
      await press(page, "report");
      await shown(page, "result").waitFor();
      await view("reported");
      await press(page, "home");
      await page.evaluate("document.documentElement.style.fontSize = '200%'");
      await asked(page, phone, { number: "314159" });
      await view("number-large");
      await page.evaluate("document.documentElement.dir = 'rtl'");
      await view("number-rtl");
      await press(page, "home");
      await page.evaluate("document.documentElement.style.fontSize = ''");
      await view("home-rtl");
      await context.close();
    }
    world.language = "en";
  },
};

const wanted = process.env.STORY;
try {
  for (const [name, story] of Object.entries(stories)) {
    if (wanted && !name.includes(wanted)) continue;
    console.log(`---- ${name}`);
    for (const phone of world.phones.values()) phone.active = false;
    world.prompts.clear();
    try {
      await story();
    } catch (error) {
      check(`${name}: the story reaches its end`, false, String(error).split("\n").slice(0, 3).join(" "));
    }
    const faults = world.faults.splice(0);
    check(`${name}: the server has no complaint`, faults.length === 0, faults.join());
  }
} finally {
  await browser.close();
  world.close();
}

said();
