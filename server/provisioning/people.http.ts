import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import { applyHeld } from './apply-held.ts';
import { decide } from './decide.ts';
import { mismatchCodes, mismatchesOf } from './diagnose.ts';
import { discardHeld } from './discard-held.ts';
import { exemptPerson, noPerson } from './exempt-person.ts';
import { listExempt, listTombstones } from './exempt.sql.ts';
import { explainPerson } from './explain-person.ts';
import { listPairs } from './identity-seen.sql.ts';
import { letInAgain } from './let-in-again.ts';
import { causes, modes, sources } from './mode.ts';
import { nothingHeld } from './nothing-held.ts';
import { listConcerned, type Facts } from './person.sql.ts';
import { reasons } from './reason.ts';
import { listHeld, takings } from './removal.sql.ts';
import { mappedGroups, rulesOf, situationOf } from './settle-people.ts';
import { findSettings } from './settings.sql.ts';
import { inside, OrgPath, ShownDecision, shownDecision, Time } from './shown.ts';

const UserPath = z.object({
  ...inside,
  user: z.string().transform((text): Id<'usr'> => {
    const id = parseId('usr', text);
    if (!id) throw noPerson();
    return id;
  }),
});
const time = (d: Date | null): string | null => d?.toISOString() ?? null;

const ShownPerson = z.object({
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  account: z.enum(['active', 'suspended']),
  role: z.enum(memberRoles).nullable(),
  source: z.enum(sources).nullable(),
  tier: z.string().nullable(),
  directory: z.enum(['absent', 'active', 'disabled', 'deleted']),
  /** When an identity provider last stood behind the membership. */
  lastAsserted: Time.nullable(),
  lastSignIn: Time.nullable(),
  seatSince: Time.nullable(),
  removed: z.object({ cause: z.enum(causes), at: Time }).nullable(),
  breakGlass: z.boolean(),
  held: z.boolean(),
});
const shownPerson = (f: Facts): z.infer<typeof ShownPerson> => ({
  ...f,
  directory: f.scim,
  lastAsserted: time(f.assertedAt),
  lastSignIn: time(f.lastSignInAt),
  seatSince: time(f.activatedAt),
  removed: f.member === null && f.tombstone && f.leftAt ? { cause: f.tombstone, at: f.leftAt.toISOString() } : null,
});

const ShownHeld = z.object({
  id: z.string(),
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles).nullable(),
  kind: z.enum(takings),
  directory: z.string().nullable(),
  group: z.string().nullable(),
  groupName: z.string().nullable(),
  at: Time,
});
const removalId = z.string().transform((text): Id<'rem'> => {
  const id = parseId('rem', text);
  if (!id) throw nothingHeld();
  return id;
});
const Which = z.strictObject({ removals: z.union([z.literal('all'), z.array(removalId).min(1).max(1000)]) });

/** People: drift, explanation, what the brake holds, who was removed, who is exempt, and where the two sides do not fit. */
export const peopleOperations: readonly Operation[] = [
  operation({
    id: 'provisioning.list_people',
    at: 'GET /orgs/:org/provisioning/people',
    can: 'member.read',
    says: 'Lists everybody whom provisioning knows, when an identity provider last stood behind them, and what the next sync would do.',
    params: OrgPath,
    query: ListQuery.extend({ drift: z.enum(['any', 'only']).default('any') }),
    reply: listOf(ShownPerson.extend({ drift: z.array(z.string()), reasons: z.array(z.string()) })),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const rules = await rulesOf(db, await findSettings(db));
        const rows = await listConcerned(db, mappedGroups(rules.mappings), {
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
          like: containing(query.q),
        });
        // A page is of people looked at, so that one without any drift still leads on to the next.
        const { items, next } = listed(rows, query.limit, (f) => [f.user]);
        const shown = items.map((f) => {
          const d = decide(situationOf(rules, 'resync', f, { lastOwner: false }));
          return { ...shownPerson(f), drift: d.effects.map((e) => e.do), reasons: d.reasons.map((r) => reasons[r]) };
        });
        return { items: query.drift === 'only' ? shown.filter((p) => p.drift.length > 0 || p.held) : shown, next };
      }),
  }),
  operation({
    id: 'provisioning.explain_person',
    at: 'GET /orgs/:org/provisioning/people/:user',
    can: 'member.read',
    says: 'Explains why a person is in or out, and what the next sign-in and the next sync would do.',
    params: UserPath,
    reply: ShownPerson.extend({
      mode: z.enum(modes),
      groups: z.array(z.string()),
      signIn: ShownDecision,
      sync: ShownDecision,
    }),
    async handle(ctx, { params }) {
      const e = await explainPerson(inOrg(ctx), params.user);
      return {
        ...shownPerson(e.facts),
        mode: e.mode,
        groups: e.groups,
        signIn: shownDecision(e.signIn),
        sync: shownDecision(e.sync),
      };
    },
  }),
  operation({
    id: 'provisioning.list_held',
    at: 'GET /orgs/:org/provisioning/held',
    can: 'member.read',
    says: 'Lists people whose removal the brake holds.',
    params: OrgPath,
    query: ListQuery,
    reply: listOf(ShownHeld),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const rows = await listHeld(db, {
          like: containing(query.q),
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, (h) => [h.id]);
        return { items: items.map((h) => ({ ...h, at: h.at.toISOString() })), next };
      }),
  }),
  operation({
    id: 'provisioning.apply_held',
    at: 'POST /orgs/:org/provisioning/held/apply',
    can: 'directory.manage',
    says: 'Lets held removals happen.',
    params: OrgPath,
    body: Which,
    reply: z.object({ count: z.number() }),
    handle: (ctx, { body }) => applyHeld(inOrg(ctx), body.removals),
  }),
  operation({
    id: 'provisioning.discard_held',
    at: 'POST /orgs/:org/provisioning/held/discard',
    can: 'directory.manage',
    says: 'Discards held removals and puts back what the directory had taken.',
    params: OrgPath,
    body: Which,
    reply: z.object({ count: z.number(), entries: z.number(), memberships: z.number() }),
    handle: (ctx, { body }) => discardHeld(inOrg(ctx), body.removals),
  }),
  operation({
    id: 'provisioning.list_tombstones',
    at: 'GET /orgs/:org/provisioning/removed',
    can: 'member.read',
    says: 'Lists who was removed and is not back.',
    params: OrgPath,
    query: ListQuery,
    reply: listOf(
      z.object({
        user: z.string(),
        email: z.string(),
        displayName: z.string(),
        role: z.enum(memberRoles),
        cause: z.enum(causes),
        at: Time,
      }),
    ),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const rows = await listTombstones(db, {
          like: containing(query.q),
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, (t) => [t.user]);
        return { items: items.map((t) => ({ ...t, at: t.at.toISOString() })), next };
      }),
  }),
  operation({
    id: 'provisioning.let_in_again',
    at: 'DELETE /orgs/:org/provisioning/removed/:user',
    can: 'directory.manage',
    says: 'Lets somebody who was removed come in again by the rules of the mode.',
    params: UserPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => letInAgain(inOrg(ctx), params.user).then(() => undefined),
  }),
  operation({
    id: 'provisioning.list_exempt',
    at: 'GET /orgs/:org/provisioning/exempt',
    can: 'member.read',
    says: 'Lists break-glass accounts, which no identity provider can change.',
    params: OrgPath,
    reply: listOf(z.object({ user: z.string(), email: z.string(), why: z.string(), setBy: z.string(), setAt: Time })),
    handle: async (ctx) => ({
      items: (await ctx.db.read(scopeOf(ctx), listExempt)).map((e) => ({ ...e, setAt: e.setAt.toISOString() })),
      next: null,
    }),
  }),
  operation({
    id: 'provisioning.exempt_person',
    at: 'PUT /orgs/:org/provisioning/exempt/:user',
    can: 'directory.manage',
    says: 'Makes a member a break-glass account.',
    params: UserPath,
    body: z.strictObject({ why: z.string().trim().min(1).max(500) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params, body }) => exemptPerson(inOrg(ctx), params.user, body.why).then(() => undefined),
  }),
  operation({
    id: 'provisioning.end_exemption',
    at: 'DELETE /orgs/:org/provisioning/exempt/:user',
    can: 'directory.manage',
    says: 'Ends that a member is a break-glass account.',
    params: UserPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => exemptPerson(inOrg(ctx), params.user, undefined).then(() => undefined),
  }),
  operation({
    id: 'provisioning.diagnose',
    at: 'GET /orgs/:org/provisioning/diagnostics',
    can: 'member.read',
    says: 'Lists people whom directory and sign-in name differently, with both sides and the repair.',
    params: OrgPath,
    query: ListQuery,
    reply: listOf(
      z.object({
        entry: z.string(),
        user: z.string().nullable(),
        userName: z.string(),
        mismatches: z.array(
          z.object({
            code: z.enum(mismatchCodes),
            directory: z.string(),
            signIn: z.string(),
            says: z.string(),
            fix: z.string(),
            harm: z.enum(['keeps_out', 'may_keep_out', 'harmless']),
          }),
        ),
      }),
    ),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const rows = await listPairs(db, {
          like: containing(query.q?.toLowerCase()),
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, (p) => [p.entry]);
        const shown = items.map((p) => ({ ...p, mismatches: mismatchesOf(p) }));
        return { items: shown.filter((p) => p.mismatches.length > 0), next };
      }),
  }),
];
