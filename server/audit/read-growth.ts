import type { Reader } from '#kernel/db.ts';
import { listTypes } from './event.sql.ts';
import type { LogId } from './inbox.sql.ts';
import { findSize } from './tree.sql.ts';

/** More new events than this are not looked at one by one: then anything may have happened. */
const MOST = 5_000;

/** How far some logs are, in their order, and which types of events came since; undefined: too many to say, or not the log that it was. */
export type Growth = { sizes: readonly number[]; types: readonly string[] | undefined };

/** What came to these logs since they had those sizes. Positions are final, so whoever was away asks from where they were, at any node. */
export async function readGrowth(db: Reader, logs: readonly LogId[], since?: readonly number[]): Promise<Growth> {
  const sizes: number[] = [];
  const types = new Set<string>();
  let known = true;
  for (const [i, log] of logs.entries()) {
    const size = await findSize(db, log);
    sizes.push(size);
    const from = since?.[i] ?? size;
    if (from > size || size - from > MOST) known = false;
    else if (from < size) for (const { type } of await listTypes(db, log, from, size)) types.add(type);
  }
  return { sizes, types: known ? [...types] : undefined };
}
