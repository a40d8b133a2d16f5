import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { barredByType } from '#policy/barred-by-type.ts';
import type { Connector } from '../connector.ts';

/** Nobody connects to what a control of its type keeps them from; asked when a consent begins, and again when its answer comes back. */
export async function refuseType(
  db: Reader,
  user: Id<'usr'>,
  connector: Pick<Connector, 'name' | 'type'>,
): Promise<void> {
  const barred = await barredByType(db, user, connector.type);
  if (barred !== undefined)
    throw new Problem('forbidden', 'connectors/type-barred', {
      says: `you may not connect ${connector.name}: ${barred}`,
      fix: 'ask an administrator if you need it for your work',
    });
}
