import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import { ALL_TIERS } from './seat.ts';
import { listIdleSeats, listSeatLimits } from './seat.sql.ts';
import { setSeatLimit } from './set-seat-limit.ts';
import { inside, OrgPath, Time } from './shown.ts';

/** When members last called a tool; those who never did are left out. The gateway, which is above, knows. */
export type LastCalls = (db: Reader, members: readonly Id<'mem'>[]) => Promise<ReadonlyMap<Id<'mem'>, Date>>;

const TierPath = z.object({
  ...inside,
  tier: z.string().regex(/^(?:all|[a-z0-9][a-z0-9_-]{0,39})$/, 'a tier is up to 40 small letters, digits, - and _'),
});
const tierOf = (text: string): string => (text === 'all' ? ALL_TIERS : text);

/** Seats: limits, who waits, who does not use theirs. */
export const seatOperations = (lastCalls: LastCalls): readonly Operation[] => [
  operation({
    id: 'provisioning.list_seats',
    at: 'GET /orgs/:org/provisioning/seats',
    can: 'member.read',
    says: 'Shows the limits of seats, how many are taken, and how many members have not taken theirs.',
    params: OrgPath,
    reply: listOf(
      z.object({
        tier: z.string(),
        seats: z.number(),
        taken: z.number(),
        left: z.number(),
        waiting: z.number(),
        says: z.string(),
      }),
    ),
    handle: async (ctx) => ({
      items: (await ctx.db.read(scopeOf(ctx), listSeatLimits)).map((l) => ({
        ...l,
        tier: l.tier === ALL_TIERS ? 'all' : l.tier,
        left: Math.max(0, l.seats - l.taken),
        says:
          l.taken >= l.seats
            ? `every seat is taken${l.taken > l.seats ? ` (${l.taken - l.seats} more than there are)` : ''}; ${l.waiting} members have none and cannot sign in until one is free`
            : `${l.seats - l.taken} of ${l.seats} seats are free; ${l.waiting} members have not signed in yet`,
      })),
      next: null,
    }),
  }),
  operation({
    id: 'provisioning.set_seats',
    at: 'PUT /orgs/:org/provisioning/seats/:tier',
    can: 'directory.manage',
    says: 'Sets how many seats there are: of one tier, or of the organization (`all`).',
    params: TierPath,
    body: z.strictObject({ seats: z.number().int().min(0).max(10_000_000) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params, body }) => setSeatLimit(inOrg(ctx), tierOf(params.tier), body.seats).then(() => undefined),
  }),
  operation({
    id: 'provisioning.end_seat_limit',
    at: 'DELETE /orgs/:org/provisioning/seats/:tier',
    can: 'directory.manage',
    says: 'Ends a limit of seats.',
    params: TierPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => setSeatLimit(inOrg(ctx), tierOf(params.tier), null).then(() => undefined),
  }),
  operation({
    id: 'provisioning.list_idle_seats',
    at: 'GET /orgs/:org/provisioning/idle-seats',
    can: 'member.read',
    says: 'Lists seats whose people have neither signed in nor called a tool for so many days.',
    params: OrgPath,
    query: ListQuery.extend({ days: z.coerce.number().int().min(1).max(3650).default(90) }),
    reply: listOf(
      z.object({
        user: z.string(),
        email: z.string(),
        displayName: z.string(),
        role: z.enum(memberRoles),
        tier: z.string().nullable(),
        since: Time,
        lastSignIn: Time.nullable(),
        lastCall: Time.nullable(),
      }),
    ),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const since = new Date(ctx.now.getTime() - query.days * 86_400_000);
        const rows = await listIdleSeats(db, {
          since,
          like: containing(query.q),
          after: query.cursor,
          limit: query.limit,
        });
        const { items, next } = listed(rows, query.limit, (s) => [s.member]);
        const calls = await lastCalls(
          db,
          items.map((s) => s.member),
        );
        // An agent works on while nobody signs in: a seat with calls is not idle.
        return {
          items: items
            .map((s) => ({ ...s, called: calls.get(s.member) ?? null }))
            .filter((s) => s.called === null || s.called < since)
            .map((s) => ({
              ...s,
              since: s.activatedAt.toISOString(),
              lastSignIn: s.lastSignInAt?.toISOString() ?? null,
              lastCall: s.called?.toISOString() ?? null,
            })),
          next,
        };
      }),
  }),
];
