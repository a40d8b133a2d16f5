import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { givenRoles, memberRoles, type MemberRole } from '#org/member.ts';
import { decide } from './decide.ts';
import { MAX_MAPPINGS, noMapping, standingMappings, type Mapping } from './mapping.ts';
import { isAdvanced, isJit, modes } from './mode.ts';
import type { Facts } from './person.sql.ts';
import { lower, situationOf, type Rules } from './settle-people.ts';
import type { Settings } from './settings.sql.ts';

const Tier = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'a tier is up to 40 small letters, digits, - and _');
export const GroupId = z.custom<Id<'grp'>>(
  (v) => typeof v === 'string' && /^grp_[0-9a-f]{32}$/.test(v),
  'not the id of a group',
);
const MappingId = z.custom<Id<'map'>>(
  (v) => typeof v === 'string' && /^map_[0-9a-f]{32}$/.test(v),
  'not the id of a mapping',
);
export const Prefix = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    'a prefix is up to 40 small letters, digits and -, and neither begins nor ends with -',
  );
export const Domain = z
  .string()
  .toLowerCase()
  .regex(
    /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'not a domain such as corp.example',
  );

/** One thing to change. Several make one plan. */
export const Edit = z.discriminatedUnion('set', [
  z.strictObject({ set: z.literal('mode'), mode: z.enum(modes) }),
  z.strictObject({ set: z.literal('prefix'), prefix: Prefix }),
  z.strictObject({ set: z.literal('domains'), domains: z.array(Domain).max(100) }),
  z.strictObject({
    set: z.literal('map'),
    group: GroupId.optional(),
    name: z.string().min(1).max(256).optional(),
    role: z.enum(givenRoles),
    tier: Tier.nullable().default(null),
  }),
  z.strictObject({ set: z.literal('unmap'), mapping: MappingId }),
]);
export type Edit = z.infer<typeof Edit>;

/** What the settings would be. Stored with the plan, so that what is applied is what was looked at. */
export const Target = z.object({
  mode: z.enum(modes),
  prefix: z.string(),
  domains: z.array(z.string()),
  mappings: z.array(
    z.object({
      id: MappingId,
      by: z.union([z.object({ group: GroupId }), z.object({ name: z.string() })]),
      role: z.enum(givenRoles),
      tier: z.string().nullable(),
      standing: z.literal(false),
    }),
  ),
});
export type Target = z.infer<typeof Target>;

export const changesOfAccess = ['gains', 'loses', 'raised', 'lowered'] as const;
export type Line = {
  user: Id<'usr'>;
  what: (typeof changesOfAccess)[number];
  from: MemberRole | null;
  to: MemberRole | null;
  atNextSignIn: boolean;
  because: string;
};
export type Summary = Record<Line['what'], number>;

/** The settings after the edits. `make` gives each new mapping its id. */
export function edited(now: Target, edits: readonly Edit[], make: () => Id<'map'>): Target {
  const t: Target = { ...now, mappings: [...now.mappings] };
  for (const e of edits)
    switch (e.set) {
      case 'mode':
        t.mode = e.mode;
        break;
      case 'prefix':
        t.prefix = e.prefix;
        break;
      case 'domains':
        t.domains = [...new Set(e.domains)].sort();
        break;
      case 'unmap': {
        const left = t.mappings.filter((m) => m.id !== e.mapping);
        if (left.length === t.mappings.length) throw noMapping();
        t.mappings = left;
        break;
      }
      case 'map': {
        const { group, name } = e;
        const by =
          group !== undefined && name === undefined
            ? { group }
            : name !== undefined && group === undefined
              ? { name }
              : undefined;
        if (!by)
          throw new Problem('invalid', 'provisioning/group-or-name', {
            says: `a mapping is of a group or of a name; this one has ${group === undefined ? 'neither' : 'both'}`,
            fix: 'send `group` for a group that has come, or `name` for one that will',
          });
        const same = (m: Target['mappings'][number]): boolean =>
          'group' in by ? 'group' in m.by && m.by.group === by.group : 'name' in m.by && m.by.name === by.name;
        // One group, one role: mapping it again says another.
        t.mappings = [
          ...t.mappings.filter((m) => !same(m)),
          { id: make(), by, role: e.role, tier: e.tier, standing: false },
        ];
      }
    }
  if (t.mappings.length > MAX_MAPPINGS)
    throw new Problem('conflict', 'provisioning/too-many-mappings', {
      says: `there would be ${t.mappings.length} mappings; ${MAX_MAPPINGS} is the most`,
      fix: 'put groups that give the same role into one group at the identity provider',
    });
  return t;
}

export const mappingsOf = (s: Settings, t: Target): Mapping[] => [
  ...standingMappings({ ...s, prefix: t.prefix }),
  ...t.mappings,
];

/** What the plan does to one person, if anything. Where sign-ins decide, the next sign-in is played through. */
export function lineOf(rules: Rules, f: Facts, lastOwner: boolean): Line | undefined {
  if (f.account === 'suspended') return undefined;
  const atNextSignIn = isJit(rules.settings.mode);
  const d = decide(situationOf(rules, atNextSignIn ? 'login' : 'mode_change', f, { lastOwner }));
  const line = (what: Line['what'], to: MemberRole | null): Line => ({
    user: f.user,
    what,
    from: f.role,
    to,
    atNextSignIn,
    because: d.reasons.join(' '),
  });
  if (f.role === null) return d.admit && d.role ? line('gains', d.role) : undefined;
  if (!d.admit || d.role === undefined) return line('loses', null);
  if (d.role === f.role) return undefined;
  return line(lower(f.role, d.role) ? 'lowered' : 'raised', d.role);
}

export const summaryOf = (lines: readonly Line[]): Summary => {
  const sum: Summary = { gains: 0, loses: 0, raised: 0, lowered: 0 };
  for (const l of lines) sum[l.what]++;
  return sum;
};

/** Over everything that the plan was computed from and what came out: whatever changes meanwhile changes this. */
export const planHash = (version: number, target: Target, lines: readonly Line[]): string =>
  createHash('sha256')
    .update(JSON.stringify([version, target.mode, target.prefix, target.domains, target.mappings]))
    .update(JSON.stringify(lines.map((l) => [l.user, l.what, l.from, l.to, l.atNextSignIn])))
    .digest('hex');

/** What two computations of one plan disagree about. */
export function difference(
  before: readonly Line[],
  after: readonly Line[],
): { user: Id<'usr'>; was: string; is: string }[] {
  const say = (l: Line | undefined): string => (l ? `${l.what}${l.to ? ` ${l.to}` : ''}` : 'unchanged');
  const was = new Map(before.map((l) => [l.user, l]));
  const is = new Map(after.map((l) => [l.user, l]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((u) => say(was.get(u)) !== say(is.get(u)))
    .map((u) => ({ user: u, was: say(was.get(u)), is: say(is.get(u)) }));
}

/**
 * INVARIANT (no plan locks everybody out): refuses a plan that would shut out, or take ownership from, whoever applies it, or leave nobody
 * who owns. `owners`: who could sign in as one today; `actor`: who stands behind the request.
 */
export function refuseLockOut(
  lines: readonly Line[],
  owners: readonly { user: Id<'usr'>; role: MemberRole }[],
  actor: { user: Id<'usr'>; role: MemberRole } | undefined,
): void {
  const mine = actor && lines.find((l) => l.user === actor.user && (l.what === 'loses' || l.what === 'lowered'));
  if (mine)
    throw new Problem('conflict', 'provisioning/locks-you-out', {
      says: `under this plan you would ${mine.what === 'loses' ? 'lose access' : `become ${mine.to ?? 'less'}`}: ${mine.because}`,
      fix: 'put yourself into a group that is mapped to owner, or map one that you are in, and look at the plan again',
    });
  const gone = new Set(lines.filter((l) => l.what === 'loses' || l.what === 'lowered').map((l) => l.user));
  const stays = owners.some((o) => !gone.has(o.user)) || lines.some((l) => l.to === 'owner');
  if (!stays)
    throw new Problem('conflict', 'provisioning/no-owner-left', {
      says: 'under this plan nobody would be an owner who can sign in',
      fix: 'map a group of owners first, and look at the plan again',
    });
}

/** Whether somebody must write the organization's name, because no group has come whose people would be owners. */
export const needsConfirming = (target: Target, ownersMapped: number): boolean =>
  isAdvanced(target.mode) && ownersMapped === 0;

export const roleOrNull = z.enum(memberRoles).nullable();
