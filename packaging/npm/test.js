// A world for the tests of a file, by the hooks of node:test.

import { after, before, beforeEach } from "node:test";

import { CountersignError } from "./lib/errors.js";
import { startWorld } from "./lib/world.js";

/**
 * Starts a world before the first test, resets it before each one, and stops it after the last.
 *
 * @param {import("./index.js").WorldOptions} [options]
 * @returns {import("./index.js").World}
 */
export function useWorld(options) {
  /** @type {import("./index.js").World | undefined} */
  let world;
  before(async () => {
    world = await startWorld(options);
  });
  beforeEach(() => running().reset());
  after(() => world?.stop());

  function running() {
    if (!world) throw new CountersignError("the world runs only within tests and their hooks: use it there");
    return world;
  }
  // The tests are written before the world is there.
  return /** @type {import("./index.js").World} */ (
    new Proxy({}, {
      get(_, name) {
        const value = Reflect.get(running(), name);
        return typeof value === "function" ? value.bind(running()) : value;
      },
    })
  );
}
