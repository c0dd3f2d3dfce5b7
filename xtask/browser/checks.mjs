// What every check of a page in a real browser shares.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import jsQR from "jsqr";
import { chromium } from "playwright-core";
import { PNG } from "pngjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const PATIENCE = 10_000;
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

let checks = 0;
const complaints = [];

export function check(what, holds, otherwise = "") {
  checks += 1;
  if (!holds) complaints.push(otherwise ? `${what}: ${otherwise}` : what);
  console.log(`${holds ? "ok    " : "BROKEN"} ${what}`);
}

export async function appears(what, locator) {
  const there = await locator.waitFor({ state: "visible", timeout: PATIENCE }).then(() => true, () => false);
  check(what, there);
  return there;
}

/** Waits until something holds. Gives it, or what was there at the end. */
export async function eventually(look, holds = Boolean, patience = 3 * PATIENCE) {
  for (const end = Date.now() + patience; ; ) {
    const found = await look();
    if (holds(found) || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function launched(executablePath) {
  return chromium.launch({ executablePath, args: QUIET });
}

/** Complains of everything that a page should not do: errors, refused requests, requests to others. `status` is what the
 * page itself may answer. */
export function isolated(page, base, status = () => false) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !status(message.location().url)) {
      check("a quiet console", false, message.text());
    }
  });
  page.on("pageerror", (error) => check("a script without errors", false, String(error)));
  page.on("requestfailed", (request) => check("every request answered", false, request.url()));
  page.on("response", (answer) => {
    if (answer.status() >= 400 && !status(answer.url())) {
      check("no request refused", false, `${answer.status()} for ${answer.url()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) check("no request to anybody else", false, request.url());
  });
}

/** The page at this moment: no violation that axe-core knows, nothing to scroll sideways, no letter below another, a picture to
 * look at. */
export async function inspect(page, pictures, name) {
  const { violations } = await page.evaluate(`(() => { ${axe}; return axe.run(document).then(({ violations }) => ({ violations })); })()`);
  const seen = violations.map(({ id, help, nodes }) => `${id} (${help}) at ${nodes.map((node) => node.target).join(", ")}`);
  check(`${name}: accessible`, seen.length === 0, seen.join("; "));
  const [wide, shown] = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
  check(`${name}: nothing to scroll sideways`, wide <= shown, `${wide} px of page in ${shown} px`);
  const squeezed = await page.evaluate(`[...document.querySelectorAll("main :is(a, button, p, h1, h2, summary, strong, dd, dt, label)")].filter((one) => {
    const { width, height } = one.getBoundingClientRect();
    const letters = width / parseFloat(getComputedStyle(one).fontSize);
    return one.checkVisibility() && one.textContent.trim().length > 6 && letters < 2.5 && height > 3 * width;
  }).map((one) => one.textContent.trim())`);
  check(`${name}: no text is squeezed`, squeezed.length === 0, squeezed.join("; "));
  const hidden = await page.evaluate(`[...document.querySelectorAll("main :is(a, button, input, select)")].filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    return one.checkVisibility() && width > 1 && (left < 0 || right > document.documentElement.clientWidth);
  }).map((one) => one.getAttribute("aria-label") ?? one.textContent.trim())`);
  check(`${name}: every control is in sight`, hidden.length === 0, hidden.join("; "));
  await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

/** What a camera reads on the page, if anything. */
export async function scanned(page) {
  const { data, width, height } = PNG.sync.read(await page.locator("svg.qr").screenshot({ scale: "css" }));
  return jsQR.default(new Uint8ClampedArray(data), width, height)?.data;
}

/** Says what was found, and ends the script with it. */
export function said() {
  console.log(`${checks} checks, ${complaints.length} complaints`);
  for (const complaint of complaints) console.log(`BROKEN ${complaint}`);
  process.exitCode = complaints.length ? 1 : 0;
}
