import type { Tx } from '#kernel/db.ts';
import type { AuditEvent } from '#audit/events.ts';
import { event } from '#audit/events.ts';
import type { Id } from '#kernel/id.ts';
import { connectorEvents } from './connectors.events.ts';
import type { Seen } from './tool.ts';
import { listToolsOf, removeTools, saveSeenTools } from './tool.sql.ts';

/** How what was seen differs from what was known. */
export type Difference = { added: string[]; changed: string[]; restored: string[]; removed: string[] };

/**
 * Writes down what an upstream says its tools are. INVARIANT (review binds): what differs from its reviewed pin stops being usable in the
 * same transaction that noticed it, and a definition that comes back as reviewed becomes usable again.
 * @param complete whether `tools` is everything the upstream has; one page of a list is not, and removes nothing
 * @returns the event to commit with, or undefined when nothing differs. The caller holds the connector's lock.
 */
export async function observeTools(
  tx: Tx,
  connector: Id<'con'>,
  tools: readonly Seen[],
  complete: boolean,
  now: Date,
): Promise<{ difference: Difference; event: AuditEvent } | undefined> {
  const known = new Map((await listToolsOf(tx, connector)).map((t) => [t.name, t]));
  const difference: Difference = { added: [], changed: [], restored: [], removed: [] };
  const save: Seen[] = [];
  for (const t of tools) {
    const before = known.get(t.name);
    known.delete(t.name);
    if (before && before.pin === t.pin && before.state !== 'removed') continue;
    save.push(t);
    if (!before) difference.added.push(t.name);
    else if (before.reviewedPin === t.pin) difference.restored.push(t.name);
    else difference.changed.push(t.name);
  }
  if (complete) difference.removed = [...known.values()].filter((t) => t.state !== 'removed').map((t) => t.name);
  if (save.length === 0 && difference.removed.length === 0) return undefined;
  if (save.length > 0) await saveSeenTools(tx, connector, save, now);
  if (difference.removed.length > 0) await removeTools(tx, connector, difference.removed, now);
  return { difference, event: event(connectorEvents, 'tools.seen', { connector, ...difference }) };
}
