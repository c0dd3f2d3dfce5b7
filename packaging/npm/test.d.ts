import type { World, WorldOptions } from "./index.js";

/**
 * Registers hooks of `node:test`: a world is started before the first test of this file or `describe`, reset before each
 * one, and stopped after the last. The world is there within tests and hooks only.
 */
export function useWorld(options?: WorldOptions): World;
