import type { OrgCtx } from './ctx.ts';
import type { Reader } from './db.ts';
import type { Permission } from './permission.ts';

/** What waits for a person: `held` works on meanwhile or stands still, `broken` and `breaks` are of the world, `know` wants no act. */
export const urgencies = ['held', 'broken', 'breaks', 'know'] as const;

/** Something that needs a person, as a room says it. */
export type Need = {
  /** `room.what`, for ever. */
  code: string;
  urgency: (typeof urgencies)[number];
  /** The fact, one sentence without a full stop. */
  says: string;
  /** What follows, and what works meanwhile. */
  more: string;
  /** How many things: what the number beside the room counts, where it waits for a decision. */
  count: number;
  since: Date | null;
  until: Date | null;
  /** The button to the repair, and its page below the organization's, `/room/page`. */
  act: string;
  page: string;
};

/** Something that is in order, with how we know. */
export type Fine = { says: string; more: string; at: Date | null };

/** A step of the set-up path. */
export type Step = {
  code: string;
  name: string;
  done: boolean;
  /** Done: what is there. Else what it is for. */
  says: string;
  act: string;
  page: string;
  /** Where the log has who did it first, and when. */
  first: { log: 'org' | 'parent'; types: readonly string[] };
};

export type Report = { steps?: readonly Step[]; needs?: readonly Need[]; fine?: readonly Fine[] };

/** A room's own account of how it stands, for those who may read the room. Rooms give these; the page Start puts them together. */
export type Reporter = {
  room: string;
  can: Permission;
  report(ctx: OrgCtx, db: Reader): Promise<Report>;
};

/** `3 tools`, `1 tool`. */
export const many = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;
