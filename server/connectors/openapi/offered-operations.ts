import type { AuditEvent } from '#audit/events.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Access } from '#vault/vendor-auth.ts';
import { sightedOf } from '../builtin-tools.ts';
import type { Connector } from '../connector.ts';
import type { BuiltinTool } from '../kit/builtin-tool.ts';
import { observeTools, type Sighted } from '../observe-tools.ts';
import type { Operation } from './operation.ts';
import { listDocuments, listOperations } from './operation.sql.ts';
import { operationTool } from './operation-tool.ts';

/** What a connector with these operations and this access offers, as if an upstream had listed it. */
export const offered = (operations: readonly Operation[], c: { name: string; access: Access }): Sighted =>
  sightedOf({ version: '1', tools: operations.map((o) => operationTool(o, c.name)) }, c.access);

/** Writes down what an imported connector offers as its access is now. Nothing is accepted by it: its tools are reviewed by people. */
export async function offerOperations(tx: Tx, c: Connector, now: Date): Promise<readonly AuditEvent[]> {
  return (await observeTools(tx, c.id, offered(await listOperations(tx, c.id), c), now))?.events ?? [];
}

/** The tools of one imported connector. */
export const importedToolsOf = async (db: Reader, c: Pick<Connector, 'id' | 'name'>): Promise<BuiltinTool[]> =>
  (await listOperations(db, c.id)).map((o) => operationTool(o, c.name));

/** Connectors whose tools are kept ready at once; one more and the oldest goes. */
const MAX_KEPT = 200;
const kept = new Map<string, readonly BuiltinTool[]>();

/** The tools of every imported connector of the organization. Read anew only after an import. */
export async function importedTools(
  db: Reader,
  named: ReadonlyMap<Id<'con'>, string>,
): Promise<Map<Id<'con'>, readonly BuiltinTool[]>> {
  const tools = new Map<Id<'con'>, readonly BuiltinTool[]>();
  for (const d of await listDocuments(db)) {
    const name = named.get(d.connector) ?? d.title;
    const key = JSON.stringify([d.connector, d.generation, name]);
    const known = kept.get(key) ?? (await importedToolsOf(db, { id: d.connector, name }));
    kept.delete(key);
    kept.set(key, known);
    const [oldest] = kept;
    if (oldest && kept.size > MAX_KEPT) kept.delete(oldest[0]);
    tools.set(d.connector, known);
  }
  return tools;
}
