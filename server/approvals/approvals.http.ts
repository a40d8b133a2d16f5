import { z } from 'zod';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { approvalStates, asOf, type Approval } from './approval.ts';
import { listApprovals } from './approval.sql.ts';
import { decideApproval, noApproval } from './decide-approval.ts';
import { readApproval } from './read-approval.ts';

const OneApproval = z.strictObject({ org: z.string(), approval: z.string() });

/** Of a list: what is waiting, without the arguments, which are content. */
const ApprovalListed = z.object({
  id: z.string(),
  state: z.enum(approvalStates),
  connector: z.string(),
  tool: z.string(),
  /** Of the exact call; a decision is bound to it. */
  hash: z.string(),
  asker: z.object({ member: z.string(), user: z.string(), client: z.string() }),
  asked: z.string(),
  expires: z.string(),
  decided: z.object({ by: z.string(), at: z.string(), reason: z.string().nullable() }).nullable(),
  used: z.object({ at: z.string(), call: z.string() }).nullable(),
});
const ApprovalShown = ApprovalListed.extend({ args: z.unknown() });

function shown(approval: Approval, now: Date): z.infer<typeof ApprovalShown> {
  const a = asOf(approval, now);
  const decided = a.state === 'pending' ? undefined : a.decided;
  return {
    id: a.id,
    state: a.state,
    connector: a.action.connector,
    tool: a.action.tool,
    args: a.action.args,
    hash: a.hash,
    asker: a.asker,
    asked: a.asked.toISOString(),
    expires: a.expires.toISOString(),
    decided: decided ? { by: decided.by, at: decided.at.toISOString(), reason: decided.reason ?? null } : null,
    used: a.state === 'used' ? { at: a.used.at.toISOString(), call: a.used.call } : null,
  };
}

const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'approvals/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};
const idOf = (text: string): Id<'apr'> => {
  const id = parseId('apr', text);
  if (!id) throw noApproval(text.slice(0, 60));
  return id;
};

export const approvalOperations = [
  operation({
    id: 'approvals.list',
    at: 'GET /orgs/:org/approvals',
    can: 'approval.read',
    says: 'Lists requests that wait for a person or waited, newest first, without their arguments.',
    params: z.strictObject({ org: z.string() }),
    query: ListQuery.extend({ state: z.enum(approvalStates).optional() }).refine(
      (q) => q.cursor === undefined || (q.cursor.length === 2 && z.iso.datetime().safeParse(q.cursor[0]).success),
      'this cursor was not made by this list; leave it out to begin at the top',
    ),
    reply: listOf(ApprovalListed),
    handle: async (ctx, { query }) => {
      const [asked, id] = query.cursor ?? [];
      const before = asked !== undefined && id !== undefined ? { asked: new Date(asked), id } : undefined;
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listApprovals(db, { state: query.state, q: containing(query.q), before, now: ctx.now, limit: query.limit + 1 }),
      );
      const page = listed(rows, query.limit, (a) => [a.asked.toISOString(), a.id]);
      return { ...page, items: page.items.map((a) => shown(a, ctx.now)) };
    },
  }),
  operation({
    id: 'approvals.get',
    at: 'GET /orgs/:org/approvals/:approval',
    can: 'approval.read',
    says: 'Shows one request with the exact call that it is about. Leaves an event, because arguments are content.',
    discloses: true,
    params: OneApproval,
    reply: ApprovalShown,
    handle: async (ctx, { params }) => shown(await readApproval(inOrg(ctx), idOf(params.approval)), ctx.now),
  }),
  operation({
    id: 'approvals.decide',
    at: 'POST /orgs/:org/approvals/:approval/decision',
    can: 'approval.decide',
    says: 'Allows or refuses one call. The first decision stands; nobody decides about a call of his own.',
    params: OneApproval,
    body: z.strictObject({ decision: z.enum(['allow', 'refuse']), reason: z.string().max(1000).optional() }),
    reply: ApprovalShown,
    handle: async (ctx, { params, body }) => {
      const c = inOrg(ctx);
      return shown(await decideApproval(c, idOf(params.approval), body.decision, body.reason), c.now);
    },
  }),
];
