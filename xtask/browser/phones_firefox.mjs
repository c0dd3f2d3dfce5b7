// The stories of `phones.mjs` in Firefox, with push messages that it decrypts itself.
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "./checks.mjs";
import { fox } from "./fox.mjs";

/** After which a press on a new request counts. */
const NOT_TOO_SOON = 600;
/** Most steps and seconds from an invitation to the first approved log-in. */
const STEPS = 7;
const SOON = 60;

export async function firefoxStories({ SIZES, check, look, secrets, service, work, world }) {
  const browser = await fox(world);
  const app = `${work.base}/app`;
  const see = (page, name) => look(page, `firefox-${name}`);
  const appears = async (what, page, css, text) => check(what, await page.shown(css, text), text);
  const shown = (name) => `main[data-shown="${name}"]`;
  const button = (action) => `#view [data-do="${action}"]`;

  // What each page asks, and how it is answered.
  const unexpected = [];
  /** What the app was answered when it asked what waits. */
  const told = [];
  /** How often the app has said where prompts are to be pushed. */
  let subscribed = 0;
  let isExpected = () => false;
  browser.listeners.add(({ method, params }) => {
    if (method === "network.beforeRequestSent") {
      const { url } = params.request;
      if (/^https?:/.test(url) && !url.startsWith(work.base)) unexpected.push(`a request to ${url}`);
    }
    if (method === "network.responseCompleted" && params.request.url === `${app}/subscription` && params.response.status === 200) subscribed += 1;
    if (method === "network.responseCompleted" && params.request.url === `${app}/requests`) told.push(params);
    if (method === "network.responseCompleted" && params.response.status >= 400 && !isExpected(params.response)) {
      unexpected.push(`${params.response.status} for ${params.response.url}`);
    }
    if (method === "log.entryAdded" && ["error", "warn"].includes(params.level) && !isExpected(params)) unexpected.push(params.text);
  });
  function quiet(name) {
    const found = unexpected.splice(0);
    check(`${name}: nothing is refused, nobody else is asked, the console is quiet`, found.length === 0, found.join("; "));
  }

  /** Waits until the app has said so often where prompts are to be pushed, and says no more: the worker may still be at it. */
  async function settled(times) {
    await eventually(() => subscribed >= times);
    for (let before = -1; before !== subscribed; ) {
      before = subscribed;
      await pause(1_000);
    }
  }

  async function newPage() {
    const page = await browser.newPage();
    await page.setViewportSize(SIZES.phone);
    return page;
  }

  async function opened() {
    const page = await newPage();
    await page.goto(app);
    return page;
  }

  /** What the browser shows outside of pages. */
  const notifications = (page) =>
    page.evaluate("navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) => all.map(({ title, body, tag, lang }) => ({ title, body, tag, lang })))");

  /** Presses on what is shown outside of pages, as it is on the screen. */
  const pressNotifications = () =>
    browser.inside(`[...Services.wm.getEnumerator("alert:alert")]
      .filter(({ document }) => document.readyState === "complete")
      .forEach(({ document }) => document.getElementById("alertBox")?.click())`);

  /** From the link to a paired phone. Gives the pages of the invitation and of the app. */
  async function enrol(user, { withPictures = false } = {}) {
    const picture = withPictures ? see : async () => {};
    const { body } = await work.invite(user);
    const page = await newPage();
    await page.goto(body.url);
    await appears(`${user.username}: the link says whose it is`, page, "main", user.email);
    await picture(page, "invitation");
    await page.press("button[value=push]");
    await appears(`${user.username}: the page waits for the phone`, page, "main", "Waiting for your phone");
    await picture(page, "invitation-phone");
    const phone = await browser.pageOpenedBy(() => page.press("main .buttons a.button.primary"));
    await phone.setViewportSize(SIZES.phone);
    await appears(`${user.username}: the app asks before it pairs`, phone, shown("pair"));
    await picture(phone, "pair");
    await phone.press(button("pair"));
    await appears(`${user.username}: paired`, phone, shown("paired"), user.email);
    return { page, phone, pictured: picture };
  }

  async function answered(name, phone, caller, expected, state) {
    await appears(`${name}: the app says how it ended`, phone, shown("result"));
    const found = await caller.answered;
    check(`${name}: the waiting caller hears it`, expected(found), found);
    if (state) await see(phone, state);
    await phone.press(button("home"));
  }
  const accepted = (found) => found === "accepted";
  const rejected = (found) => /rejected|denied|refused|401|400|403/i.test(found);

  async function accept(phone) {
    await phone.shown(shown("request"));
    await pause(NOT_TOO_SOON);
    await phone.press("#view [type=submit]");
  }

  const ana = await work.hire("ana.lindqvist", { phone: "+4915112345601", firstname: "Ana", lastname: "Lindqvist" });
  const ben = await work.hire("ben.okafor", { phone: "+4915112345602", firstname: "Ben", lastname: "Okafor" });
  for (const { username, email, firstname, lastname, phone: number } of [ana, ben]) secrets.push(username, email, firstname, lastname, number);
  let device;
  let phone;

  /** Each story has the app open, even if the one before it has broken off. */
  const withApp = (story) => async () => {
    const isThere = phone && (await phone.evaluate("document.body.innerText.length").catch(() => 0)) > 0;
    if (phone && !isThere) phone = await opened();
    await story();
  };

  const stories = {
    async "firefox: from an invitation to a log-in"() {
      const began = performance.now();
      const pressed = browser.presses();
      const enrolled = await enrol(ana);
      phone = enrolled.phone;
      await appears("notifications are offered", phone, button("notify"));
      await phone.press(button("notify"));
      await appears("and are on", phone, button("silence"));
      await service.until("a subscription", () => service.newest());
      await phone.press(button("home"));
      device = await work.deviceOf(ana, "OneLogin");
      const caller = await work.byLogin(ana);
      await accept(phone);
      await appears("the log-in is accepted", phone, shown("result"));
      const found = await caller.answered;
      const seconds = (performance.now() - began) / 1000;
      check("the log-in goes on", accepted(found), found);
      // The first step opens the link.
      const steps = 1 + browser.presses() - pressed;
      console.log(`From an invitation to a first approved log-in: ${steps} steps, ${seconds.toFixed(1)} seconds`);
      check("and it was soon", steps <= STEPS && seconds < SOON, `${steps} steps, ${seconds} s`);
      await see(phone, "accepted");
      await phone.press(button("home"));
      await enrolled.page.front();
      await appears("the page that waited says so", enrolled.page, "main", "You are set up");
      await see(enrolled.page, "invitation-done");
      await enrolled.page.close();
      quiet("log-in");
      const sent = await service.post(0);
      check("the push was taken by the worker", (await service.ack(sent)) === 100);
    },

    async "firefox: a push while the app is closed"() {
      await phone.close();
      const before = service.posts.length;
      const caller = await work.byVersion1(ana, device);
      const sent = await service.post(before);
      check("the push arrives without a page", (await service.ack(sent)) === 100);
      phone = await browser.pageOpenedBy(pressNotifications, { again: true });
      await phone.setViewportSize(SIZES.phone);
      await appears("a press on it opens the app on the request", phone, shown("request"), "Northfield VPN");
      check("at the address of the app", (await phone.evaluate("location.href")) === app);
      const text = await phone.text();
      check("it says who, from where, and when", ["Northfield VPN", "203.0.113.24"].every((fact) => text.includes(fact)), text);
      await see(phone, "request");
      await accept(phone);
      await answered("v1", phone, caller, accepted);

      await phone.close();
      const next = await work.byVersion2(ana, device);
      const second = await service.post(before + 1);
      check("the next one, too", (await service.ack(second)) === 100);
      const aside = await newPage();
      await aside.goto(`${work.base}/app/manifest.webmanifest`);
      await aside.close();
      phone = await opened();
      const [one, ...others] = await notifications(phone);
      check("one notification is shown", Boolean(one) && others.length === 0, JSON.stringify([one, ...others]));
      check("it is for this prompt, and neutral", one?.tag === next.id && !secrets.some((secret) => JSON.stringify(one).includes(secret)), JSON.stringify(one));
      await accept(phone);
      await answered("v2", phone, next, accepted);
      const left = await eventually(() => notifications(phone), (all) => all.length === 0);
      check("its notification goes with it", left.length === 0, JSON.stringify(left));
      quiet("a push while the app is closed");
    },

    async "firefox: deny and report"() {
      const deny = await work.byVersion2(ana, device);
      await phone.shown(shown("request"));
      await pause(NOT_TOO_SOON);
      await phone.press(button("deny"));
      await appears("a denial asks why", phone, shown("deny"));
      await see(phone, "deny");
      await phone.press(button("mind"));
      await answered("deny", phone, deny, rejected, "denied");
      quiet("deny");
    },

    async "firefox: a second account, number matching"() {
      const enrolled = await enrol(ben, { withPictures: true });
      await enrolled.page.close();
      await phone.close();
      phone = enrolled.phone;
      await see(phone, "paired");
      await phone.press(button("home"));
      await see(phone, "home-two");
      const second = await work.deviceOf(ben, "OneLogin");

      const [before, asked] = [service.posts.length, told.length];
      const right = await work.byVersion2(ben, second, { matching: true });
      check("the caller shows two digits", /^\d\d$/.test(right.number), right.number);
      await appears("the app asks for the number", phone, "#digits");
      await service.post(before);
      // A push makes the open app ask, too.
      await appears("the phone has heard of it", phone, "#digits");
      await eventually(() => told.length > asked);
      const heard = await Promise.all(told.slice(asked).map((answer) => browser.bodyOf(answer)));
      const facts = heard.flatMap((text) => JSON.parse(text).requests);
      const known = ["id", "nonce", "purpose", "account", "device_name", "client", "from", "caller", "asked_at", "expires_at", "digits"];
      check("it has asked what waits", facts.length > 0, `${heard.length}`);
      check("what the phone has heard has no number", facts.every((one) => Object.keys(one).every((name) => known.includes(name)) && one.digits === 2), JSON.stringify(facts));
      check("nor is a value the number", facts.every((one) => !Object.values(one).map(String).includes(right.number)), JSON.stringify(facts));
      await see(phone, "number");
      check("without it nothing can be accepted", await phone.evaluate("document.querySelector('#view [type=submit]').disabled"));
      await pause(NOT_TOO_SOON);
      await phone.type("#digits", right.number);
      await phone.press("#view [type=submit]");
      await answered("the right number", phone, right, accepted);

      const wrong = await work.byVersion2(ben, second, { matching: true });
      await phone.shown("#digits");
      await pause(NOT_TOO_SOON);
      await phone.type("#digits", String((Number(wrong.number) + 1) % 100).padStart(2, "0"));
      await phone.press("#view [type=submit]");
      await answered("a wrong number", phone, wrong, rejected, "wrong-number");

      const reported = await work.byVersion2(ben, second);
      await phone.shown(shown("request"));
      await pause(NOT_TOO_SOON);
      await phone.press(button("deny"));
      await phone.press(button("report"));
      await answered("report", phone, reported, rejected, "reported");
      const again = await work.plain.call("POST", `${work.mfa(ben)}/verifications`, { device_id: second });
      check("after a report no prompt is sent", again.status === 429, `${again.status}`);
      quiet("number matching");
    },

    async "firefox: the push service is down"() {
      service.failing = "down";
      service.cut();
      const before = service.posts.length;
      const caller = await work.byVersion2(ana, device);
      await accept(phone);
      await answered("without a push", phone, caller, accepted);
      await service.until("a post", () => service.posts.length > before);
      check("it was tried", service.posts.at(-1).answered === "down");
      service.failing = null;
      quiet("the push service is down");
    },

    async "firefox: subscriptions end"() {
      // The service says that it is over, the browser knows nothing of it.
      service.failing = 410;
      let before = service.posts.length;
      let caller = await work.byVersion2(ana, device);
      await service.post(before);
      await accept(phone);
      await answered("with a dead subscription", phone, caller, accepted);
      service.failing = null;
      before = service.posts.length;
      caller = await work.byVersion2(ana, device);
      await phone.shown(shown("request"));
      await pause(500);
      check("a subscription that is over is not used again", service.posts.length === before, `${service.posts.length - before}`);
      await accept(phone);
      await answered("without a subscription", phone, caller, accepted);

      await phone.close();
      let times = subscribed;
      phone = await opened();
      await phone.shown(shown("home"));
      await settled(times + 2);
      caller = await work.byVersion2(ana, device);
      check("the next start subscribes anew", (await service.ack(await service.post(before))) === 100);
      await accept(phone);
      await answered("after the next start", phone, caller, accepted);

      // The service has lost the browser, which hears of it when it connects again.
      const old = service.newest();
      await phone.close();
      service.forget();
      await service.until("Firefox is back", () => service.heard.filter(({ messageType }) => messageType === "hello").length > 1, 20_000);
      const fresh = await service.until("a new subscription", () => service.newest());
      check("the worker makes anew what the service has lost, while the app is closed", fresh !== old, fresh);
      times = subscribed;
      phone = await opened();
      await settled(times + 2);
      before = service.posts.length;
      caller = await work.byVersion2(ana, device);
      const sent = await service.post(before);
      check("and the server knows it", service.origin + sent.path === service.newest(), sent.path);
      check("and the worker takes its pushes", (await service.ack(sent)) === 100);
      await accept(phone);
      await answered("with the new subscription", phone, caller, accepted);
      quiet("subscriptions");
    },

    async "firefox: the device is deleted"() {
      isExpected = ({ url = "", text = "" }) => /\/app\/(events|requests|subscription)$/.test(url) || /403|Forbidden/.test(text);
      await work.plain.must("DELETE", `${work.mfa(ana)}/devices/${device}`);
      await appears("the open app says so", phone, "#view", "Removed");
      await see(phone, "home-removed");
      await phone.close();
      phone = await opened();
      await appears("and the next start, too", phone, "#view", "Removed");
      await phone.press("[data-list=pairings] .choice");
      await see(phone, "account-removed");
      const { status } = await work.plain.call("POST", `${work.mfa(ana)}/verifications`, { device_id: device });
      check("nothing can be asked of it", status >= 400, `${status}`);
      quiet("the device is deleted");
    },
  };
  const begun = Object.entries(stories).map(([name, story]) => [name, withApp(story)]);
  return { stories: Object.fromEntries(begun), close: () => browser.close() };
}
