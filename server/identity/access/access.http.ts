import { z } from 'zod';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { memberRoles, noSuchMember } from '#org/member.ts';
import { noMemberSession } from '../session.ts';
import { listMemberSessions, type MemberSession } from '../session.sql.ts';
import { changeOrgAccess } from './change-org-access.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { endMemberSession } from './end-member-session.ts';
import { usualAccess, type OrgAccess } from './org-access.ts';
import { findOrgAccess } from './org-access.sql.ts';

const OrgPath = z.object({ org: z.string() });
const Time = z.iso.datetime({ offset: true });
const Shown = z.object({
  sessionIdleS: z.number().nullable(),
  sessionMaxS: z.number().nullable(),
  addresses: z.array(z.string()),
  passkeys: z.boolean(),
  mailLinks: z.boolean(),
  /** As we see the caller; what a list must contain for them to get in. */
  yourAddress: z.string().nullable(),
});
const shown = (a: OrgAccess, ctx: Ctx): z.infer<typeof Shown> => ({
  ...a,
  addresses: [...a.addresses],
  yourAddress: ctx.address ?? null,
});

const ShownSession = z.object({
  id: z.string(),
  user: z.string(),
  member: z.string(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  method: z.enum(['sso', 'passkey', 'mail_link', 'setup_link']),
  connection: z.string().nullable(),
  userAgent: z.string(),
  /** The one of whoever asks. */
  current: z.boolean(),
  createdAt: Time,
  lastSeenAt: Time,
  expiresAt: Time,
});
const shownSession = (s: MemberSession, mine: Id<'ses'> | undefined): z.infer<typeof ShownSession> => ({
  ...s,
  current: s.id === mine,
  createdAt: s.createdAt.toISOString(),
  lastSeenAt: s.lastSeenAt.toISOString(),
  expiresAt: s.expiresAt.toISOString(),
});

const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'identity/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};
const memberId = (text: string): Id<'mem'> => {
  const id = parseId('mem', text);
  if (!id) throw noSuchMember();
  return id;
};

const sessionId = (text: string): Id<'ses'> => {
  const id = parseId('ses', text);
  if (!id) throw noMemberSession();
  return id;
};

/** How people come in and how long they stay, under `/api`. */
export const accessOperations: readonly Operation[] = [
  operation({
    id: 'identity.read_access',
    at: 'GET /orgs/:org/access',
    can: 'sso.manage',
    says: 'Shows how long sessions last, from which addresses people come, and whether passkeys and mailed links are taken.',
    params: OrgPath,
    reply: Shown,
    async handle(ctx) {
      const found = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, findOrgAccess);
      return shown(found ?? usualAccess, ctx);
    },
  }),
  operation({
    id: 'identity.change_access',
    at: 'PATCH /orgs/:org/access',
    can: 'sso.manage',
    says: 'Sets session length, allowed addresses, passkeys and mailed links. A list without the caller’s own address must be confirmed.',
    params: OrgPath,
    body: z.strictObject({
      sessionIdleS: z.number().int().nullable().exactOptional(),
      sessionMaxS: z.number().int().nullable().exactOptional(),
      addresses: z.array(z.string().max(100)).max(1000).exactOptional(),
      passkeys: z.boolean().exactOptional(),
      mailLinks: z.boolean().exactOptional(),
      evenIfItShutsMeOut: z.boolean().default(false),
    }),
    reply: Shown,
    handle: async (ctx, { body: { evenIfItShutsMeOut, ...wanted } }) =>
      shown(await changeOrgAccess(inOrg(ctx), wanted, { evenIfItShutsMeOut }), ctx),
  }),
  operation({
    id: 'identity.end_all_sessions',
    at: 'POST /orgs/:org/members/:member/sessions/end',
    can: 'member.manage',
    says: 'Ends every browser session of a member at once.',
    params: OrgPath.extend({ member: z.string().transform(memberId) }),
    reply: z.object({ ended: z.number() }),
    handle: (ctx, { params }) => endAllSessions(inOrg(ctx), params.member),
  }),
  operation({
    id: 'identity.list_sessions',
    at: 'GET /orgs/:org/sessions',
    can: 'member.read',
    says: 'Lists the browsers in which members are signed in, newest first; q searches e-mail, name and browser.',
    params: OrgPath,
    query: ListQuery.extend({ user: z.string().max(60).optional().describe('Of one account only.') }),
    reply: listOf(ShownSession),
    async handle(ctx, { query }) {
      const { q, user, cursor: after, limit } = query;
      const of = user === undefined ? undefined : parseId('usr', user);
      if (user !== undefined && of === undefined) return { items: [], next: null };
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listMemberSessions(db, { now: ctx.now, user: of, like: containing(q), after, limit }),
      );
      const page = listed(rows, limit, (s) => [s.id]);
      const mine = ctx.actor.kind === 'user' ? ctx.actor.session : undefined;
      return { ...page, items: page.items.map((s) => shownSession(s, mine)) };
    },
  }),
  operation({
    id: 'identity.end_member_session',
    at: 'DELETE /orgs/:org/sessions/:session',
    can: 'member.manage',
    says: 'Ends one browser session of a member at once.',
    params: OrgPath.extend({ session: z.string().transform(sessionId) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => endMemberSession(inOrg(ctx), params.session),
  }),
];
