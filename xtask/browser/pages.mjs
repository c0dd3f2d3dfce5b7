// Looks at every page as a person does, in a real Chromium, and says what is wrong with it.
//
//     node pages.mjs READY_FILE FOLDER_FOR_SCREENSHOTS CHROMIUM
//
// The pages are the samples of the dev world: the production templates with made-up values. At the end a link is followed as
// its person does, from the mail to what the caller sees.
import { world } from "./api.mjs";
import { appears, check, inspect, isolated, launched, said, scanned } from "./checks.mjs";

const [readyFile, pictures, executablePath] = process.argv.slice(2);
const { ready, call, signedIn } = await world(readyFile);

const LANGUAGES = ["en", "de", "fr", "es", "ja"];
const SIZES = { phone: { width: 390, height: 844 }, narrow: { width: 320, height: 640 }, desk: { width: 1280, height: 900 } };

const browser = await launched(executablePath);
try {
  const page = await browser.newPage({ viewport: SIZES.desk });
  isolated(page, ready.base_url);
  // A page that goes on by itself stays while it is looked at.
  await page.route(`${ready.base_url}/dev/pages/**`, async (route) => {
    const answer = await route.fetch();
    const { refresh, ...headers } = answer.headers();
    await route.fulfill({ response: answer, headers });
  });
  const show = (sample, language) => page.goto(`${ready.base_url}/dev/pages/${sample}?language=${language}`);

  const design = await page.goto(`${ready.base_url}/dev/pages`);
  const headers = design.headers();
  check("a page may run nothing", headers["content-security-policy"].startsWith("default-src 'none'"));
  const samples = await page.locator("a.button.quiet").allInnerTexts();
  check("the gallery lists the pages", samples.length >= 10, `${samples.length}`);
  const scripts = await page.evaluate("document.scripts.length + document.querySelectorAll('[style]').length");
  check("no script and no inline style", scripts === 0);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await inspect(page, pictures, `design-${size}-${scheme}`);
    }
  }

  // Each page on a phone, by day and by night. The longest language decides whether it fits, so each is looked at.
  for (const sample of samples) {
    for (const language of LANGUAGES) {
      await page.setViewportSize(SIZES.narrow);
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
      await show(sample, language);
      check(`${sample} in ${language}: its language`, (await page.locator("html").getAttribute("lang")) === language);
      await inspect(page, pictures, `${sample}-${language}-narrow`);
      await page.setViewportSize(SIZES.phone);
      await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
      await inspect(page, pictures, `${sample}-${language}-phone-dark`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await show(sample, "en");
    await inspect(page, pictures, `${sample}-en-phone`);
    await page.setViewportSize(SIZES.desk);
    await inspect(page, pictures, `${sample}-en-desk`);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await inspect(page, pictures, `${sample}-en-desk-dark`);
  }

  // What is folded away can be reached, and one tap on a key selects all of it, without the gaps.
  for (const [sample, folded] of [["enrol-authenticator", "key"], ["enrol-choose", "other"]]) {
    for (const scheme of ["light", "dark"]) {
      await page.setViewportSize(SIZES.narrow);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await show(sample, "de");
      for (const summary of await page.locator(`.${folded} summary`).all()) await summary.press("Enter");
      await inspect(page, pictures, `${sample}-unfolded-${scheme}`);
    }
    const hidden = await page.locator("input:not([type=hidden])").evaluateAll((all) => all.filter((one) => !one.offsetParent).length);
    check(`${sample}: nothing stays folded`, hidden === 0, `${hidden}`);
  }
  for (const sample of ["enrol-authenticator", "enrol-pair"]) {
    for (const [size, scheme] of [["narrow", "light"], ["desk", "dark"]]) {
      await page.setViewportSize(SIZES[size]);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await show(sample, "en");
      const address = await page.locator(".picture + .buttons a").getAttribute("href");
      const read = await scanned(page);
      check(`${sample}: a camera reads the picture, ${size} and ${scheme}`, read === address, `${read}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(SIZES.narrow);
  await show("enrol-authenticator", "en");
  await page.locator(".key summary").click();
  await page.locator(".secret").click();
  const selected = await page.evaluate("getSelection().toString()");
  check("one tap selects the key without gaps", selected === "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", selected);
  const waits = await fetch(`${ready.base_url}/dev/pages/enrol-pair`);
  check("the page of a phone looks again", waits.headers.get("refresh")?.startsWith("3; url=/dev/pages/enrol-pair"));

  // By keyboard alone, in the order of reading, with a ring that can be seen.
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(SIZES.phone);
  await show("link-login", "en");
  const reached = [];
  for (let step = 0; step < 2; step += 1) {
    await page.keyboard.press("Tab");
    const [name, ring] = await page.evaluate(
      "[document.activeElement.innerText, parseFloat(getComputedStyle(document.activeElement).outlineWidth)]",
    );
    reached.push(name);
    check(`the ring around "${name}" can be seen`, ring >= 2, `${ring} px`);
  }
  check("the keyboard reaches both answers", reached.join() === "Yes, it is me,No, it is not me", reached.join());
  await inspect(page, pictures, "link-login-focus");

  // A page that is set from right to left is its mirror image, and names in it stay whole.
  await page.evaluate("document.documentElement.dir = 'rtl'");
  await inspect(page, pictures, "link-login-rtl");
  const start = await page.evaluate("document.querySelector('dt').getBoundingClientRect().left > document.querySelector('dd').getBoundingClientRect().left");
  check("from right to left, what comes first is at the right", start);

  // Twice the size of text on a narrow screen (WCAG 2.2, 1.4.4).
  await page.setViewportSize(SIZES.narrow);
  await show("link-names", "de");
  await page.evaluate("document.documentElement.style.fontSize = '200%'").catch(() => {});
  await inspect(page, pictures, "link-names-large");

  // From a mail to the caller's answer. A scanner opens the link first, with its scripts running, and changes nothing.
  const api = await signedIn(ready.clients.find((client) => client.scope === "Manage All"));
  const user = ready.users[2];
  const mfa = `/api/2/mfa/users/${user.id}`;
  const factor = (await api("GET", `${mfa}/factors`)).find((listed) => listed.auth_factor_name === "OneLogin Email");
  let seen = 0;
  const mailed = async () => {
    const mails = await call("GET", `/dev/outbox?channel=email&user_id=${user.id}&after=${seen}&wait=10s`);
    seen = mails.at(-1).id;
    return mails.at(-1).body.match(/https?:\/\/\S+\/link\/[\w-]{43}/)[0];
  };
  for (const [answer, button, expected] of [
    ["disown", "No, it is not me", "rejected"],
    ["confirm", "Yes, it is me", "accepted"],
  ]) {
    const { id } = await api("POST", `${mfa}/registrations`, { factor_id: factor.factor_id, display_name: "My mail" });
    const link = await mailed();
    const scanner = await browser.newPage();
    for (const method of ["HEAD", "GET"]) await fetch(link, { method });
    for (let look = 0; look < 2; look += 1) await scanner.goto(link);
    await scanner.close();
    const status = async () => (await api("GET", `${mfa}/registrations/${id}`)).status;
    check(`${answer}: a scanner has changed nothing`, (await status()) === "pending");
    await page.setViewportSize(SIZES.phone);
    await page.goto(link);
    check(`${answer}: the page names the device`, (await page.innerText("main")).includes("My mail"));
    await inspect(page, pictures, `link-followed-${answer}`);
    await page.getByRole("button", { name: button }).click();
    await appears(`${answer}: the page says how it ended`, page.locator(".sign"));
    await inspect(page, pictures, `link-followed-${answer}-done`);
    check(`${answer}: the caller sees it`, (await status()) === expected, await status());
    const again = await fetch(link);
    check(`${answer}: the link works once`, again.status === 410, `${again.status}`);
  }
} finally {
  await browser.close();
}

said();
