import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Connection } from './connection.ts';
import type { KeptTokens } from './kept.ts';
import type { VaultMetrics } from './metrics.ts';

export type Place = { parent: Id<'par'>; org: Id<'org'> };
export type Renewal = {
  world: World;
  metrics: VaultMetrics;
  /** How long a renewal is one node's alone: longer than the vendor's answer may take. */
  leaseMs: number;
  /** How long others wait for it. */
  waitMs: number;
};
/** A connection with its tokens as they are now. */
export type Fresh = { connection: Connection; tokens: KeptTokens };

export const vaultCtx = (world: World, at: Place): OrgCtx => ({ ...systemCtx(world, 'vault', at), org: at.org });

/** First pause after a failure; doubles, with jitter, to an hour. */
const BACKOFF_MS = 5_000;
export const MAX_BACKOFF_MS = 60 * 60_000;

/** Half of it fixed and half by chance, so that those who failed together do not come again together. */
export const backoffMs = (fails: number, random: () => number = Math.random): number => {
  const whole = Math.min(BACKOFF_MS * 2 ** Math.min(fails - 1, 20), MAX_BACKOFF_MS);
  return Math.round(whole / 2 + (random() * whole) / 2);
};
