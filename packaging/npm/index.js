// What the package offers. The types are in index.d.ts.

export { CallError, CountersignError, NoMessage, StartError } from "./lib/errors.js";
export { attachWorld, startWorld } from "./lib/world.js";
