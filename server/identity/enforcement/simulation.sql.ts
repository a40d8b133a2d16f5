import { z } from 'zod';
import { read, type Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Enforcement } from './enforcement.ts';
import type { PersonEvidence } from './simulation.ts';

const WayRow = z.object({
  id: z.custom<Id<'sso'>>(),
  name: z.string(),
  matchDirectory: z.boolean(),
  certificatesEnd: z.date().nullable(),
  refusesExpired: z.boolean(),
  outcomes: z.array(z.string()),
});

/** The connections that count, with the end of their certificates and how the newest ten attempts of the last day ended. */
export const listWays = (db: Reader, chosen: readonly Id<'sso'>[], dayAgo: Date) =>
  db.many(read(WayRow)`
  select c.id, c.name, c.match_directory as "matchDirectory", coalesce(m.expired_certificate = 'refuse', false) as "refusesExpired",
         (select max(k.not_after) from saml_certificate k where k.parent = c.parent and k.connection = c.id) as "certificatesEnd",
         array(select t.outcome from sign_in_trace t
                where t.parent = c.parent and t.connection = c.id and t.at >= ${dayAgo} and t.outcome <> 'tested' order by t.id desc limit 10) as outcomes
    from sso_connection c left join saml_connection m on m.parent = c.parent and m.connection = c.id
   where c.parent = app_parent() and c.state = 'active' and (${[...chosen]}::text[] = '{}' or c.id = any(${[...chosen]}::text[]))
   order by c.id`);

const MemberRow = z.object({ user: z.custom<Id<'usr'>>(), touched: z.boolean(), breakGlass: z.boolean() });

/** Members who are active, a page by user, and whether the stage would take them in. */
export const listStage = (db: Reader, e: Enforcement, p: { after: string; limit: number }) =>
  db.many(read(MemberRow)`
  select m.user_id as user, sso_stage_takes(${e.state === 'report_only' ? 'full' : e.state}, ${e.percent}, ${e.groups}::text[], m.user_id) as touched,
         break_glass_of_user(m.user_id) as "breakGlass"
    from member m join app_user u on u.parent = app_parent() and u.id = m.user_id and u.state = 'active'
   where m.org = app_org() and m.user_id > ${p.after}
   order by m.user_id limit ${p.limit}`);

const EvidenceRow: z.ZodType<PersonEvidence> = z.object({
  user: z.custom<Id<'usr'>>(),
  linked: z.array(z.custom<Id<'sso'>>()),
  externalId: z.string().nullable(),
  sameExternalId: z.number(),
  hasEntry: z.boolean(),
  seenAs: z.string().nullable(),
  provedAt: z.date().nullable(),
  otherwiseAt: z.date().nullable(),
  failedAt: z.date().nullable(),
  failedCode: z.string().nullable(),
  failedTrace: z.custom<Id<'sgn'>>().nullable(),
});

/**
 * How these people could sign in, from links, directories, traces and what identity providers said. A SAML subject has its format before the
 * value, which is what a directory knows. A refused sign-in has no user: it is found by its subject. What failed and who was not matched are
 * read once for the page of people, not once for each.
 */
export const listEvidence = (
  db: Reader,
  users: readonly Id<'usr'>[],
  counting: readonly Id<'sso'>[],
  since: Date,
): Promise<PersonEvidence[]> =>
  db.many(read(EvidenceRow)`
  with who as materialized (
    select u.parent, u.id, lower(u.email) as email, e.id as entry, e.external_id
      from app_user u
      left join lateral (
        select c.id, c.external_id from scim_user c
         where c.parent = u.parent and c.user_id = u.id and c.deleted_at is null order by c.external_id nulls last, c.id limit 1) e on true
     where u.parent = app_parent() and u.id = any(${users}::text[])),
  failed as materialized (
    select distinct on (t.connection, t.subject) t.connection, t.subject, regexp_replace(t.subject, '^[^:]*:', '') as value, t.at, t.outcome, t.id
      from sign_in_trace t
     where t.parent = app_parent() and t.at >= ${since} and t.connection = any(${counting}::text[]) and t.subject is not null
       and t.outcome not in ('signed_in', 'linked', 'tested')
     order by t.connection, t.subject, t.id desc),
  theirs as (
    select l.user_id, f.at, f.outcome, f.id from identity_link l join failed f on f.connection = l.connection and f.subject = l.subject
     where l.parent = app_parent() and l.user_id = any(${users}::text[])
    union all
    select w.id, f.at, f.outcome, f.id from who w join failed f on f.subject = w.external_id
    union all
    select w.id, f.at, f.outcome, f.id from who w join failed f on f.value = w.external_id),
  latest as (select distinct on (user_id) user_id, at, outcome, id from theirs order by user_id, id desc),
  strangers as materialized (
    select lower(i.email) as email, i.subject, i.other_id, i.last_seen_at from identity_seen i
     where i.parent = app_parent() and i.connection = any(${counting}::text[]) and i.user_id is null and i.last_seen_at >= ${since}),
  named as (
    select distinct on (w.id) w.id, s.subject from who w join strangers s on s.email = w.email
     where w.external_id is distinct from s.subject and w.external_id is distinct from s.other_id
     order by w.id, s.last_seen_at desc)
  select w.id as user,
         array(select distinct l.connection from identity_link l where l.parent = w.parent and l.user_id = w.id order by l.connection) as linked,
         w.external_id as "externalId", w.entry is not null as "hasEntry",
         coalesce((select count(*)::int from scim_user o
                    where o.parent = w.parent and o.external_id = w.external_id and o.deleted_at is null and o.user_id is not null), 0) as "sameExternalId",
         n.subject as "seenAs",
         (select max(s.created_at) from session s
           where s.parent = w.parent and s.user_id = w.id and s.connection = any(${counting}::text[]) and s.created_at >= ${since}) as "provedAt",
         (select max(s.created_at) from session s
           where s.parent = w.parent and s.user_id = w.id and (s.connection is null or s.connection <> all(${counting}::text[])) and s.created_at >= ${since}) as "otherwiseAt",
         f.at as "failedAt", f.outcome as "failedCode", f.id as "failedTrace"
    from who w left join named n on n.id = w.id left join latest f on f.user_id = w.id
   order by w.id`);
