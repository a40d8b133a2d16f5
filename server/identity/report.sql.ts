import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Row = z.object({
  connection: z.custom<Id<'sso'>>(),
  name: z.string(),
  tested: z.date().nullable(),
  metadataProblem: z.string().nullable(),
});
export type ConnectionStanding = z.infer<typeof Row>;

/** The connections that are switched on, with when a dry or a real sign-in last came through. */
export const listStandings = (db: Reader): Promise<ConnectionStanding[]> =>
  db.many(read(Row)`
  select c.id as connection, c.name,
         greatest((select max(t.finished_at) from sso_test t where t.org = app_org() and t.connection = c.id and t.outcome = 'would_sign_in'),
                  (select max(t.at) from (select at, connection, outcome from sign_in_trace
                                           where parent = app_parent() order by id desc limit 1000) t
                    where t.connection = c.id and t.outcome in ('signed_in', 'linked'))) as tested,
         s.metadata_problem as "metadataProblem"
    from sso_connection c left join saml_connection s on s.parent = c.parent and s.connection = c.id
   where c.parent = app_parent() and c.state = 'active' order by c.created_at, c.id`);
