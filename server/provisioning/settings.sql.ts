import { z } from 'zod';
import { prepared, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { givenRoles } from '#org/member.ts';
import { surfaces } from '#org/org.ts';
import type { LiveMapping } from './decide.ts';
import { DEFAULT_PREFIX, standingMappings, type Mapping } from './mapping.ts';
import { modes } from './mode.ts';

const SettingsRow = z.object({
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  surface: z.enum(surfaces),
  mode: z.enum(modes),
  prefix: z.string(),
  domains: z.array(z.string()),
  /** 0: nobody has set anything yet. */
  version: z.number(),
  /** Other organizations of the parent where groups decide: what a directory says matters to them, too. */
  followers: z.array(z.custom<Id<'org'>>()),
});
export type Settings = z.infer<typeof SettingsRow>;

/** How people come into the present organization. What nobody has set is what an organization without settings does. */
export const findSettings = (db: Reader): Promise<Settings> =>
  db.one(
    prepared(
      'org settings',
      read(SettingsRow)`
  select o.id as org, o.name, o.surface,
         coalesce(p.mode, case when exists (select from directory d where d.parent = app_parent() and d.org = o.id) then 'scim_permissive' else 'login_only' end) as mode,
         coalesce(p.prefix, ${DEFAULT_PREFIX}) as prefix, coalesce(p.domains, '{}') as domains, coalesce(p.version, 0) as version,
         array(select f.org from org_provisioning f where f.parent = app_parent() and f.org <> o.id and f.mode = 'scim_advanced' order by f.org) as followers
    from org o left join org_provisioning p on p.org = o.id
   where o.parent = app_parent() and o.id = app_org()`,
    ),
  );

/** Only one at a time changes the settings of an organization. */
export const lockSettings = (tx: Tx): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtextextended('provisioning ' || app_org(), 0))`);

export const saveSettings = (
  tx: Tx,
  s: Pick<Settings, 'mode' | 'prefix' | 'domains' | 'version'>,
  by: string,
  at: Date,
): Promise<number> =>
  tx.run(write`
  insert into org_provisioning (parent, org, mode, prefix, domains, version, changed_at, changed_by)
  values (app_parent(), app_org(), ${s.mode}, ${s.prefix}, ${s.domains}, ${s.version}, ${at}, ${by})
  on conflict (org) do update set mode = excluded.mode, prefix = excluded.prefix, domains = excluded.domains, version = excluded.version,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by`);

const OrgRow = z.object({ org: z.custom<Id<'org'>>() });
/** All organizations of the parent. */
export const listOrgIds = async (db: Reader): Promise<Id<'org'>[]> =>
  (await db.many(read(OrgRow)`select id as org from org where parent = app_parent() order by id`)).map((r) => r.org);

const MappingRow = z
  .object({
    id: z.custom<Id<'map'>>(),
    group: z.custom<Id<'grp'>>().nullable(),
    name: z.string().nullable(),
    role: z.enum(givenRoles),
    tier: z.string().nullable(),
  })
  .transform((r): Mapping => ({
    id: r.id,
    by: r.group === null ? { name: r.name ?? '' } : { group: r.group },
    role: r.role,
    tier: r.tier,
    standing: false,
  }));

/** The mappings that were made, oldest first; the pre-defined names stand beside them (mapping.ts). */
export const listMadeMappings = (db: Reader): Promise<Mapping[]> =>
  db.many(read(MappingRow)`
  select id, group_id as "group", name, role, seat_tier as tier from group_mapping where org = app_org() order by id`);

export const listMappings = async (db: Reader, s: Settings): Promise<Mapping[]> => [
  ...standingMappings(s),
  ...(await listMadeMappings(db)),
];

/** Makes the mappings exactly these. */
export async function replaceMappings(tx: Tx, mappings: readonly Mapping[], by: string, at: Date): Promise<void> {
  const made = mappings.filter((m) => !m.standing);
  const before = await listMadeMappings(tx);
  // A mapping that means another group or role is another mapping; only what is the same to the letter keeps who made it.
  const same = made.filter((m) => before.some((b) => sameMapping(m, b)));
  await tx.run(write`
    delete from group_mapping where org = app_org() and not (id = any(${same.map((m) => m.id)}::text[]))`);
  await tx.run(write`
    insert into group_mapping (org, id, group_id, name, role, seat_tier, created_by, created_at)
    select app_org(), r.id, r.group_id, r.name, r.role, r.tier, ${by}, ${at}
      from unnest(${made.map((m) => m.id)}::text[], ${made.map((m) => ('group' in m.by ? m.by.group : null))}::text[],
                  ${made.map((m) => ('name' in m.by ? m.by.name : null))}::text[], ${made.map((m) => m.role)}::text[], ${made.map((m) => m.tier)}::text[])
        as r(id, group_id, name, role, tier)
    on conflict (id) do nothing`);
}

const sameMapping = (a: Mapping, b: Mapping): boolean =>
  a.id === b.id &&
  a.role === b.role &&
  a.tier === b.tier &&
  ('group' in a.by ? 'group' in b.by && a.by.group === b.by.group : 'name' in b.by && a.by.name === b.by.name);

const MeantRow = z.object({ id: z.custom<Id<'grp'>>(), name: z.string().nullable() });

/**
 * The groups that mappings mean now. A name means the groups of directories and of the attribute `groups` that are called exactly so;
 * a group made by hand is meant by id only, so that nobody gets a role by thinking of the right name for one.
 */
export async function liveMappings(db: Reader, mappings: readonly Mapping[]): Promise<LiveMapping[]> {
  const ids = mappings.flatMap((m) => ('group' in m.by ? [m.by.group] : []));
  const names = mappings.flatMap((m) => ('name' in m.by ? [m.by.name] : []));
  const found = await db.many(read(MeantRow)`
    select id, display_name as name from scim_group where parent = app_parent() and (id = any(${ids}::text[]) or display_name = any(${names}::text[]))
    union all
    select id, case when attribute = 'groups' then name end as name from org_group
     where parent = app_parent() and (id = any(${ids}::text[]) or (attribute = 'groups' and name = any(${names}::text[])))`);
  return mappings.map(({ id, role, tier, by }) => ({
    id,
    role,
    tier,
    groups: found.filter((f) => ('group' in by ? f.id === by.group : f.name === by.name)).map((f) => f.id),
  }));
}
