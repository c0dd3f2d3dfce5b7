// Uses the start page of a dev world as a developer does, in a real Chromium, and says what is wrong with it.
//
//     node start.mjs READY_FILE FOLDER_FOR_SCREENSHOTS CHROMIUM
//
// Every tab is looked at on a phone and on a desk, by day and by night.
import { world } from "./api.mjs";
import { appears, check, inspect, isolated, launched, said } from "./checks.mjs";

const [readyFile, pictures, executablePath] = process.argv.slice(2);
const { ready, call, signedIn } = await world(readyFile);
const TABS = ["start", "outbox", "phone", "authenticator", "clock", "requests"];
const VIEWS = [
  ["phone", { width: 390, height: 844 }],
  ["desk", { width: 1440, height: 900 }],
];

await call("POST", "/dev/reset");
const api = await signedIn(ready.clients[0]);
const [ana, ben] = ready.users;

const browser = await launched(executablePath);
try {
  const context = await browser.newContext({ viewport: VIEWS[1][1], permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  // A refused log-in is a part of the story.
  isolated(page, ready.base_url, (address) => address.endsWith("/api/1/login/auth"));
  const tab = (name) => page.getByRole("tab", { name });
  const panel = (name) => page.locator(`#${name}`);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());

  // ---- tabs ----

  await page.goto(`${ready.base_url}/`);
  await appears("the start page has its tools", tab("Start"));
  check("it begins with the first", (await tab("Start").getAttribute("aria-selected")) === "true");
  await tab("Start").focus();
  for (const name of ["Outbox", "Phone", "Authenticator", "Clock", "Requests", "Start"]) {
    await page.keyboard.press("ArrowRight");
    check(`the arrow goes to ${name}`, (await page.evaluate(() => document.activeElement.id)) === `tab-${name.toLowerCase()}`);
    check(`and shows it`, await panel(name.toLowerCase()).isVisible());
  }
  await page.keyboard.press("End");
  check("End goes to the last", await panel("requests").isVisible());
  await page.keyboard.press("Home");
  check("Home goes to the first", await panel("start").isVisible());
  check("one tab is in the order of the keyboard", (await page.locator('[role="tab"][tabindex="0"], [role="tab"]:not([tabindex])').count()) === 1);
  for (const name of TABS) {
    await page.goto(`${ready.base_url}/#${name}`);
    await appears(`#${name} opens it`, panel(name));
  }

  // ---- start ----

  await page.goto(`${ready.base_url}/#start`);
  await page.getByRole("button", { name: "Copy the first calls" }).click();
  check("the first calls are copied", (await copied()).includes(`ID=${ready.clients[0].client_id}`));
  await page.getByRole("button", { name: "Copy the password" }).first().click();
  check("a password is copied", (await copied()) === ana.password);

  await page.getByRole("button", { name: "Play a whole log-in" }).click();
  if (await appears("a log-in is played to its end", page.locator("#run-end.success"))) {
    const steps = page.locator("#run li");
    check("it enrols push first", (await steps.count()) === 8, `${await steps.count()} steps`);
    check("each step passed", (await page.locator("#run li.passed").count()) === 8);
    check("it ends with a session token", (await steps.last().innerText()).includes("Session token"));
    check("each step has its request", (await steps.first().innerText()).includes("POST /auth/oauth2/v2/token"));
  }
  await page.getByRole("button", { name: "Play a whole log-in" }).click();
  await appears("it is played again", page.locator("#run-end.success"));
  check("with the phone that is there", (await page.locator("#run li").count()) === 5);
  await appears("the outbox counts what has come", page.locator("#count-outbox"));

  // A user whom an administrator has locked: the play stops, and says why.
  await page.locator("#play-user").selectOption({ label: ben.username });
  await api("PUT", `/api/1/users/${ben.id}/lock_user`, { locked_until: 60 });
  await page.getByRole("button", { name: "Play a whole log-in" }).click();
  if (await appears("it stops where a step fails", page.locator("#run-end.danger"))) {
    const why = await page.locator("#run-end").innerText();
    check("and says why", why.includes("locked") && why.includes("user."), why);
  }
  await call("PUT", "/dev/clock", { advance_seconds: 3_700 });
  await page.locator("#play-user").selectOption({ label: ana.username });

  // ---- outbox ----

  await tab("Outbox").click();
  await appears("the outbox has the prompts", panel("outbox").locator(".message", { hasText: "Push" }).first());
  check("what was seen is not counted", await page.locator("#count-outbox").isHidden());

  // ---- authenticator ----

  await tab("Authenticator").click();
  await appears("without an authenticator it says so", page.getByText("No authenticator yet"));
  await page.locator("#enrol-user").selectOption({ label: ben.username });
  await page.getByRole("button", { name: "Enrol one" }).click();
  const card = page.locator("#codes li").first();
  if (await appears("an authenticator is enrolled", card)) {
    await call("PUT", "/dev/clock", { freeze: true });
    await page.waitForTimeout(1_200);
    const { devices } = await call("GET", "/dev/authenticator");
    await card.getByRole("button", { name: "Copy the code" }).click();
    check("its code is copied", (await copied()) === devices[0].code);
    check("it belongs to its user", (await card.innerText()).includes(ben.username));
    await call("PUT", "/dev/clock", { advance_seconds: 30 });
    await appears("a clock that is moved moves the code", card.getByText(devices[0].next_code.slice(0, 3)).first());
    const after = await call("GET", "/dev/authenticator");
    check("the next code was the next", after.devices[0].code === devices[0].next_code);
    await call("PUT", "/dev/clock", { freeze: false });
  }

  // ---- clock ----

  await tab("Clock").click();
  const before = await call("GET", "/dev/clock");
  await page.getByRole("button", { name: "+1 h" }).click();
  await page.waitForFunction(() => document.getElementById("clock-state").textContent.includes("ahead"));
  const moved = await call("GET", "/dev/clock");
  check("the clock is moved by an hour", moved.offset_seconds - before.offset_seconds === 3_600);
  await page.getByRole("button", { name: "Stop the clock" }).click();
  await appears("the clock is stopped", page.locator("#clock-state.danger"));
  await page.locator("#moment").fill("2030-01-01T12:00:00");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await appears("the clock is set", page.locator("#time", { hasText: "12:00:00" }));
  await page.getByRole("button", { name: "Back to the real time" }).click();
  await appears("the real time is back", page.locator("#clock-state.success"));

  // ---- phone ----

  await tab("Phone").click();
  const app = page.frameLocator("#frame");
  await page.locator("#pair-user").selectOption({ label: ana.username });
  await page.getByRole("button", { name: "Pair this phone" }).click();
  await appears("the app shows the code", app.locator(".shown-code"));
  await app.locator("button.primary").first().click();
  await appears("the app is paired", app.locator("h1", { hasText: /added|paired|ready|set up/i }).or(app.getByText(ana.username).first()).first());
  await page.getByRole("button", { name: "Send a prompt" }).click();
  const urgent = app.locator(".choice.urgent");
  const accept = app.locator('form[data-do="accept"] button.primary');
  const answering = async (what) => {
    const done = app.locator('button[data-do="home"], button[data-do="next"]').first();
    for (let looks = 0; looks < 40 && !(await accept.isVisible()); looks += 1) {
      if (await urgent.first().isVisible()) await urgent.first().click();
      else if (await done.isVisible()) await done.click();
      await page.waitForTimeout(250);
    }
    await appears(`${what}: the prompt is on the phone`, accept);
    // What was not there long enough to be read is not accepted.
    await page.waitForTimeout(1_000);
    await accept.click();
  };
  await answering("asked");
  await page.waitForTimeout(500);
  const prompts = (await call("GET", "/dev/outbox?channel=push")).filter((message) => message.user_id === ana.id);
  check("the phone in the frame approves a prompt", prompts.at(-1).state === "accepted", prompts.at(-1).state);
  await inspect(page, pictures, "start-phone-approved");

  // The same phone ends a log-in that is played.
  await tab("Start").click();
  await page.getByRole("button", { name: "Play a whole log-in" }).click();
  await appears("the play waits for the phone in the frame", page.getByText("Waiting for you"));
  await tab("Phone").click();
  await answering("played");
  await tab("Start").click();
  await appears("and goes on once it was answered there", page.locator("#run-end.success"));

  // ---- requests ----

  // The clock was moved by years, so the first token is over.
  const again = await signedIn(ready.clients[0]);
  await again("POST", `/api/2/mfa/users/${ben.id}/verifications`, { otp: "000000" }).catch(() => {});
  await tab("Requests").click();
  const calls = panel("requests").locator("#requests-list > li");
  await appears("calls are listed", calls.first());
  await page.getByLabel("Only refused").check();
  check("only refused ones are left", (await calls.locator("visible=true").count()) < (await calls.count()));
  await appears("a refusal says why", panel("requests").locator(".why", { hasText: "user.barred" }).first());
  await page.getByLabel("Only refused").uncheck();
  const listed = JSON.stringify(await call("GET", "/dev/requests"));
  for (const secret of [ready.clients[0].client_secret, ana.password]) check("no secret is listed", !listed.includes(secret));

  // ---- how it looks ----

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [view, size] of VIEWS) {
      await page.setViewportSize(size);
      for (const name of TABS) {
        await page.goto(`${ready.base_url}/#${name}`);
        await panel(name).waitFor();
        await page.waitForTimeout(700);
        await inspect(page, pictures, `start-${name}-${view}-${colorScheme}`);
      }
    }
  }
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${ready.base_url}/#start`);
  await inspect(page, pictures, "start-narrow");
} finally {
  await browser.close();
}

said();
