import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchMember } from '#org/member.ts';
import { changeOrgAccess } from './change-org-access.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { usualAccess, type OrgAccess } from './org-access.ts';
import { findOrgAccess } from './org-access.sql.ts';

const OrgPath = z.object({ org: z.string() });
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
];
