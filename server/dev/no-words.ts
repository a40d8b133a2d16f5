import type { Words } from '#notify/words.ts';

/** For tests of messages that need no words of rooms above: nothing is known. */
export const noWords: Words = {
  domain: async () => undefined,
  capture: async () => undefined,
  certificate: async () => undefined,
  approval: async () => undefined,
  connection: async () => undefined,
  connections: async () => [],
  tunnel: async () => undefined,
  held: async () => 0,
};
