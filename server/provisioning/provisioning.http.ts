import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { givenRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import { BRAKE_GROUP, BRAKE_WINDOW_MS, brakeLimit } from './brake.ts';
import { changeHandGroup } from './change-hand-group.ts';
import { noPerson } from './exempt-person.ts';
import { findNearMisses } from './find-near-misses.ts';
import { fixNearMiss } from './fix-near-miss.ts';
import { listGroupPeople, listGroups, listKnownGroups } from './group.sql.ts';
import { noHandGroup } from './hand-group.ts';
import { makeGroup } from './make-group.ts';
import { noMapping } from './mapping.ts';
import { modes } from './mode.ts';
import { missKinds } from './near-miss.ts';
import { peopleOperations } from './people.http.ts';
import { countMembers } from './person.sql.ts';
import { noGroup } from './plan-for.ts';
import { planOperations, ShownOutcome } from './plans.http.ts';
import { countHeld } from './removal.sql.ts';
import type { Unverified } from './preview-plan.ts';
import { seatOperations, type LastCalls } from './seats.http.ts';
import { findSettings, listMappings, liveMappings } from './settings.sql.ts';
import { inside, OrgPath, ShownMapping, shownMapping, Time } from './shown.ts';
import { syncOrg } from './sync-org.ts';

const idOf = <K extends string>(kind: K, missing: (text: string) => Error) =>
  z.string().transform((text): Id<K> => {
    const id = parseId(kind, text);
    if (!id) throw missing(text);
    return id;
  });
const GroupPath = z.object({ ...inside, group: idOf('grp', noHandGroup) });
const InGroupPath = z.object({ ...inside, group: idOf('grp', noHandGroup), user: idOf('usr', noPerson) });

const ShownGroup = z.object({
  id: z.string(),
  name: z.string(),
  source: z.enum(['directory', 'attribute', 'hand']),
  from: z.string().nullable(),
  externalId: z.string().nullable(),
  members: z.number(),
  firstSeen: Time,
  lastSeen: Time,
  mapped: z.array(z.object({ mapping: z.string(), role: z.enum(givenRoles), tier: z.string().nullable() })),
});
const ShownMiss = z.object({
  mapping: z.string(),
  group: z.string(),
  wanted: z.string(),
  seen: z.string(),
  members: z.number(),
  role: z.enum(givenRoles),
  kind: z.enum(missKinds),
  says: z.string(),
  fix: z.string(),
});

const settingsOperations = (unverified: Unverified): readonly Operation[] => [
  operation({
    id: 'provisioning.find_settings',
    at: 'GET /orgs/:org/provisioning',
    can: 'member.read',
    says: 'Shows how people come into the organization, and whether the brake holds anybody.',
    params: OrgPath,
    reply: z.object({
      mode: z.enum(modes),
      prefix: z.string(),
      domains: z.array(z.string()),
      /** Those of them by which no account is made now, because they are not verified, or not any more. */
      unverifiedDomains: z.array(z.string()),
      version: z.number(),
      brake: z.object({ held: z.number(), limit: z.number(), minutes: z.number(), emptiedGroup: z.number() }),
    }),
    handle: (ctx) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const { mode, prefix, domains, version } = await findSettings(db);
        const brake = {
          held: await countHeld(db),
          limit: brakeLimit(await countMembers(db)),
          minutes: BRAKE_WINDOW_MS / 60_000,
          emptiedGroup: BRAKE_GROUP,
        };
        const unverifiedDomains = await unverified(db, ctx.parent, domains);
        return { mode, prefix, domains, unverifiedDomains, version, brake };
      }),
  }),
  operation({
    id: 'provisioning.list_mappings',
    at: 'GET /orgs/:org/provisioning/mappings',
    can: 'member.read',
    says: 'Lists which groups give which role, the pre-defined names first, each with what was seen of it.',
    params: OrgPath,
    reply: listOf(ShownMapping),
    handle: (ctx) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const mappings = await listMappings(db, await findSettings(db));
        const live = await liveMappings(db, mappings);
        const groups = await listKnownGroups(
          db,
          live.flatMap((l) => l.groups),
        );
        const items = mappings.map((m) => {
          const mine = live.find((l) => l.id === m.id)?.groups ?? [];
          return shownMapping(
            m,
            groups.filter((g) => mine.includes(g.id)),
          );
        });
        return { items, next: null };
      }),
  }),
  operation({
    id: 'provisioning.list_groups',
    at: 'GET /orgs/:org/provisioning/groups',
    can: 'member.read',
    says: 'Lists every group that came or was made, with first and last seen, source, members and mapping.',
    params: OrgPath,
    query: ListQuery.extend({ source: z.enum(['directory', 'attribute', 'hand']).optional() }),
    reply: listOf(ShownGroup),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const live = await liveMappings(db, await listMappings(db, await findSettings(db)));
        const rows = await listGroups(db, {
          like: containing(query.q),
          source: query.source ?? null,
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, (g) => [g.id]);
        return {
          items: items.map((g) => ({
            ...g,
            firstSeen: g.firstSeen.toISOString(),
            lastSeen: g.lastSeen.toISOString(),
            mapped: live
              .filter((m) => m.groups.includes(g.id))
              .map(({ id, role, tier }) => ({ mapping: id, role, tier })),
          })),
          next,
        };
      }),
  }),
  operation({
    id: 'provisioning.list_group_people',
    at: 'GET /orgs/:org/provisioning/groups/:group/members',
    can: 'member.read',
    says: 'Lists the accounts in a group of whatever kind.',
    params: z.object({ ...inside, group: idOf('grp', noGroup) }),
    query: ListQuery,
    reply: listOf(z.object({ user: z.string(), email: z.string(), displayName: z.string(), asserted: Time })),
    handle: (ctx, { params, query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        if ((await listKnownGroups(db, [params.group])).length === 0) throw noGroup(params.group);
        const rows = await listGroupPeople(db, params.group, {
          like: containing(query.q),
          after: query.cursor?.[0] ?? '',
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, (r) => [r.user]);
        return { items: items.map((r) => ({ ...r, asserted: r.asserted.toISOString() })), next };
      }),
  }),
  operation({
    id: 'provisioning.list_near_misses',
    at: 'GET /orgs/:org/provisioning/near-misses',
    can: 'member.read',
    says: 'Lists groups that came under nearly the name that a mapping waits for.',
    params: OrgPath,
    reply: listOf(ShownMiss),
    handle: async (ctx) => ({
      items: (await ctx.db.read(scopeOf(ctx), findNearMisses)).map((m) => ({
        mapping: m.mapping.id,
        group: m.seen.id,
        wanted: m.wanted,
        seen: m.seen.name,
        members: m.seen.members,
        role: m.mapping.role,
        kind: m.kind,
        says: m.says,
        fix: `map it as is: POST /api/orgs/${ctx.org ?? ''}/provisioning/near-misses/fix {"mapping":"${m.mapping.id}","group":"${m.seen.id}"}`,
      })),
      next: null,
    }),
  }),
  operation({
    id: 'provisioning.fix_near_miss',
    at: 'POST /orgs/:org/provisioning/near-misses/fix',
    can: 'directory.manage',
    says: 'Maps a group as it is in place of the name that was expected; at once if nobody loses anything, else as a plan.',
    params: OrgPath,
    body: z.strictObject({ mapping: idOf('map', noMapping), group: idOf('grp', noGroup) }),
    reply: ShownOutcome,
    handle: (ctx, { body }) => fixNearMiss(inOrg(ctx), body.mapping, body.group, unverified),
  }),
  operation({
    id: 'provisioning.sync',
    at: 'POST /orgs/:org/provisioning/sync',
    can: 'directory.manage',
    says: 'Sync now: compares all members with what directories and groups say, and makes right what differs.',
    params: OrgPath,
    reply: z.object({ looked: z.number(), changed: z.number(), held: z.number() }),
    handle: (ctx) => syncOrg(inOrg(ctx)),
  }),
  operation({
    id: 'provisioning.make_group',
    at: 'POST /orgs/:org/provisioning/groups',
    can: 'directory.manage',
    says: 'Makes a group by hand.',
    params: OrgPath,
    body: z.strictObject({ name: z.string().trim().min(1).max(200) }),
    reply: z.object({ id: z.string() }),
    status: 201,
    handle: async (ctx, { body }) => ({ id: await makeGroup(inOrg(ctx), body.name) }),
  }),
  operation({
    id: 'provisioning.remove_group',
    at: 'DELETE /orgs/:org/provisioning/groups/:group',
    can: 'directory.manage',
    says: 'Ends a group that was made by hand.',
    params: GroupPath,
    reply: z.undefined(),
    status: 204,
    handle: async (ctx, { params }) => changeHandGroup(inOrg(ctx), params.group, { do: 'end' }).then(() => undefined),
  }),
  operation({
    id: 'provisioning.add_to_group',
    at: 'PUT /orgs/:org/provisioning/groups/:group/members/:user',
    can: 'directory.manage',
    says: 'Adds a member of the organization to a group that was made by hand.',
    params: InGroupPath,
    reply: z.undefined(),
    status: 204,
    handle: async (ctx, { params }) =>
      changeHandGroup(inOrg(ctx), params.group, { do: 'add', user: params.user }).then(() => undefined),
  }),
  operation({
    id: 'provisioning.remove_from_group',
    at: 'DELETE /orgs/:org/provisioning/groups/:group/members/:user',
    can: 'directory.manage',
    says: 'Takes somebody out of a group that was made by hand.',
    params: InGroupPath,
    reply: z.undefined(),
    status: 204,
    handle: async (ctx, { params }) =>
      changeHandGroup(inOrg(ctx), params.group, { do: 'remove', user: params.user }).then(() => undefined),
  }),
];

/**
 * Provisioning under `/api`. `lastCalls`: when members last called a tool, which the gateway above knows. `unverified`: what the room of
 * domains knows of the domains for which sign-ins make accounts.
 */
export const provisioningOperations = (lastCalls: LastCalls, unverified: Unverified): readonly Operation[] => [
  ...settingsOperations(unverified),
  ...planOperations(unverified),
  ...peopleOperations,
  ...seatOperations(lastCalls),
];
