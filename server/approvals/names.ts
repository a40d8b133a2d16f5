import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listAccountNames } from '#policy/people.sql.ts';
import type { Approval } from './approval.ts';
import type { Upstairs } from './tools.ts';

/** What the people and connectors of requests are called now; null for what is gone. */
export type Names = { person(id: Id<'usr'>): string | null; connector(id: string): string | null };

/** The names that some requests need, in one look each. */
export async function namesIn(
  db: Reader,
  up: Pick<Upstairs, 'connectorName'>,
  requests: readonly Approval[],
): Promise<Names> {
  const users = requests.flatMap((a) => ('decided' in a ? [a.asker.user, a.decided.by] : [a.asker.user]));
  const people = new Map((await listAccountNames(db, [...new Set(users)])).map((p) => [p.user, p.displayName]));
  const connectors = new Map<string, string | undefined>();
  for (const written of new Set(requests.map((a) => a.action.connector))) {
    const id = parseId('con', written);
    connectors.set(written, id && (await up.connectorName(db, id)));
  }
  return { person: (id) => people.get(id) ?? null, connector: (id) => connectors.get(id) ?? null };
}
