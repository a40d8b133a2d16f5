import { challengeOf } from '@gatehouse/contract/action-hash.ts';
import { z } from 'zod';
import { Authentication } from '#identity/passkey/answer.ts';
import { askForProof } from '#identity/passkey/prove-with-passkey.ts';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery, writeCursor } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { rolesWith } from '#org/roles.ts';
import { requestStates, verdicts } from '@gatehouse/contract/approval.ts';
import type { Approval } from './approval.ts';
import { listApprovals, listByIds } from './approval.sql.ts';
import { cancelApproval } from './cancel-approval.ts';
import { decideApprovals, MAX_BATCH } from './decide-approvals.ts';
import { listDecidable, type Place } from './list-decidable.ts';
import { namesIn, type Names } from './names.ts';
import { personOf } from './person.ts';
import { readApproval } from './read-approval.ts';
import { readEvidence } from './read-evidence.ts';
import { noApproval } from './refusals.ts';
import { revokeGrant } from './revoke-grant.ts';
import { ApprovalListed, ApprovalShown, groupOf, RunConditionShown, shown } from './shown-approval.ts';
import { seesAll } from './sight.ts';
import type { Upstairs } from './tools.ts';

const OneOrg = z.strictObject({ org: z.string() });
const OneApproval = z.strictObject({ org: z.string(), approval: z.string() });
const Reason = z.string().max(1000).optional();
const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the hash of the action, as it was shown');

/** Of the path: every operation here is inside an organization. */
export const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'approvals/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};
/** An approval in a path; what cannot be one of ours is answered like one that is not there. */
export const idOf = (text: string): Id<'apr'> => {
  const id = parseId('apr', text);
  if (!id) throw noApproval(text.slice(0, 60));
  return id;
};

const query = ListQuery.extend({
  state: z.enum(requestStates).optional(),
  /** `me`: what I may decide. `mine`: what my agents asked for. Absent: all, for whoever may see all. */
  for: z.enum(['me', 'mine']).optional(),
})
  .refine(
    (q) => q.cursor === undefined || (q.cursor.length === 2 && z.iso.datetime().safeParse(q.cursor[0]).success),
    'this cursor was not made by this list; leave it out to begin at the top',
  )
  .refine(
    (q) => q.for !== 'me' || q.state === undefined || q.state === 'pending',
    'only what is pending waits for you; leave state out',
  );
const placeOf = (cursor: readonly string[] | undefined): Place | undefined => {
  const [asked, id] = cursor ?? [];
  return asked !== undefined && id !== undefined ? { asked: new Date(asked), id } : undefined;
};
const cursorOf = (p: Place | undefined): string | null => (p ? writeCursor([p.asked.toISOString(), p.id]) : null);

const GroupShown = z.object({
  group: z.string(),
  connector: z.string(),
  connectorName: z.string().nullable(),
  tool: z.string(),
  asker: ApprovalListed.shape.asker,
  oldest: z.string(),
  /** What a decision about the whole group, or a part of it, names. */
  items: z.array(z.object({ approval: z.string(), hash: z.string() })),
});

/** Requests for a person's yes, under `/api`. Which of them somebody sees is this room's question, so the door asks for no more than a member. */
export const approvalOperations = (tools: Upstairs): readonly Operation[] => [
  operation({
    id: 'approvals.list',
    at: 'GET /orgs/:org/approvals',
    can: 'signed_in',
    says: 'Lists requests for approval, newest first, without their arguments: what the caller may decide (for=me), what their agents asked for (for=mine), or all.',
    params: OneOrg,
    query,
    reply: listOf(ApprovalListed),
    handle: async (anywhere, { query: q }) => {
      const ctx = inOrg(anywhere);
      const f = { q: containing(q.q), before: placeOf(q.cursor) };
      if (q.for === 'me') {
        const { items, next } = await listDecidable(ctx, tools, { ...f, limit: q.limit });
        const names = await namesOf(
          ctx,
          tools,
          items.map((i) => i.approval),
        );
        return { items: items.map((i) => shown(i.approval, ctx.now, names, i.judgement)), next: cursorOf(next) };
      }
      const askedBy = q.for === 'mine' ? personOf(ctx).user : undefined;
      const rows = await ctx.db.read(scopeOf(ctx), async (db) => {
        if (!askedBy && !(await seesAll(ctx, db))) throw notAll();
        return listApprovals(db, { ...f, state: q.state, askedBy, now: ctx.now, limit: q.limit + 1 });
      });
      const page = listed(rows, q.limit, (a) => [a.asked.toISOString(), a.id]);
      const names = await namesOf(ctx, tools, page.items);
      return { ...page, items: page.items.map((a) => shown(a, ctx.now, names)) };
    },
  }),
  operation({
    id: 'approvals.list_groups',
    at: 'GET /orgs/:org/approval-groups',
    can: 'signed_in',
    says: 'Lists what the caller may decide, requests of one agent for one tool together; the cursor goes by requests.',
    params: OneOrg,
    query: ListQuery,
    reply: listOf(GroupShown),
    handle: async (anywhere, { query: q }) => {
      const ctx = inOrg(anywhere);
      const f = { q: containing(q.q), before: placeOf(q.cursor), limit: q.limit };
      const { items, next } = await listDecidable(ctx, tools, f);
      const groups = Map.groupBy(items, (i) => groupOf(i.approval));
      const names = await namesOf(
        ctx,
        tools,
        items.map((i) => i.approval),
      );
      return {
        items: [...groups].flatMap(([group, all]) => {
          const oldest = all.at(-1)?.approval;
          if (!oldest) return [];
          const { asker, connector, connectorName, tool } = shown(oldest, ctx.now, names);
          const list = all.map(({ approval: a }) => ({ approval: a.id, hash: a.hash }));
          return [{ group, connector, connectorName, tool, asker, oldest: oldest.asked.toISOString(), items: list }];
        }),
        next: cursorOf(next),
      };
    },
  }),
  operation({
    id: 'approvals.get',
    at: 'GET /orgs/:org/approvals/:approval',
    can: 'signed_in',
    says: 'Shows one request with the exact call that it is about, and whether the caller may say yes. Leaves an event, because arguments are content.',
    discloses: true,
    params: OneApproval,
    reply: ApprovalShown,
    handle: async (anywhere, { params }) => {
      const ctx = inOrg(anywhere);
      const { approval, judgement } = await readApproval(ctx, tools, idOf(params.approval));
      return shown(approval, ctx.now, await namesOf(ctx, tools, [approval]), judgement);
    },
  }),
  operation({
    id: 'approvals.get_evidence',
    at: 'GET /orgs/:org/approvals/:approval/evidence',
    can: 'approval.read',
    says: 'Gives out what shows, without this server, what was decided: the action, the decision and the proof. Leaves an event.',
    discloses: true,
    params: OneApproval,
    reply: z.object({
      action: z.unknown(),
      hash: z.string(),
      decision: z.unknown(),
      decisionHash: z.string().nullable(),
      proof: z.record(z.string(), z.string()).nullable(),
    }),
    handle: (ctx, { params }) => readEvidence(inOrg(ctx), idOf(params.approval)),
  }),
  operation({
    id: 'approvals.ask_for_proof',
    at: 'GET /orgs/:org/approvals/:approval/proof-options',
    can: 'signed_in',
    says: 'What a browser needs for a passkey proof of a decision: its challenge is the hash of the action, or of the list of them.',
    params: OneApproval,
    /** Further requests that are decided together with this one, with commas between them. */
    query: z.strictObject({
      with: z
        .string()
        .transform((t) => t.split(','))
        .refine((ids) => ids.length < MAX_BATCH, `at most ${MAX_BATCH} requests are decided together`)
        .default([]),
    }),
    reply: z.looseObject({ challenge: z.string() }),
    handle: async (anywhere, { params, query: q }) => {
      const ctx = inOrg(anywhere);
      const { user } = personOf(ctx);
      const ids = [...new Set([params.approval, ...q.with])].map(idOf);
      for (const id of ids) await readApproval(ctx, tools, id);
      const about = await ctx.db.read(scopeOf(ctx), (db) => listByIds(db, ids));
      return { ...(await askForProof(ctx, user, challengeOf(about.map((a) => a.hash)))) };
    },
  }),
  operation({
    id: 'approvals.decide',
    at: 'POST /orgs/:org/approvals/:approval/decision',
    can: 'signed_in',
    says: 'Approves or denies one call. The first decision stands. With `run`, one yes covers further calls like it, where the organization allows that.',
    params: OneApproval,
    body: z.strictObject({
      verdict: z.enum(verdicts),
      hash: Hash.optional(),
      reason: Reason,
      proof: Authentication.optional(),
      run: z
        .strictObject({
          conditions: z.array(RunConditionShown).min(1).max(20),
          most: z.number().int().min(1).max(1000),
          minutes: z.number().int().min(1).max(1440),
        })
        .optional(),
    }),
    reply: ApprovalShown,
    handle: async (ctx, { params, body }) => {
      const { hash, ...how } = body;
      const id = idOf(params.approval);
      const [decided] = await decideApprovals(inOrg(ctx), tools, { items: [{ approval: id, hash }], ...how });
      if (!decided) throw noApproval(id);
      return one(ctx, tools, decided);
    },
  }),
  operation({
    id: 'approvals.decide_several',
    at: 'POST /orgs/:org/approvals/decisions',
    can: 'signed_in',
    says: 'Approves or denies an explicit list of calls by one decision: all of them, or none where one cannot be decided so.',
    params: OneOrg,
    body: z.strictObject({
      items: z
        .array(z.strictObject({ approval: z.string(), hash: Hash }))
        .min(1)
        .max(MAX_BATCH),
      verdict: z.enum(verdicts),
      reason: Reason,
      proof: Authentication.optional(),
    }),
    reply: z.object({ items: z.array(ApprovalListed) }),
    handle: async (anywhere, { body }) => {
      const ctx = inOrg(anywhere);
      const items = body.items.map((i) => ({ approval: idOf(i.approval), hash: i.hash }));
      const decided = await decideApprovals(ctx, tools, { ...body, items });
      const names = await namesOf(ctx, tools, decided);
      return { items: decided.map((a) => shown(a, ctx.now, names)) };
    },
  }),
  operation({
    id: 'approvals.cancel',
    at: 'POST /orgs/:org/approvals/:approval/cancellation',
    can: 'signed_in',
    says: 'Takes back a request that waits; for the person whose agent asked.',
    params: OneApproval,
    reply: ApprovalShown,
    handle: async (ctx, { params }) => one(ctx, tools, await cancelApproval(inOrg(ctx), idOf(params.approval))),
  }),
  operation({
    id: 'approvals.revoke',
    at: 'POST /orgs/:org/approvals/:approval/revocation',
    can: 'signed_in',
    says: 'Takes back a yes that is not used up: for whoever gave it, the person whose agent has it, and administrators.',
    params: OneApproval,
    reply: ApprovalShown,
    handle: async (ctx, { params }) => one(ctx, tools, await revokeGrant(inOrg(ctx), idOf(params.approval))),
  }),
];

const namesOf = (ctx: OrgCtx, up: Upstairs, requests: readonly Approval[]): Promise<Names> =>
  ctx.db.read(scopeOf(ctx), (db) => namesIn(db, up, requests));
const one = async (anywhere: Ctx, up: Upstairs, a: Approval): Promise<z.infer<typeof ApprovalShown>> => {
  const ctx = inOrg(anywhere);
  return shown(a, ctx.now, await namesOf(ctx, up, [a]));
};

const notAll = (): Problem =>
  new Problem('forbidden', 'org/not-permitted', {
    says: 'seeing all requests needs the permission approval.read',
    fix: `ask with for=me or for=mine; the roles with it are ${rolesWith('approval.read').join(', ')}`,
    more: { permission: 'approval.read', roles: rolesWith('approval.read') },
  });
