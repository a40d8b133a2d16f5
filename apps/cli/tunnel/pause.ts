const FIRST_MS = 250;
const MOST_MS = 30_000;

/**
 * How long to wait before the next attempt, by how many failed before it. Half of it is chance, so that agents that lost one node do not come to
 * the next in one moment.
 */
export const pauseOf = (failures: number, chance: number): number =>
  Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 12)) * (0.5 + chance / 2);
