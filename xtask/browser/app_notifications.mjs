// The stories of `app.mjs` that are about notifications, and about iPhones, where they need the home screen.
import { createECDH, randomBytes } from "node:crypto";
import { appears, check } from "./checks.mjs";

export const notificationStories = ({ ANA, BEN, NOT_TOO_SOON, last, look, newPhone, pairByLink, press, shown, world }) => ({
  async "notifications"() {
    const { context, page } = await newPhone();
    await context.grantPermissions(["notifications"], { origin: world.base });
    const pair = createECDH("prime256v1");
    pair.generateKeys();
    const keys = { p256dh: pair.getPublicKey().toString("base64url"), auth: randomBytes(16).toString("base64url") };
    // There is no push service here: the browser's half is made up, the app's half is real.
    await page.addInitScript((keys) => {
      let current = null;
      PushManager.prototype.getSubscription = async () => current;
      PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
        if (!userVisibleOnly || typeof applicationServerKey !== "string") throw new Error("not as this server asks");
        const bytes = Uint8Array.from(atob(applicationServerKey.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
        current = {
          options: { applicationServerKey: bytes.buffer },
          toJSON: () => ({ endpoint: "https://push.example.net/x", keys }),
          unsubscribe: async () => { current = null; return true; },
        };
        return current;
      };
    }, keys);
    const phone = await pairByLink(page, "7K2M9QXX", ANA);
    await appears("notifications are offered", page.locator('[data-do="notify"]'));
    await press(page, "notify");
    await appears("and are on", page.locator('[data-do="silence"]'));
    check("the server knows where", phone.subscription?.endpoint === "https://push.example.net/x" && !world.faults.length, world.faults.join());
    await look(page, "notify-on");
    phone.subscription = null;
    await page.reload();
    await page.locator('[data-do="silence"]').waitFor();
    await page.waitForTimeout(500);
    check("the app subscribes at each start", phone.subscription?.endpoint === "https://push.example.net/x");
    await page.goto(`${world.base}/app#7K2M9QXY`);
    world.offer("7K2M9QXY", BEN);
    await press(page, "pair");
    await shown(page, "paired").waitFor();
    check("a new pairing has the subscription from its beginning", last("pair").subscription?.auth === keys.auth);
    await press(page, "home");

    // A push, as the browser hands it to the worker.
    const session = await context.newCDPSession(page);
    let registration;
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      registration = registrations.find(({ scopeURL }) => scopeURL.endsWith("/app")) ?? registration;
    });
    await session.send("ServiceWorker.enable");
    await page.waitForTimeout(300);
    const deliver = (message) =>
      session.send("ServiceWorker.deliverPushMessage", { origin: world.base, registrationId: registration.registrationId, data: JSON.stringify(message) });
    const notifications = () =>
      page.evaluate(async () => {
        const { getNotifications } = ServiceWorkerRegistration.prototype;
        const all = await getNotifications.call(await navigator.serviceWorker.ready);
        return all.map(({ title, tag, lang, requireInteraction }) => ({ title, tag, lang, requireInteraction }));
      });
    const pushed = (id, end) => ({ web_push: 8030, notification: { title: "Melden Sie sich an?", navigate: `${world.base}/app`, lang: "de" }, id, end });
    await deliver(pushed("one", Date.now() + 60_000));
    await page.waitForTimeout(500);
    const [one] = await notifications();
    check("a push is shown", one?.title === "Melden Sie sich an?" && one.tag === "one" && one.requireInteraction, JSON.stringify(one));
    await deliver(pushed("two", Date.now() - 1_000));
    await page.waitForTimeout(500);
    const two = (await notifications()).find(({ tag }) => tag === "two");
    check("one that comes too late says so in its language", two && !two.title.includes("Melden") && two.title !== "A request has ended", JSON.stringify(two));
    const prompt = world.prompt(phone);
    await deliver(pushed(prompt.id, prompt.expires_at));
    await shown(page, "request").waitFor();
    await page.waitForTimeout(NOT_TOO_SOON);
    await page.locator("[type=submit]").click();
    await shown(page, "result").waitFor();
    await page.waitForTimeout(300);
    check("an answered request takes its notification away", !(await notifications()).some(({ tag }) => tag === prompt.id));
    // A press on it.
    await press(page, "home");
    const [worker] = context.serviceWorkers();
    const waits = world.prompt(phone);
    await shown(page, "request").waitFor();
    await press(page, "home");
    await worker.evaluate((id) => {
      const notification = { close() {}, data: { id } };
      const event = new Event("notificationclick");
      Object.assign(event, { notification, waitUntil: (promise) => promise.catch(() => {}) });
      self.dispatchEvent(event);
    }, waits.id);
    await appears("a press on a notification opens the newest request", shown(page, "request"));
    await press(page, "home");
    // The browser ends the subscription, and says so to the worker.
    await worker.evaluate(async (keys) => {
      PushManager.prototype.subscribe = async () => ({ toJSON: () => ({ endpoint: "https://push.example.net/renewed", keys }) });
      const event = new Event("pushsubscriptionchange");
      await new Promise((resolve) => {
        event.waitUntil = (work) => work.finally(resolve);
        self.dispatchEvent(event);
      });
    }, keys);
    check("the worker subscribes anew, and signs it", phone.subscription?.endpoint === "https://push.example.net/renewed", JSON.stringify(phone.subscription));
    await press(page, "silence");
    await appears("notifications can be turned off", page.locator('[data-do="notify"]'));
    check("and the server hears it", phone.subscription === null);
    const kept = await page.evaluate(async () => {
      const names = await caches.keys();
      const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return all.flat().map(({ url }) => new URL(url).pathname);
    });
    check("only the page and its files are cached", kept.length > 5 && kept.every((path) => path === "/app" || path.startsWith("/assets/")), kept.join());
    await context.close();
  },

  async "notifications that cannot be"() {
    const { context, page } = await newPhone();
    await page.addInitScript(() => Object.defineProperty(Notification, "permission", { get: () => "denied" }));
    await pairByLink(page, "7K2M9QX0", ANA);
    await appears("blocked notifications say how to allow them", page.getByText("Notifications are blocked"));
    await look(page, "notify-denied");
    world.kind = "-silent";
    await page.reload();
    await appears("a server without a key offers none", page.getByText("Keep this app open"));
    await look(page, "notify-unsupported");
    world.kind = "";
    await context.close();
  },

  async "an iPhone"() {
    const agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
    const { context, page } = await newPhone({ userAgent: agent });
    await page.goto(`${world.base}/app#7K2M9QXR`);
    await appears("in Safari it is to be put on the home screen first", shown(page, "install"));
    check("the manifest has the code", (await page.getAttribute("#manifest", "href")).endsWith("?pair=7K2M9QXR"));
    const manifest = await (await fetch(world.base + (await page.getAttribute("#manifest", "href")))).json();
    check("and starts with it", manifest.start_url === "/app?pair=7K2M9QXR", manifest.start_url);
    await look(page, "install");
    await press(page, "skip");
    await appears("it works in the browser, too", shown(page, "pair"));
    await context.close();

    const installed = await newPhone({ userAgent: agent });
    await installed.page.addInitScript(() => Object.defineProperty(navigator, "standalone", { value: true }));
    world.offer("7K2M9QXR", ANA);
    await installed.page.goto(`${world.base}${manifest.start_url}`);
    await appears("on the home screen it pairs", shown(installed.page, "pair"));
    await press(installed.page, "pair");
    await shown(installed.page, "paired").waitFor();
    await installed.page.goto(`${world.base}${manifest.start_url}`);
    await appears("the next start does not ask again", shown(installed.page, "home"));
    await installed.context.close();
  },
});
