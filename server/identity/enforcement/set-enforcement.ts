import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import { Problem } from '#kernel/problem.ts';
import { listBreakGlass } from '../passkey/break-glass.ts';
import { identityEvents } from '../identity.events.ts';
import { SESSION_IDLE_MS } from '../session.ts';
import { saveSessionRevoked } from '../session.sql.ts';
import { refuseLeap, tightens, type Enforcement } from './enforcement.ts';
import {
  findEnforcement,
  findOwnerProof,
  listCounting,
  listSessionsToEnd,
  lockEnforcement,
  saveEnforcement,
  type EnforcementFacts,
} from './enforcement.sql.ts';
import { enforcementEvents } from './enforcement.events.ts';
import { simulate, type Simulation } from './simulate.ts';

const DAY_MS = 86_400_000;
export const OWNER_PROOF_MS = DAY_MS;
/** Sessions that one change ends with an event each. More end by lookup_session all the same. */
export const MAX_SESSIONS_ENDED = 5000;

/** One condition of enforcing, with what was found. */
export type Condition = { code: string; met: boolean; says: string; fix: string };

/** What must be true before anybody may be refused. */
export async function conditionsOf(db: Reader, ctx: Pick<OrgCtx, 'now'>, s: Simulation): Promise<Condition[]> {
  const lost = s.people.filter((p) => p.verdict === 'locked_out' && (p.role === 'owner' || p.role === 'primary_owner'));
  const owner = await findOwnerProof(
    db,
    s.ways.map((w) => w.id),
    new Date(ctx.now.getTime() - OWNER_PROOF_MS),
  );
  const glass = await listBreakGlass(db, ctx.now);
  const usable = glass.find((b) => b.gaps.length === 0);
  return [
    {
      code: 'identity/enforcement-no-connection',
      met: s.ways.length > 0,
      says:
        s.ways.length > 0 ? `counting: ${s.ways.map((w) => w.name).join(', ')}` : 'no active connection would count',
      fix: 'connect an identity provider, or switch one on again',
    },
    {
      code: 'identity/enforcement-owner-locked-out',
      met: lost.length === 0,
      says:
        lost.length === 0
          ? 'no owner would be locked out'
          : `${lost.map((p) => `${p.displayName} (${p.code ?? '?'})`).join(', ')}: an owner would be locked out`,
      fix: lost[0]?.repair ?? 'nothing',
    },
    {
      code: 'identity/enforcement-no-owner-proved',
      met: owner !== undefined,
      says: owner
        ? `${owner.user} signed in so at ${owner.at.toISOString()}`
        : 'no owner has signed in through a connection that counts within the last 24 hours',
      fix: 'sign in through the identity provider as an owner, then go on',
    },
    {
      code: 'identity/enforcement-no-break-glass',
      met: usable !== undefined,
      says: usable
        ? `${usable.displayName} got in without single sign-on at ${usable.provedAt?.toISOString() ?? '?'}`
        : `no break-glass account of an owner has proved within 90 days that it gets in without the identity provider; ${glass.map((b) => `${b.displayName}: ${b.gaps.join(' ')}`).join(', ') || 'there is none'}`,
      fix: 'make an owner a break-glass account (provisioning, exempt) and let them sign in once without single sign-on: with a set-up link that whoever runs this deployment makes, or a passkey',
    },
  ];
}

/** Sessions that this enforcement would end at once. */
export const sessionsToEnd = (db: Reader, ctx: Pick<OrgCtx, 'now'>, wanted: Enforcement) =>
  listSessionsToEnd(db, wanted, {
    now: ctx.now,
    idleSince: new Date(ctx.now.getTime() - SESSION_IDLE_MS),
    limit: MAX_SESSIONS_ENDED,
  });

/**
 * Sets how far the organization insists on single sign-on. INVARIANT (seen before): what shuts anybody out is bound to a simulation that
 * is still true, and its conditions are met; what lets people in again needs neither, so that break-glass can undo at any time.
 */
export const setEnforcement = (ctx: OrgCtx, wanted: Enforcement, seen: string | undefined): Promise<EnforcementFacts> =>
  change(ctx, async (tx) => {
    await lockEnforcement(tx);
    const before = await findEnforcement(tx);
    refuseLeap(before, wanted);
    const known = await listCounting(tx, wanted.connections);
    if (wanted.connections.some((c) => !known.includes(c)))
      throw new Problem('invalid', 'identity/enforcement-unknown-connection', {
        says: `${wanted.connections.filter((c) => !known.includes(c)).join(', ')} is no active connection`,
        fix: 'list the connections (sso-connections)',
      });
    if (same(before, wanted)) return { value: before, unchanged: true };
    if (tightens(before, wanted)) await refuseUnseen(tx, ctx, wanted, seen);
    const by = 'id' in ctx.actor ? ctx.actor.id : ctx.actor.kind;
    await saveEnforcement(tx, { ...wanted, previewHash: seen ?? null, returnedBecause: null }, by, ctx.now);
    const ended = await sessionsToEnd(tx, ctx, wanted);
    for (const s of ended) await saveSessionRevoked(tx, s.user, s.session, ctx.now);
    return {
      value: await findEnforcement(tx),
      events: [
        event(enforcementEvents, 'sso.enforcement_changed', {
          from: before.state,
          to: wanted.state,
          percent: wanted.percent,
          groups: wanted.groups,
          connections: wanted.connections,
          preview: seen ?? null,
          sessionsEnded: ended.length,
        }),
        ...ended.map((s) => event(identityEvents, 'session.ended', { ...s, why: 'enforced' })),
      ],
    };
  });

const same = (a: Enforcement, b: Enforcement): boolean => {
  const of = (e: Enforcement): string =>
    JSON.stringify([e.state, e.percent, e.groups.toSorted(), e.connections.toSorted()]);
  return of(a) === of(b);
};

async function refuseUnseen(tx: Tx, ctx: OrgCtx, wanted: Enforcement, seen: string | undefined): Promise<void> {
  const s = await simulate(tx, ctx, wanted);
  const failed = (await conditionsOf(tx, ctx, s)).filter((c) => !c.met);
  const [first] = failed;
  if (first)
    throw new Problem('conflict', first.code, {
      says: first.says,
      fix: first.fix,
      more: { conditions: failed.map((c) => c.code) },
    });
  if (seen === s.hash) return;
  throw new Problem('stale', 'identity/enforcement-stale', {
    says:
      seen === undefined
        ? 'nobody has looked at what this would do'
        : 'what this would do is not what you looked at any more',
    fix: 'look at the simulation again and send its hash',
    more: { hash: s.hash },
  });
}
