import type { Context } from 'hono';
import { z } from 'zod';
import { can, rolesWith } from '#org/roles.ts';
import { hashKey, isKeyValue, livePermissions } from '#org/api-key.ts';
import { lookupApiKey } from '#org/api-key.sql.ts';
import { findMemberByUser, listPeopleWithRole } from '#org/member.sql.ts';
import { noSuchOrg } from '#org/org.ts';
import { MAX_NAMED, notPermitted } from '#org/refusal.ts';
import { noSeat } from '#provisioning/seat.ts';
import { hasSeat } from '#provisioning/seat.sql.ts';
import { recordKeyUse } from '#org/record-key-use.ts';
import type { Actor, Ctx, OrgCtx, World } from '#kernel/ctx.ts';
import { clientAddress } from '#kernel/client-address.ts';
import { htmlDialect } from '#kernel/html.ts';
import { parseId, type Id } from '#kernel/id.ts';
import type { Dialect, Gate, Operation } from '#kernel/operation.ts';
import type { Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';
import { refuseElsewhere } from './access/org-access.ts';
import { sessionOf, touchSession } from './current-user.ts';
import { refusedPage } from './refused-page.ts';
import type { SessionState, SignedIn } from './session.ts';

/** The scope of somebody who is nowhere: the form of an id, and no row has it. */
const nowhere = parseId('par', `par_${'0'.repeat(32)}`);

function ctxOf(world: World, who: { actor: Actor; parent: Id<'par'>; org: Id<'org'> | undefined }, from: From): Ctx {
  const { now, ...rest } = world;
  return { ...rest, ...who, now: now(), ...from };
}

/** A request's number, and where it came from. */
type From = { request: string; address: string | undefined };

/** The adapter hands node's own request along; requests that tests make without a socket come from nowhere. */
function fromOf(world: World, c: Context, request: string): From {
  const node = z
    .looseObject({ incoming: z.looseObject({ socket: z.looseObject({ remoteAddress: z.string() }) }) })
    .safeParse(c.env);
  const peer = node.data?.incoming.socket.remoteAddress;
  return { request, address: clientAddress(peer, c.req.header('x-forwarded-for'), world.trustedProxies ?? []) };
}

/** The Ctx of a request by somebody who is nowhere yet. */
export function nobodyCtx(world: World, from: From): Ctx {
  if (!nowhere) throw new TypeError('the empty scope has lost its form');
  return ctxOf(world, { actor: { kind: 'nobody' }, parent: nowhere, org: undefined }, from);
}

/**
 * Who comes to a door that the forms of other sites may post to (SAML): nobody. INVARIANT (no cookie acts): operations behind this gate do
 * nothing in the name of whoever's browser it is, except on GET what a page behind `pageGate` would do, too.
 */
export const nobodyGate =
  (world: World): Gate =>
  async (c, _op, request) =>
    nobodyCtx(world, fromOf(world, c, request));

const userCtx = (world: World, s: SignedIn, org: Id<'org'> | undefined, from: From): Ctx =>
  ctxOf(world, { actor: { kind: 'user', id: s.user, session: s.session }, parent: s.parent, org }, from);

/** Who comes to the API: a session cookie from our own pages, or `Authorization: Bearer ghk_…`. */
export const apiGate =
  (world: World): Gate =>
  async (c, op, request) => {
    const from = fromOf(world, c, request);
    if (op.can === 'public') return nobodyCtx(world, from);
    const bearer = c.req.header('authorization');
    // A request that shows a key is judged by the key alone, so that a script never borrows a browser's cookie.
    return bearer === undefined ? bySession(world, c, op, from) : byKey(world, c, op, bearer, from);
  };

async function byKey(world: World, c: Context, op: Operation, header: string, from: From): Promise<Ctx> {
  const value = /^bearer +(\S+)$/i.exec(header)?.[1] ?? '';
  if (!isKeyValue(value))
    throw new Problem('unauthenticated', 'identity/not-an-api-key', {
      says: 'the Authorization header does not have an API key of this server',
      fix: 'send "Authorization: Bearer ghk_…"; access tokens of agents work at /mcp only',
    });
  const found = await world.db.lookup(lookupApiKey(hashKey(value)));
  if (!found)
    throw new Problem('unauthenticated', 'identity/unknown-key', {
      says: 'there is no such API key',
      fix: 'check that the key is whole and of this deployment, or create another',
    });
  const has = livePermissions(found, world.now());
  if (op.at.includes('/:org') && c.req.param('org') !== found.org) throw noSuchOrg();
  if (!has.has(op.can))
    throw new Problem('forbidden', 'org/not-permitted', {
      says: `this needs the permission ${op.can}, which the API key does not carry or its creator no longer has`,
      fix: 'create a key that carries it',
      more: { permission: op.can },
    });
  const ctx = ctxOf(world, { actor: { kind: 'api_key', id: found.key }, parent: found.parent, org: found.org }, from);
  await world.db.read({ parent: found.parent, org: found.org }, (db) => refuseElsewhere(db, from.address));
  await recordKeyUse({ ...ctx, org: found.org }, found.key, found.lastUsedAt);
  return ctx;
}

async function bySession(world: World, c: Context, op: Operation, from: From): Promise<Ctx> {
  const s = await liveSession(world, c, op);
  refuseCrossSite(world, c);
  if (op.at.includes('/:org')) return userCtx(world, s, await orgFor(world, s, c.req.param('org'), op.can, from), from);
  if (!can('user', op.can))
    throw new Problem('bug', 'identity/no-org-in-path', {
      says: `${op.id} needs ${op.can} and names no organization`,
      fix: 'declare it under /orgs/:org',
    });
  return userCtx(world, s, undefined, from);
}

async function liveSession(world: World, c: Context, op: Operation): Promise<SignedIn> {
  const s = await sessionOf(world, c.req.header('cookie'));
  if (s?.state !== 'live') throw signedOut(s?.state, s?.limits.idleMs ?? 0);
  if (!op.lasts) await touchSession(world, s);
  return s;
}

function signedOut(why: Exclude<SessionState, 'live'> | undefined, idleMs: number): Problem {
  switch (why) {
    case undefined:
      return new Problem('unauthenticated', 'identity/signed-out', {
        says: 'you are not signed in',
        fix: 'sign in at /sign-in; scripts send "Authorization: Bearer ghk_…"',
      });
    case 'suspended':
      return new Problem('unauthenticated', 'identity/suspended', {
        says: 'this account is suspended',
        fix: 'whoever manages people in your organization can say why and let you back in',
      });
    case 'revoked':
    case 'expired':
    case 'idle':
      return new Problem('unauthenticated', 'identity/session-ended', {
        says:
          why === 'idle'
            ? `the session was not used for ${spoken(idleMs)} and has ended`
            : `the session has ended (${why})`,
        fix: 'sign in again at /sign-in',
      });
  }
}

const spoken = (ms: number): string => {
  const minutes = Math.round(ms / 60_000);
  return minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`;
};

/** The organization in the path, once it is clear that this person may do this there. */
async function orgFor(
  world: Pick<World, 'db'>,
  s: Pick<SignedIn, 'parent' | 'user'>,
  text: string | undefined,
  needed: Permission,
  from: Pick<From, 'address'>,
): Promise<Id<'org'>> {
  const org = parseId('org', text ?? '');
  if (!org) throw noSuchOrg();
  return world.db.read({ parent: s.parent, org }, async (db) => {
    const member = await findMemberByUser(db, s.user);
    if (!member) throw noSuchOrg();
    if (!(await hasSeat(db, member.id))) throw noSeat();
    await refuseElsewhere(db, from.address);
    if (can(member.role, needed)) return org;
    throw notPermitted(member.role, needed, await listPeopleWithRole(db, rolesWith(needed), MAX_NAMED));
  });
}

/** The same for a page whose path has no organization but leads into one: member, seat, network, permission. */
export async function enterOrg(ctx: Ctx, org: Id<'org'>, needed: Permission): Promise<OrgCtx> {
  if (ctx.actor.kind !== 'user')
    throw new Problem('bug', 'identity/no-user', { says: 'a page of an organization was opened for nobody' });
  const who = { parent: ctx.parent, user: ctx.actor.id };
  return { ...ctx, org: await orgFor(ctx, who, org, needed, { address: ctx.address }) };
}

/**
 * Cross-site requests are refused where a cookie could act. Browsers say where a request comes from in Sec-Fetch-Site; older ones in
 * Origin. Our own pages have the policy no-referrer, which makes the Origin of their forms `null`: that is taken only beside a
 * Sec-Fetch-Site that says same-origin, which no page of another site can make a browser say.
 */
function refuseCrossSite(world: World, c: Context): void {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return;
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const fine =
    site === undefined
      ? origin === world.origin
      : site === 'same-origin' && (origin === undefined || origin === 'null' || origin === world.origin);
  if (fine) return;
  throw new Problem('forbidden', 'identity/cross-site', {
    says: `this request changes something and did not come from a page of ${world.origin}`,
    fix: 'do it on a page of this server; scripts use an API key instead of a cookie',
  });
}

/** Who comes to the pages. Public ones know you if you are signed in; the others send you to sign in and back. */
export const pageGate =
  (world: World): Gate =>
  async (c, op, request) => {
    const from = fromOf(world, c, request);
    refuseCrossSite(world, c);
    if (op.can === 'public') {
      const s = await sessionOf(world, c.req.header('cookie'));
      return s?.state === 'live' ? userCtx(world, s, undefined, from) : nobodyCtx(world, from);
    }
    const s = await liveSession(world, c, op);
    if (op.can !== 'signed_in')
      throw new Problem('bug', 'identity/page-permission', {
        says: 'a page is for everybody or for whoever is signed in',
      });
    const org = op.at.includes('/:org') ? await orgFor(world, s, c.req.param('org'), op.can, from) : undefined;
    return userCtx(world, s, org, from);
  };

/** How the pages say no: whoever is not signed in goes to sign in and comes back, everybody else sees what and why. */
export const pageDialect: Dialect = (c, p, request) => {
  if (c.req.method === 'GET' && (p.code === 'identity/signed-out' || p.code === 'identity/session-ended')) {
    const { pathname, search } = new URL(c.req.url);
    const back = pathname + search === '/' ? '' : `?return_to=${encodeURIComponent(pathname + search)}`;
    return new Response(null, { status: 303, headers: { location: `/sign-in${back}`, 'cache-control': 'no-store' } });
  }
  const trace = p.more?.['trace'];
  return typeof trace === 'string' ? refusedPage(p, trace) : htmlDialect(c, p, request);
};
