// Firefox on a screen of its own, driven by WebDriver BiDi. A page has what `checks.mjs` asks of one.
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import WebSocket from "ws";

/** How long anything may take, in milliseconds. */
const PATIENCE = 30_000;

const PREFERENCES = (pushPort) => ({
  "dom.push.serverURL": `ws://127.0.0.1:${pushPort}/`,
  "dom.push.testing.allowInsecureServerURL": true,
  "dom.push.connection.enabled": true,
  "dom.push.retryBaseInterval": 200,
  "dom.push.maxRecentMessageIDsPerSubscription": 0,
  "permissions.default.desktop-notification": 1,
  // It asks nobody but our server and the push service.
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "http://127.0.0.1:9/",
  "toolkit.telemetry.server": "",
  // A worker may open a page for as long after a press. On a busy machine it takes longer to start.
  "dom.webnotifications.disable_open_click_delay": 30_000,
  // Notifications are windows of Firefox: there is nothing on this screen that could show others.
  "alerts.useSystemBackend": false,
  "intl.accept_languages": "en",
});

function timely(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function screen(program) {
  const server = spawn(program, ["-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = await timely("a screen", new Promise((resolve) => server.stdio[3].once("data", (text) => resolve(String(text).trim()))));
  return { server, display: `:${number}` };
}

export async function fox({ firefox, display: program, profile, push_port: pushPort }) {
  await mkdir(profile, { recursive: true });
  const lines = Object.entries(PREFERENCES(pushPort)).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  await writeFile(`${profile}/user.js`, lines.join(""));
  const { server, display } = await screen(program);
  const browser = spawn(firefox, ["--remote-debugging-port=0", "--remote-allow-system-access", "--no-remote", "--profile", profile, "about:blank"], {
    env: { ...process.env, DISPLAY: display, HOME: profile, MOZ_CRASHREPORTER_DISABLE: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const killed = () => {
    browser.kill("SIGKILL");
    server.kill("SIGKILL");
  };
  process.once("exit", killed);
  const address = await timely(
    "Firefox",
    new Promise((resolve) => {
      let said = "";
      browser.stderr.on("data", (text) => {
        said += text;
        const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
        if (found) resolve(found);
      });
    }),
  );
  const socket = new WebSocket(`${address}/session`);
  await timely("a session", new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject)));

  let last = 0;
  const asked = new Map();
  const listeners = new Set();
  socket.on("message", (text) => {
    const said = JSON.parse(text);
    const waits = asked.get(said.id);
    if (!waits) return listeners.forEach((hear) => hear(said));
    asked.delete(said.id);
    return said.type === "success" ? waits.resolve(said.result) : waits.reject(new Error(`${waits.method}: ${said.error}: ${said.message}`));
  });
  const send = (method, params = {}) => {
    last += 1;
    const id = last;
    const answered = new Promise((resolve, reject) => asked.set(id, { method, resolve, reject }));
    socket.send(JSON.stringify({ id, method, params }));
    return timely(method, answered);
  };

  await send("session.new", { capabilities: {} });
  await send("session.subscribe", {
    events: ["log.entryAdded", "network.beforeRequestSent", "network.responseCompleted"],
  });

  // What pages are answered can be read afterwards.
  await send("network.addDataCollector", { dataTypes: ["response"], maxEncodedDataSize: 1_000_000 });

  /** Runs in a page, or in Firefox itself. Gives what can be written as JSON. */
  async function evaluate(context, script) {
    const expression = `(async () => JSON.stringify(await (${script})))()`;
    const { type, result, exceptionDetails } = await send("script.evaluate", {
      expression,
      target: { context },
      awaitPromise: true,
      userActivation: false,
    });
    if (type !== "success") throw new Error(exceptionDetails.text);
    return result.type === "string" ? JSON.parse(result.value) : undefined;
  }

  const { contexts: chrome } = await send("browsingContext.getTree", { "moz:scope": "chrome", maxDepth: 0 });
  /** Runs in Firefox itself. */
  const inside = (script) => evaluate(chrome[0].context, script);

  let presses = 0;
  function pageOf(context) {
    async function pressed(css) {
      await evaluate(context, `document.querySelector(${JSON.stringify(css)}).scrollIntoView({ block: "center", behavior: "instant" })`);
      const [element] = await page.nodes(css);
      if (!element) throw new Error(`nothing to press: ${css}`);
      const origin = { type: "element", element: { sharedId: element.sharedId } };
      const actions = [
        { type: "pointerMove", x: 0, y: 0, origin },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ];
      await send("input.performActions", { context, actions: [{ type: "pointer", id: "finger", actions }] });
      presses += 1;
    }

    const page = {
      context,
      /** A script that gives a value, as text. */
      evaluate: (script) => evaluate(context, script),
      goto: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
      reload: () => send("browsingContext.reload", { context, wait: "complete" }),
      close: () => send("browsingContext.close", { context }),
      front: () => send("browsingContext.activate", { context }),
      setViewportSize: (viewport) => send("browsingContext.setViewport", { context, viewport }),
      emulateMedia: ({ colorScheme }) =>
        inside(`Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", ${colorScheme === "dark" ? 0 : 1})`),
      async screenshot({ path }) {
        const { data } = await send("browsingContext.captureScreenshot", { context, origin: "document" });
        await writeFile(path, Buffer.from(data, "base64"));
      },
      async nodes(css) {
        const { nodes } = await send("browsingContext.locateNodes", { context, locator: { type: "css", value: css } });
        return nodes;
      },
      text: (css = "#view, main") => evaluate(context, `document.querySelector(${JSON.stringify(css)})?.innerText ?? ""`),
      /** Waits until this is to be seen. */
      async shown(css, text = "") {
        const until = Date.now() + PATIENCE;
        const script = `[...document.querySelectorAll(${JSON.stringify(css)})].some((one) => one.checkVisibility() && one.innerText.includes(${JSON.stringify(text)}))`;
        while (Date.now() < until) {
          if (await evaluate(context, script).catch(() => false)) return true;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return false;
      },
      /** A press as a finger or a mouse makes one, which counts as the person's own. */
      async press(css) {
        await page.shown(css);
        // What is pressed may be drawn anew in this moment.
        for (let tries = 1; ; tries += 1) {
          try {
            return await pressed(css);
          } catch (error) {
            if (tries === 5) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      },
      async type(css, text) {
        await page.press(css);
        const actions = [...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
        await send("input.performActions", { context, actions: [{ type: "key", id: "keys", actions }] });
      },
    };
    return page;
  }

  const pages = async () => (await send("browsingContext.getTree", { maxDepth: 0 })).contexts;

  return {
    send,
    inside,
    listeners,
    /** How often something was pressed in pages. */
    presses: () => presses,
    /** The body of what was answered. */
    async bodyOf({ request }) {
      const { bytes } = await send("network.getData", { dataType: "response", request: request.request });
      return bytes.type === "base64" ? Buffer.from(bytes.value, "base64").toString() : bytes.value;
    },
    async newPage() {
      const { context } = await send("browsingContext.create", { type: "tab" });
      return pageOf(context);
    },
    /** The page that `act` opens. With `again` it is done each second: what is pressed may not be ready on a busy machine. */
    async pageOpenedBy(act, { again = false } = {}) {
      const before = new Set((await pages()).map(({ context }) => context));
      const until = Date.now() + PATIENCE;
      for (let tries = 0; Date.now() < until; tries += 1) {
        if (tries === 0 || (again && tries % 20 === 0)) await act();
        const found = (await pages()).find(({ context, url }) => !before.has(context) && url !== "about:blank");
        if (found) return pageOf(found.context);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("no page was opened");
    },
    async close() {
      process.off("exit", killed);
      await send("browser.close").catch(() => {});
      socket.close();
      await Promise.race([new Promise((resolve) => browser.once("exit", resolve)), new Promise((resolve) => setTimeout(resolve, 5_000))]);
      killed();
    },
  };
}
