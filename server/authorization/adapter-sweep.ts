import type { Db } from '#kernel/db.ts';
import { SWEEP_BATCH, sweepExpired, sweepOrphans, sweepUnusedClients } from './oauth-item.sql.ts';

/** Deletes what nobody can use any more, in small transactions. No event: it was over when it ran out, was spent or lost its person. */
export async function sweepItems(oauth: Db, at: Date): Promise<number> {
  let gone = 0;
  for (const sweep of [sweepExpired, sweepUnusedClients, sweepOrphans])
    for (let n = SWEEP_BATCH; n >= SWEEP_BATCH; gone += n) n = await oauth.transact({}, (tx) => sweep(tx, at));
  return gone;
}
