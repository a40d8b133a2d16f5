import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { FoundAuthorization } from './found-authorization.ts';

/** What was found, and when it was last read. */
export type KnownAuthorization = { found: FoundAuthorization; at: Date };

const Row = z.object({ found: FoundAuthorization, at: z.date() });
export const findAuthorization = (db: Reader, connector: Id<'con'>): Promise<KnownAuthorization | undefined> =>
  db.maybe(read(Row)`
  select found, found_at as at from connector_authorization where org = app_org() and connector = ${connector}`);

const OfConnector = z.object({ connector: z.custom<Id<'con'>>(), found: FoundAuthorization });
/** All of an organization, which has tens of connectors. */
export const listAuthorizations = async (db: Reader): Promise<Map<Id<'con'>, FoundAuthorization>> =>
  new Map(
    (
      await db.many(
        read(
          OfConnector,
        )`select connector, found from connector_authorization where org = app_org() order by connector`,
      )
    ).map((r) => [r.connector, r.found]),
  );

/** Takes the row for the rest of the transaction. */
export const lockAuthorization = async (tx: Tx, connector: Id<'con'>): Promise<KnownAuthorization | undefined> => {
  await tx.maybe(
    read(
      z.unknown(),
    )`select connector from connector_authorization where org = app_org() and connector = ${connector} for update`,
  );
  return findAuthorization(tx, connector);
};

export const saveAuthorization = (tx: Tx, connector: Id<'con'>, found: FoundAuthorization, at: Date): Promise<number> =>
  tx.run(write`
  insert into connector_authorization (org, connector, issuer, found, found_at)
  values (app_org(), ${connector}, ${found.issuer}, ${json(found)}, ${at})
  on conflict (org, connector) do update set issuer = excluded.issuer, found = excluded.found, found_at = excluded.found_at`);
