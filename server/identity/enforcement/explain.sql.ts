import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const SimilarRow = z.object({
  count: z.number(),
  people: z.number(),
  connections: z.array(z.custom<Id<'sso'>>()),
  newest: z.array(z.custom<Id<'sgn'>>()),
});
/** Other refusals with the same code since a time: many of many people are not one person's mistake. */
export type Similar = z.infer<typeof SimilarRow>;

export const findSimilar = (db: Reader, code: string, not: Id<'sgn'>, since: Date): Promise<Similar> =>
  db.one(read(SimilarRow)`
  select count(*)::int as count, count(distinct coalesce(t.user_id, t.subject))::int as people,
         coalesce(array_agg(distinct t.connection) filter (where t.connection is not null), '{}') as connections,
         coalesce((array_agg(t.id order by t.id desc))[1:5], '{}') as newest
    from sign_in_trace t where t.parent = app_parent() and t.at >= ${since} and t.outcome = ${code} and t.id <> ${not}`);

const ConnectionRow = z.object({
  id: z.custom<Id<'sso'>>(),
  name: z.string(),
  kind: z.enum(['oidc', 'saml']),
  issuer: z.string(),
  state: z.enum(['active', 'disabled']),
  matchDirectory: z.boolean(),
});
/** What judging an identity needs of a connection of any kind. */
export const findAnyConnection = (db: Reader, id: Id<'sso'>) =>
  db.maybe(read(ConnectionRow)`
  select id, name, kind, issuer, state, match_directory as "matchDirectory" from sso_connection where parent = app_parent() and id = ${id}`);
