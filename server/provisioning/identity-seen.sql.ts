import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { SaidAtSignIn } from './sign-in.ts';

/** Notes how an identity provider named somebody. An account once known is not forgotten by a later refusal. */
export const saveIdentitySeen = (
  tx: Tx,
  s: Pick<SaidAtSignIn, 'connection' | 'subject' | 'otherId' | 'email'>,
  user: Id<'usr'> | undefined,
  at: Date,
): Promise<number> =>
  tx.run(write`
  insert into identity_seen as i (parent, connection, subject, other_id, email, user_id, first_seen_at, last_seen_at)
  values (app_parent(), ${s.connection}, ${s.subject}, ${s.otherId ?? null}, ${s.email ?? null}, ${user ?? null}, ${at}, ${at})
  on conflict (parent, connection, subject) do update set other_id = excluded.other_id, email = excluded.email,
    user_id = coalesce(excluded.user_id, i.user_id), last_seen_at = excluded.last_seen_at`);

const PairRow = z.object({
  entry: z.custom<Id<'scu'>>(),
  user: z.custom<Id<'usr'>>().nullable(),
  unlinkedBecause: z.string().nullable(),
  userName: z.string(),
  mail: z.string().nullable(),
  externalId: z.string().nullable(),
  active: z.boolean(),
  accountEmail: z.string().nullable(),
  connection: z.custom<Id<'sso'>>().nullable(),
  subject: z.string().nullable(),
  otherId: z.string().nullable(),
  seenEmail: z.string().nullable(),
  seenUser: z.custom<Id<'usr'>>().nullable(),
  /** Subjects that came with this very address through one connection. */
  subjects: z.number(),
});
/** An entry of a directory beside the sign-in that is, or by its address seems to be, of the same person. */
export type Pair = z.infer<typeof PairRow>;

/** Entries of the organization's directories, each with its latest sign-in. By entry. */
export const listPairs = (db: Reader, f: { like: string | null; after: string; limit: number }): Promise<Pair[]> =>
  db.many(read(PairRow)`
  select e.id as entry, e.user_id as "user", e.unlinked_because as "unlinkedBecause", e.attributes ->> 'userName' as "userName",
         (select v.value_key from scim_email v where v.scim_user = e.id order by v.is_primary desc nulls last, v.position limit 1) as mail,
         e.external_id as "externalId", e.active, u.email as "accountEmail",
         i.connection, i.subject, i.other_id as "otherId", i.email as "seenEmail", i.user_id as "seenUser",
         (select count(*)::int from identity_seen j where j.parent = app_parent() and i.connection = j.connection and lower(j.email) = lower(i.email)) as subjects
    from scim_user e join directory d on d.parent = e.parent and d.id = e.directory and d.org = app_org()
    left join app_user u on u.parent = app_parent() and u.id = e.user_id
    left join lateral (
      select c.connection, c.subject, c.other_id, c.email, c.user_id, c.last_seen_at from (
        select s.connection, s.subject, s.other_id, s.email, s.user_id, s.last_seen_at from identity_seen s
         where s.parent = app_parent() and s.user_id = e.user_id
        union all
        select s.connection, s.subject, s.other_id, s.email, s.user_id, s.last_seen_at from identity_seen s
         where s.parent = app_parent() and s.user_id is null
           and lower(s.email) in (e.user_name_key, (select v.value_key from scim_email v where v.scim_user = e.id order by v.is_primary desc nulls last, v.position limit 1))
      ) c order by c.last_seen_at desc limit 1) i on true
   where e.parent = app_parent() and e.deleted_at is null and e.id > ${f.after}
     and (${f.like}::text is null or e.user_name_key ilike ${f.like} or u.email ilike ${f.like} or i.email ilike ${f.like})
   order by e.id limit ${f.limit}`);
