import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** What this room asks about connectors, which stand above it. */
export type Through = {
  /** Those of the transaction's organization that are reached through a tunnel, and that are switched on. */
  connectors(db: Reader, tunnel: Id<'tun'>): Promise<readonly { id: string; slug: string; url: string }[]>;
};
