import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { memberRoles } from '#org/member.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { endSession } from './end-session.ts';
import { Place, readPlace } from './read-place.ts';
import type { SignedIn } from './session.ts';
import { findSessionLimits, listSessions } from './session.sql.ts';

const Time = z.iso.datetime({ offset: true });
const noSuchSession = (): Problem =>
  new Problem('missing', 'identity/no-such-session', { says: 'you have no such session' });
const sessionId = (text: string): Id<'ses'> => {
  const id = parseId('ses', text);
  if (!id) throw noSuchSession();
  return id;
};
const ofParent = (ctx: Ctx) => ({ parent: ctx.parent });

/** A person with a session; keys are nobody in particular. */
export function personOf(ctx: Ctx): SignedIn {
  if (ctx.actor.kind === 'user') return { parent: ctx.parent, user: ctx.actor.id, session: ctx.actor.session };
  throw new Problem('forbidden', 'identity/not-a-person', {
    says: 'this is about the person who is signed in, and an API key is not one',
    fix: 'sign in at /sign-in',
  });
}

/** Whoever is signed in, about themselves. */
export const meOperations: readonly Operation[] = [
  operation({
    id: 'mine.read_place',
    at: 'GET /orgs/:org/me',
    can: 'org.read',
    says: 'Shows what the caller is in the organization and what they may do; of what they may not, why, and who may.',
    params: z.object({ org: z.string() }),
    reply: Place,
    handle: (ctx) => readPlace(ctx, personOf(ctx)),
  }),
  operation({
    id: 'identity.read_me',
    at: 'GET /me',
    can: 'signed_in',
    says: 'Shows who is signed in and where they are a member.',
    reply: z.object({
      id: z.string(),
      email: z.string(),
      displayName: z.string(),
      session: z.string(),
      orgs: z.array(z.object({ id: z.string(), name: z.string(), role: z.enum(memberRoles) })),
    }),
    async handle(ctx) {
      const me = personOf(ctx);
      return ctx.db.read(ofParent(ctx), async (db) => {
        const user = await findUser(db, me.user);
        if (!user) throw new Problem('bug', 'identity/no-user', { says: 'the session has no user' });
        const orgs = await listOrgsOfUser(db, me.user);
        return {
          id: user.id,
          email: user.email,
          displayName: user.displayName,
          session: me.session,
          orgs: orgs.map((o) => ({ id: o.org, name: o.name, role: o.role })),
        };
      });
    },
  }),
  operation({
    id: 'identity.list_my_sessions',
    at: 'GET /me/sessions',
    can: 'signed_in',
    says: 'Lists the browsers in which the caller is signed in; q searches their names.',
    query: ListQuery,
    reply: listOf(
      z.object({
        id: z.string(),
        current: z.boolean(),
        connection: z.string().nullable(),
        userAgent: z.string(),
        createdAt: Time,
        lastSeenAt: Time,
        expiresAt: Time,
      }),
    ),
    async handle(ctx, { query }) {
      const me = personOf(ctx);
      const ago = (ms: number): Date => new Date(ctx.now.getTime() - ms);
      const rows = await ctx.db.read(ofParent(ctx), async (db) => {
        const { idleMs, maxMs } = await findSessionLimits(db, me.user);
        return listSessions(db, me.user, {
          now: ctx.now,
          idleSince: ago(idleMs),
          begunSince: ago(maxMs),
          like: containing(query.q),
          after: query.cursor,
          limit: query.limit,
        });
      });
      const page = listed(rows, query.limit, (s) => [s.id]);
      return {
        ...page,
        items: page.items.map((s) => ({
          ...s,
          current: s.id === me.session,
          createdAt: s.createdAt.toISOString(),
          lastSeenAt: s.lastSeenAt.toISOString(),
          expiresAt: s.expiresAt.toISOString(),
        })),
      };
    },
  }),
  operation({
    id: 'identity.revoke_my_session',
    at: 'DELETE /me/sessions/:session',
    can: 'signed_in',
    says: 'Ends one of the caller’s own sessions at once.',
    params: z.object({ session: z.string().transform(sessionId) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => endSession(ctx, personOf(ctx).user, params.session, 'revoked'),
  }),
];
