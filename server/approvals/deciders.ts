import type { DeciderFigures } from './deciders.sql.ts';

/** A decision within this time of opening the request was hardly one. */
export const QUICK_MS = 2000;
/** Fewer decisions say nothing about a person. */
export const FEWEST = 20;
/** Who says yes more often than this, and quickly, may not be reading any more. */
export const MOST_APPROVED = 0.95;

/** Whether somebody seems to say yes without looking: the question for an administrator, not the answer. */
export const rubberStamps = (f: DeciderFigures): boolean =>
  f.decisions >= FEWEST && f.approved / f.decisions > MOST_APPROVED && f.quick / f.decisions > 0.5;
