import { edgeRoot } from './growing-tree.ts';
import { heldBy, putCheckpoint } from './sequence.sql.ts';
import type { PauseAt } from './sequence-log.ts';
import type { Session } from './sequence-session.ts';
import type { Owned } from './take-log.ts';
import type { Witness } from './witness.ts';

/**
 * Signs the log as it is now, if it grew since the last time. The tree was committed before, so what is signed exists. The witness learns of
 * it before anybody else can: a checkpoint that somebody saw is one that we remember. Undefined: the log is somebody else's by now.
 */
export async function publishCheckpoint(
  session: Session,
  owned: Owned,
  witness: Witness,
  at: Date,
  pauseAt?: PauseAt,
): Promise<Owned | undefined> {
  const { log, edge, signed } = owned;
  if (edge.size <= signed) return owned;
  const held = await session.maybe(heldBy(log));
  if (held?.epoch !== owned.epoch || held.size !== edge.size) return undefined;
  const note = owned.signer.sign({ size: edge.size, root: edgeRoot(edge) });
  await pauseAt?.('signed');
  witness.keep(log, note);
  await pauseAt?.('witnessed');
  await session.run(putCheckpoint(log, at, { size: edge.size, note }));
  await pauseAt?.('published');
  return { ...owned, signed: edge.size };
}
