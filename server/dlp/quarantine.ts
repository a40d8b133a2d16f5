import { createHash } from 'node:crypto';
import type { Aad } from '#kernel/seal.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Finding, Phase } from './verdict.ts';

/** Content that was stopped and waits for people. Once it ended, the copy is gone. */
export type Kept = {
  id: Id<'qua'>;
  phase: Phase;
  /** Keyed hash of who asked for what, hex: the identical request is the same one. */
  same: string;
  call: string;
  connector: Id<'con'> | undefined;
  tool: string | undefined;
  asker: Asker;
  bytes: number;
  findings: readonly Finding[];
  /** How many different people must release it. */
  needs: 1 | 2;
  at: Date;
  /** Of the review while it waits, of the delivery once it is released. */
  expires: Date;
  state: KeptState;
  decisions: readonly {
    by: string;
    /** As the account is called now, where it was read. */
    name?: string | undefined;
    decision: 'release' | 'discard';
    at: Date;
    reason: string | undefined;
  }[];
};
export const keptStates = ['waiting', 'released', 'delivered', 'discarded', 'expired'] as const;
export type KeptState = (typeof keptStates)[number];

/** Who asked: a member's agent, a member, or a key of the organization (`user` and `member` are absent). */
export type Asker = {
  member: string | undefined;
  user: Id<'usr'> | undefined;
  /** As the account is called now, where it was read. */
  name?: string | undefined;
  client: string;
};

/** How long reviewers have. */
export const REVIEW_MS = 72 * 60 * 60_000;
/** How long what was released waits to be asked for again. */
export const RELEASED_MS = 24 * 60 * 60_000;

/** Of one asker, kept at once. More than anybody reviews; what comes beyond is blocked and not kept. */
export const MAX_KEPT = 100;

/** As of now: what is over counts as over before the job has written it down. */
export const stateAt = (k: Pick<Kept, 'state' | 'expires'>, now: Date): KeptState =>
  (k.state === 'waiting' || k.state === 'released') && k.expires <= now ? 'expired' : k.state;

/** What binds the sealed copy to its row. */
export const keptAad = (org: Id<'org'>, id: Id<'qua'>): Aad => ({
  table: 'quarantine',
  scope: org,
  row: id,
  generation: 1,
});

/** What makes two requests the same one: who asks, from which client, for exactly what. `what` is a keyed hash already. */
export const sameRequest = (asker: Asker, what: string): string =>
  createHash('sha256')
    .update(JSON.stringify([asker.member ?? null, asker.client, what]))
    .digest('hex');

export const noKept = (id: string): Problem =>
  new Problem('missing', 'dlp/no-quarantine', {
    says: `there is nothing kept as ${id.slice(0, 60)} in this organization`,
  });
