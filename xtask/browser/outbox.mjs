// Looks at the dev outbox as a person does, in a real Chromium, and says what is wrong with it.
//
//     node outbox.mjs READY_FILE FOLDER_FOR_SCREENSHOTS CHROMIUM CLIENT
//
// CLIENT is what `countersign client create --number-matching --json` said.
// The world is a fresh one. Messages are made through the API, like any client would; what is judged is the page.
import { world } from "./api.mjs";
import { appears, check, inspect, isolated, launched, said } from "./checks.mjs";

const [readyFile, pictures, executablePath, matching] = process.argv.slice(2);

const { ready, call, signedIn } = await world(readyFile);
const manager = ready.clients.find((client) => client.scope === "Manage All");
const user = ready.users[0];
const mfa = `/api/2/mfa/users/${user.id}`;
const api = await signedIn(manager);
const factors = await api("GET", `${mfa}/factors`);

function register(name) {
  const factor = factors.find((listed) => listed.auth_factor_name === name);
  if (!factor) throw new Error(`the dev world offers no ${name}`);
  return api("POST", `${mfa}/registrations`, { factor_id: factor.factor_id, display_name: name });
}

async function device(name) {
  const devices = await api("GET", `${mfa}/devices`);
  return devices.find((listed) => listed.auth_factor_name === name).device_id;
}

// ---- the story ----

const browser = await launched(executablePath);
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  isolated(page, ready.base_url);

  await page.goto(`${ready.base_url}/dev/outbox`);
  await appears("an empty outbox says what to do", page.getByText("No messages yet"));
  await inspect(page, pictures, "outbox-empty");

  const sms = await register("SMS");
  const message = page.locator(".message", { hasText: "Text message" });
  if (await appears("a text message appears by itself", message)) {
    check("it says to whom", (await message.innerText()).includes(user.phone));
    const code = await message.locator(".code").innerText();
    const confirmed = await api("PUT", `${mfa}/registrations/${sms.id}`, { otp: code.trim() });
    check("the code on the page is the code", confirmed.status === "accepted");
  }

  const push = await register("OneLogin");
  await call("POST", "/dev/phone/pair", push);
  const phone = await device("OneLogin");
  for (const [decision, expected, press] of [
    ["Accept", "accepted", (button) => button.click()],
    // The other one by keyboard alone.
    ["Deny", "rejected", (button) => button.focus().then(() => page.keyboard.press("Enter"))],
  ]) {
    const { id } = await api("POST", `${mfa}/verifications`, { device_id: phone });
    const prompt = page.locator(".message", { hasText: "Push" }).filter({ has: page.locator("button:enabled") }).first();
    const button = prompt.getByRole("button", { name: decision });
    if (await appears(`a push appears, with ${decision}`, button)) {
      await press(button);
      await appears(`after ${decision} the page says ${expected}`, page.getByText(expected, { exact: true }));
      const { status } = await api("GET", `${mfa}/verifications/${id}`);
      check(`after ${decision} the verification is ${expected}`, status === expected, status);
    }
  }

  const numbers = await signedIn(JSON.parse(matching));
  const asked = await numbers("POST", `${mfa}/verifications`, { device_id: phone });
  const numbered = page.locator(".message", { hasText: "Type the number" });
  const input = numbered.getByLabel("Number shown at the sign-in");
  if (await appears("a push that asks for a number has a place for it", input)) {
    await numbered.getByRole("button", { name: "Accept" }).click();
    await appears("without the number it says what is missing", numbered.getByText("Type the 2 digits"));
    await input.fill(asked.factor_data.verification_token);
    await page.keyboard.press("Enter");
    await appears("with the number the page says accepted", numbered.getByText("accepted", { exact: true }));
    const { status } = await api("GET", `${mfa}/verifications/${asked.id}`);
    check("with the number the verification is accepted", status === "accepted", status);
  }

  const strange = await api("POST", `${mfa}/verifications`, { device_id: phone });
  const waiting = page.locator(".message", { hasText: "Push" }).filter({ has: page.locator("button:enabled") });
  const notMe = waiting.first().getByRole("button", { name: "Not me" });
  if (await appears("a push appears, with Not me", notMe)) {
    await notMe.click();
    await appears("after Not me the page says rejected", page.getByText("rejected", { exact: true }).nth(1));
    const { status } = await api("GET", `${mfa}/verifications/${strange.id}`);
    check("after Not me the verification is rejected", status === "rejected", status);
    const again = await api("POST", `${mfa}/verifications`, { device_id: phone }).then(() => "sent", String);
    check("after Not me no push is sent", again.includes("429"), again);
  }

  const voice = await register("OneLogin Voice");
  const mailed = await register("OneLogin Email");
  const calls = page.locator(".message", { hasText: "Call" });
  await appears("a call appears, with a keypad", calls.getByRole("button", { name: "Key in" }));
  await appears("an e-mail appears", page.locator(".message", { hasText: "E-mail" }).first());
  check("both are registered", Boolean(voice.id && mailed.id));

  await page.reload();
  const over = page.locator(".message.over", { hasText: "Push" }).filter({ hasText: /Accepted|Denied|Over|No longer waiting/ });
  await appears("after a reload what is over says so", over.first());
  check("and has no buttons", (await over.count()) === 4 && (await over.locator("button").count()) === 0);
  await appears("what waits still has its keypad", calls.getByRole("button", { name: "Key in" }));

  await page.getByLabel("Show only").fill("push");
  check("the filter leaves only pushes", (await page.locator(".message:visible").count()) === 4);
  await page.getByLabel("Show only").fill("");

  await inspect(page, pictures, "outbox-wide");
  await page.setViewportSize({ width: 320, height: 640 });
  await inspect(page, pictures, "outbox-narrow");
  await page.emulateMedia({ colorScheme: "dark" });
  await inspect(page, pictures, "outbox-narrow-dark");
  await page.setViewportSize({ width: 1280, height: 900 });
  await inspect(page, pictures, "outbox-wide-dark");
} finally {
  await browser.close();
}

said();
