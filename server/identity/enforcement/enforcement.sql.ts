import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { enforcementStates, noEnforcement, type Asked, type Enforcement, type Via } from './enforcement.ts';

const EnforcementRow = z.object({
  state: z.enum(enforcementStates),
  percent: z.number(),
  groups: z.array(z.custom<Id<'grp'>>()),
  connections: z.array(z.custom<Id<'sso'>>()),
  returnedBecause: z.string().nullable(),
  changedBy: z.string().nullable(),
  changedAt: z.date().nullable(),
});
/** The enforcement of the present organization, with who set it. */
export type EnforcementFacts = Enforcement & z.infer<typeof EnforcementRow>;

const nothing: EnforcementFacts = { ...noEnforcement, returnedBecause: null, changedBy: null, changedAt: null };

export const findEnforcement = async (db: Reader): Promise<EnforcementFacts> =>
  (await db.maybe(read(EnforcementRow)`
  select state, percent, groups, connections, returned_because as "returnedBecause", changed_by as "changedBy", changed_at as "changedAt"
    from sso_enforcement where org = app_org()`)) ?? nothing;

/** Only one at a time changes the enforcement of an organization, also the first. */
export const lockEnforcement = (tx: Tx): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtextextended('sso enforcement ' || app_org(), 0))`);

export const saveEnforcement = (
  tx: Tx,
  e: Enforcement & { previewHash: string | null; returnedBecause: string | null },
  by: string,
  at: Date,
): Promise<number> =>
  tx.run(write`
  insert into sso_enforcement (org, state, percent, groups, connections, preview_hash, returned_because, changed_by, changed_at)
  values (app_org(), ${e.state}, ${e.percent}, ${e.groups}, ${e.connections}, ${e.previewHash}, ${e.returnedBecause}, ${by}, ${at})
  on conflict (org) do update set state = excluded.state, percent = excluded.percent, groups = excluded.groups, connections = excluded.connections,
    preview_hash = coalesce(excluded.preview_hash, sso_enforcement.preview_hash), returned_because = excluded.returned_because,
    changed_by = excluded.changed_by, changed_at = excluded.changed_at`);

const AskedRow: z.ZodType<Asked> = z.object({
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  state: z.enum(['report_only', 'staged', 'full']),
  applies: z.boolean(),
  breakGlass: z.boolean(),
  connections: z.array(z.custom<Id<'sso'>>()),
});

/** What the organizations of this user ask of a sign-in; those where enforcement is off are left out. */
export const listAsked = (db: Reader, user: Id<'usr'>): Promise<Asked[]> =>
  db.many(read(AskedRow)`
  select org, name, state, applies, break_glass as "breakGlass", connections from enforcement_of_user(${user})`);

export const insertHit = (
  tx: Tx,
  h: { id: Id<'hit'>; user: Id<'usr'>; via: Via; refused: boolean },
  at: Date,
): Promise<number> =>
  tx.run(write`
  insert into sso_enforcement_hit (org, id, at, user_id, via, connection, refused)
  values (app_org(), ${h.id}, ${at}, ${h.user}, ${h.via.kind}, ${h.via.kind === 'sso' ? h.via.connection : null}, ${h.refused})`);

const HitsRow = z.object({ sinceDays: z.number(), wouldRefuse: z.number(), refused: z.number(), people: z.number() });
export type Hits = z.infer<typeof HitsRow>;

/** How often, and for how many people, enforcement refused or would have refused. */
export const countHits = (db: Reader, since: Date, sinceDays: number): Promise<Hits> =>
  db.one(read(HitsRow)`
  select ${sinceDays}::int as "sinceDays", (count(*) filter (where not refused))::int as "wouldRefuse", (count(*) filter (where refused))::int as refused,
         count(distinct user_id)::int as people
    from sso_enforcement_hit where org = app_org() and at >= ${since}`);

const SessionRow = z.object({ session: z.custom<Id<'ses'>>(), user: z.custom<Id<'usr'>>() });

/** Sessions of members that this enforcement ends: live, and not opened through a connection that counts. */
export const listSessionsToEnd = (
  db: Reader,
  e: Enforcement,
  f: { now: Date; idleSince: Date; limit: number },
): Promise<z.infer<typeof SessionRow>[]> =>
  db.many(read(SessionRow)`
  select s.id as session, s.user_id as user
    from session s join member m on m.org = app_org() and m.user_id = s.user_id
   where s.parent = app_parent() and s.revoked_at is null and s.expires_at > ${f.now} and s.last_seen_at > ${f.idleSince}
     and (s.connection is null or (${e.connections}::text[] <> '{}' and s.connection <> all(${e.connections}::text[])))
     and sso_stage_takes(${e.state}, ${e.percent}, ${e.groups}::text[], s.user_id) and not break_glass_of_user(s.user_id)
   order by s.id
   limit ${f.limit}`);

/** A sign-in through a connection that counts, by an owner who is active now: the newest. */
export const findOwnerProof = (db: Reader, connections: readonly Id<'sso'>[], since: Date) =>
  db.maybe(read(z.object({ user: z.custom<Id<'usr'>>(), at: z.date() }))`
  select s.user_id as user, s.created_at as at
    from session s join member m on m.org = app_org() and m.user_id = s.user_id join app_user u on u.parent = s.parent and u.id = s.user_id
   where s.parent = app_parent() and m.role in ('primary_owner', 'owner') and u.state = 'active' and s.created_at >= ${since}
     and s.connection = any(${connections}::text[])
   order by s.created_at desc limit 1`);

const OutcomeRow = z.object({ outcome: z.string(), n: z.number() });

/** How attempts through these connections ended since a time. */
export const countOutcomes = (db: Reader, connections: readonly Id<'sso'>[], since: Date) =>
  db.many(read(OutcomeRow)`
  select outcome, count(*)::int as n from sign_in_trace
   where parent = app_parent() and at >= ${since} and connection = any(${connections}::text[]) and outcome <> 'tested'
   group by outcome order by outcome`);

const ActiveRow = z.object({ id: z.custom<Id<'sso'>>() });
/** Connections of any kind that people can sign in through and that the enforcement takes. */
export const listCounting = async (db: Reader, chosen: readonly Id<'sso'>[]): Promise<Id<'sso'>[]> =>
  (
    await db.many(read(ActiveRow)`
  select id from sso_connection
   where parent = app_parent() and state = 'active' and (${[...chosen]}::text[] = '{}' or id = any(${[...chosen]}::text[])) order by id`)
  ).map((r) => r.id);

const EnforcingRow = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  enforcing: z.boolean(),
});
/** For `Db.lookup`: where enforcement could have to step back, or something is old. */
export const lookupEnforcing = () =>
  read(z.object({ orgs: z.array(EnforcingRow) }))`
  select coalesce(jsonb_agg(to_jsonb(e)), '[]') as orgs from lookup_enforcing_orgs() e`;

/** What was kept for looking at and is old by now. */
export async function deleteOldTraces(tx: Tx, now: Date): Promise<void> {
  await tx.run(write`delete from sign_in_claims where parent = app_parent() and kept_until < ${now}`);
  await tx.run(
    write`delete from sso_enforcement_hit where org = app_org() and at < ${new Date(now.getTime() - 90 * 86_400_000)}`,
  );
  await tx.run(
    write`delete from sso_test where org = app_org() and created_at < ${new Date(now.getTime() - 7 * 86_400_000)}`,
  );
}
