/** Tells the owners that people are held; the job stands above this room, with the mails (`server/herald-jobs.ts`). The name is stored in rows. */
export const HELD_JOB = 'provisioning.tell_held';

/** Removals are counted over this long. Identity providers that go wrong do so in one cycle; Entra's takes 40 minutes. */
export const BRAKE_WINDOW_MS = 60 * 60_000;
/** So many go at once in any organization, however small. */
export const BRAKE_LEAST = 10;
/** And so many of a large one. */
export const BRAKE_SHARE = 0.05;
/** A mapped group with more people than this that is emptied in one request is looked at first, because people leave one by one. */
export const BRAKE_GROUP = 5;

/** How many may be taken out in one window. */
export const brakeLimit = (members: number): number => Math.max(BRAKE_LEAST, Math.floor(members * BRAKE_SHARE));

/**
 * Whether what is about to be taken away must wait for people. `done` was taken at once within the window; what is held already does not
 * count, so that after a mistake a single leaver still goes at once. `emptied`: how many lose by a mapped group that one request emptied.
 */
export const brakes = (b: { done: number; taking: number; members: number; emptied: number }): boolean =>
  b.emptied > BRAKE_GROUP || b.done + b.taking > brakeLimit(b.members);
