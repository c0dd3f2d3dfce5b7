// From an invitation to an approved log-in with the person's own phone, in Firefox and in Chromium.
//
//     node phones.mjs WORLD
//
// WORLD is what `cargo xtask phones` wrote: the server, its clients, and the programs.
import { readFile } from "node:fs/promises";
import { office } from "./callers.mjs";
import { check, inspect, said } from "./checks.mjs";
import { chromiumStories } from "./phones_chromium.mjs";
import { firefoxStories } from "./phones_firefox.mjs";
import { sdkStories } from "./phones_sdk.mjs";
import { pushService, readable, unnoticed } from "./push_service.mjs";

const world = JSON.parse(await readFile(process.argv[2], "utf8"));
const service = await pushService(world.push_port);
const work = await office(world);

const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };

/** A page as it is, on a phone and on a desk, by day and by night. */
async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await inspect(page, world.pictures, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(SIZES.phone);
}

/** Everything that a relay must not be able to read. */
const secrets = ["Northfield", "northfield", "203.0.113.24", "Prompt on your phone"];
const told = { SIZES, check, look, secrets, service, work, world };

async function tell(browserStories) {
  const { stories, close } = await browserStories(told);
  try {
    for (const [name, story] of Object.entries(stories)) {
      const began = Date.now();
      try {
        await story();
      } catch (error) {
        check(`${name}: the story reaches its end`, false, String(error.stack).split("\n").slice(0, 4).join(" "));
      }
      console.log(`---- ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }
  } finally {
    await close();
  }
}

try {
  const missed = await unnoticed(service);
  check("the push service notices what is wrong with a push", missed.length === 0, missed.join());
  const wanted = (name) => !world.story || name.includes(world.story);
  if (wanted("firefox")) await tell(firefoxStories);
  if (wanted("chromium")) await tell(chromiumStories);
  if (wanted("sdk")) await tell(sdkStories);
  const faults = service.faults;
  check("every push is as the standards have it", faults.length === 0, faults.join("; "));
  check("there were pushes", service.posts.length > 0 || Boolean(world.story), `${service.posts.length}`);
  const seen = service.posts.map(readable);
  check("a relay reads the topic of each", service.posts.every(({ headers }, place) => seen[place].includes(headers.topic)));
  const read = secrets.filter((secret) => seen.some((text) => text.includes(secret)));
  check(`a relay has read none of ${secrets.length} names, accounts and addresses in ${seen.length} pushes`, read.length === 0, read.join());
} finally {
  service.close();
}

said();
