import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { lockAuthorization, saveAuthorization } from './authorization.sql.ts';
import { discoveryEvents } from './discovery.events.ts';
import type { FoundAuthorization } from './found-authorization.ts';

/** Writes down what was found, within a change. Undefined: it says what it said, or more about the same issuer. */
export async function keepAuthorization(
  tx: Tx,
  connector: Id<'con'>,
  found: FoundAuthorization,
  now: Date,
): Promise<AuditEvent | undefined> {
  const before = await lockAuthorization(tx, connector);
  await saveAuthorization(tx, connector, found, now);
  const issuer = found.issuer.slice(0, 300);
  if (!before) return event(discoveryEvents, 'connector.authorization_found', { connector, issuer });
  if (before.found.issuer === found.issuer) return undefined;
  return event(discoveryEvents, 'connector.authorization_moved', {
    connector,
    issuer,
    before: before.found.issuer.slice(0, 300),
  });
}
