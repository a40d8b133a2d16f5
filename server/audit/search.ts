import type { Disposition } from './events.ts';

/** What the log is searched by. Within a list any may fit; all that are given must. Times are of the event, and positions stay the order. */
export type Search = {
  readonly type?: readonly string[] | undefined;
  readonly actor?: readonly string[] | undefined;
  readonly outcome?: readonly Disposition[] | undefined;
  readonly connector?: readonly string[] | undefined;
  readonly call?: readonly string[] | undefined;
  readonly request?: readonly string[] | undefined;
  readonly tool?: readonly string[] | undefined;
  readonly resource?: readonly string[] | undefined;
  readonly text?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
};

/** What has an index of its own, the one first that fits the fewest events. */
export const indexed = ['call', 'request', 'outcome', 'actor', 'type', 'connector'] as const;
export type Driver = (typeof indexed)[number];

/** The index to walk for a search; undefined: by position. What ended well is nearly everything, so its index has only the rest. */
export const driverOf = (s: Search): Driver | undefined =>
  indexed.find((k) => s[k] !== undefined && !(k === 'outcome' && s.outcome?.includes('returned')));

/** Whether finding out reads rows that do not fit: such a search looks at a span of positions at a time, and says how far it came. */
export const reads = (s: Search): boolean =>
  s.text !== undefined ||
  (driverOf(s) !== 'call' && driverOf(s) !== 'request' && (s.tool !== undefined || s.resource !== undefined));

/** Whether anything but the time is asked. */
export const onlyTime = (s: Search): boolean =>
  Object.entries(s).every(([k, v]) => v === undefined || k === 'since' || k === 'until');

/** Positions that one page, or one count, of a reading search looks at. */
export const SPAN = 20_000;
/** Found events are counted exactly up to here. */
export const MOST_COUNTED = 100_000;
/**
 * An event has the time of its change and gets its position when that commits, so neighbours in time may be apart in the log: by no more than
 * the longest transaction. A change that took longer is not found by its time, and by everything else.
 */
export const SLACK_MS = 10 * 60_000;
/** Intervals of a picture: enough for a wide screen, and few enough to be asked one by one. */
export const INTERVALS = 96;
