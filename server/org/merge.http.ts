import { z } from 'zod';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { approveMerge } from './approve-merge.ts';
import { compareMerge } from './compare-merge.ts';
import { createSisterOrg } from './create-sister-org.ts';
import { entryChoices, mergeStates, noSuchMerge, stateAt, type Merge, type Side } from './merge.ts';
import { MergePreview } from './merge-preview.ts';
import { findMerge, listMerges, listObstacles, listSisters, obstacleCodes } from './merge.sql.ts';
import type { MergeUpstairs } from './merge-upstairs.ts';
import { noSuchOrg, surfaces } from './org.ts';
import { idOf, inOrg } from './org.http.ts';
import { proposeMerge } from './propose-merge.ts';
import { rejectMerge } from './reject-merge.ts';
import { sendMerge } from './send-merge.ts';
import { saysObstacle, undoMerge } from './undo-merge.ts';

const OrgPath = z.object({ org: z.string() });
const MergePath = z.object({ org: z.string(), merge: idOf('mrg', noSuchMerge) });
const Time = z.iso.datetime({ offset: true });
const nothing = z.strictObject({});

const ShownSide = z.object({
  org: z.string(),
  /** Null where the asked side has not opened the proposal yet. */
  name: z.string().nullable(),
  parent: z.string(),
  approved: z.object({ by: z.string(), at: Time }).nullable(),
});
const ShownMerge = z.object({
  id: z.string(),
  state: z.enum(mergeStates),
  /** Which side the organization in the path is on. */
  side: z.enum(['joining', 'receiving']),
  proposedFrom: z.enum(['joining', 'receiving']),
  joining: ShownSide,
  receiving: ShownSide,
  joinByAddress: z.boolean(),
  sharedEntries: z.enum(entryChoices),
  hash: z.string().nullable(),
  createdAt: Time,
  expiresAt: Time,
  appliedAt: Time.nullable(),
  undoUntil: Time.nullable(),
  endedAt: Time.nullable(),
});
const ShownObstacle = z.object({ code: z.enum(obstacleCodes), about: z.string(), says: z.string(), fix: z.string() });

const time = (d: Date | null): string | null => d?.toISOString() ?? null;

/** The side of whoever asks: the proposal's organization itself, else by the parent; after the merge a sister counts as receiving. */
const askingSide = (m: Merge, ctx: OrgCtx): Side =>
  ctx.org === m.org || (ctx.org !== m.intoOrg && ctx.parent === m.parent) ? 'joining' : 'receiving';

/** INVARIANT (nothing before an answer): until the asked side opens the proposal, its proposer sees no more of it than the id they named. */
const sees = (m: Merge, side: Side): boolean => m.openedAt !== null || side !== m.proposedFrom;

function shownMerge(m: Merge, ctx: OrgCtx): z.infer<typeof ShownMerge> {
  const side = askingSide(m, ctx);
  const shownSide = (
    s: Side,
    org: string,
    name: string,
    parent: string,
    by: string | null,
    at: Date | null,
  ): z.infer<typeof ShownSide> => ({
    org,
    name: s === side || sees(m, side) ? name : null,
    parent,
    approved: by !== null && at !== null ? { by, at: at.toISOString() } : null,
  });
  return {
    id: m.id,
    state: stateAt(m, ctx.now),
    side,
    proposedFrom: m.proposedFrom,
    joining: shownSide('joining', m.org, m.orgName, m.parent, m.joiningBy, m.joiningAt),
    receiving: shownSide('receiving', m.intoOrg, m.intoName, m.intoParent, m.receivingBy, m.receivingAt),
    joinByAddress: m.byAddress,
    sharedEntries: m.sharedEntries,
    hash: m.previewHash,
    createdAt: m.createdAt.toISOString(),
    expiresAt: m.expiresAt.toISOString(),
    appliedAt: time(m.appliedAt),
    undoUntil: time(m.undoUntil),
    endedAt: time(m.endedAt),
  };
}

/** The proposal for whoever is on one of its sides; a draft only for its own. */
async function readMerge(ctx: OrgCtx, id: Id<'mrg'>): Promise<Merge> {
  const m = await ctx.db.read(scopeOf(ctx), (db) => findMerge(db, id));
  if (!m || (m.state === 'draft' && askingSide(m, ctx) !== m.proposedFrom)) throw noSuchMerge();
  return m;
}

/** Sister organizations and merges, under `/api`. */
export function mergeOperations(up: MergeUpstairs): readonly Operation[] {
  const step = (
    verb: 'send' | 'reject' | 'undo',
    says: string,
    run: (ctx: OrgCtx, id: Id<'mrg'>) => Promise<unknown>,
  ): Operation =>
    operation({
      id: `org.${verb}_merge`,
      at: `POST /orgs/:org/merges/:merge/${verb}`,
      can: 'owner.manage',
      says,
      params: MergePath,
      body: nothing,
      reply: ShownMerge,
      async handle(ctx, { params }) {
        await run(inOrg(ctx), params.merge);
        return shownAfter(inOrg(ctx), params.merge);
      },
    });
  return [
    operation({
      id: 'org.list_sister_orgs',
      at: 'GET /orgs/:org/sister-orgs',
      can: 'org.manage',
      says: 'Lists the organizations under the same parent, this one among them.',
      params: OrgPath,
      reply: z.object({ items: z.array(z.object({ id: z.string(), name: z.string(), surface: z.string() })) }),
      handle: async (ctx) => ({ items: await ctx.db.read(scopeOf(ctx), listSisters) }),
    }),
    operation({
      id: 'org.create_sister_org',
      at: 'POST /orgs/:org/sister-orgs',
      can: 'owner.manage',
      says: 'Makes another organization under the same parent; the caller, in person, becomes its primary owner.',
      params: OrgPath,
      body: z.strictObject({ name: z.string().trim().min(1).max(200), surface: z.enum(surfaces) }),
      reply: z.object({ id: z.string(), name: z.string(), surface: z.enum(surfaces) }),
      status: 201,
      headers: (o) => ({ location: `/api/orgs/${o.id}` }),
      handle: (ctx, { body }) => createSisterOrg(inOrg(ctx), body),
    }),
    operation({
      id: 'org.list_merges',
      at: 'GET /orgs/:org/merges',
      can: 'org.manage',
      says: 'Lists proposals to merge with another parent, newest first.',
      params: OrgPath,
      query: ListQuery.extend({ state: z.enum(mergeStates).optional() }),
      reply: listOf(ShownMerge),
      async handle(ctx, { query }) {
        const o = inOrg(ctx);
        const { cursor: after, ...f } = query;
        const rows = await ctx.db.read(scopeOf(ctx), (db) => listMerges(db, { ...f, after }));
        const page = listed(rows, query.limit, (m) => [m.id]);
        return { ...page, items: page.items.map((m) => shownMerge(m, o)) };
      },
    }),
    operation({
      id: 'org.read_merge',
      at: 'GET /orgs/:org/merges/:merge',
      can: 'org.manage',
      says: 'Shows a proposal with its latest preview, and, once it is carried out, what would stand in the way of undoing it.',
      params: MergePath,
      reply: ShownMerge.extend({ preview: MergePreview.nullable(), undoObstacles: z.array(ShownObstacle).nullable() }),
      async handle(ctx, { params }) {
        const o = inOrg(ctx);
        const m = await readMerge(o, params.merge);
        const obstacles =
          m.state === 'applied' && m.undoUntil && m.undoUntil >= ctx.now
            ? (await ctx.db.read(scopeOf(ctx), (db) => listObstacles(db, m.id, false))).map(saysObstacle)
            : null;
        const preview = m.preview !== null && sees(m, askingSide(m, o)) ? MergePreview.parse(m.preview) : null;
        return { ...shownMerge(m, o), preview, undoObstacles: obstacles };
      },
    }),
    operation({
      id: 'org.propose_merge',
      at: 'POST /orgs/:org/merges',
      can: 'owner.manage',
      says: 'Drafts a proposal: as the joining side (this parent moves under the other) or as the receiving one.',
      params: OrgPath,
      body: z.strictObject({
        with: idOf('org', noSuchOrg).describe('The organization on the other side; its owners decide there.'),
        as: z.enum(['joining', 'receiving']),
        joinByAddress: z
          .boolean()
          .default(false)
          .describe(
            'Accounts of one address become one, too; else only accounts of one identity at the same provider.',
          ),
        sharedEntries: z
          .enum(entryChoices)
          .default('refuse')
          .describe(
            'What to do with people whom a directory of each side has: refuse, or let the receiving side decide.',
          ),
      }),
      reply: ShownMerge,
      status: 201,
      headers: (m, ctx) => ({ location: `/api/orgs/${ctx.org}/merges/${m.id}` }),
      async handle(ctx, { body }) {
        const o = inOrg(ctx);
        const { joinByAddress: byAddress, ...rest } = body;
        return shownMerge(await proposeMerge(o, { ...rest, byAddress }), o);
      },
    }),
    step('send', 'Lays a draft before the other side and tells the owners of both.', (ctx, id) =>
      sendMerge(ctx, id, up),
    ),
    operation({
      id: 'org.compare_merge',
      at: 'POST /orgs/:org/merges/:merge/preview',
      can: 'owner.manage',
      says: 'Compares both sides as they are now. The side that was asked does so first. A preview that differs ends approvals.',
      params: MergePath,
      body: nothing,
      reply: ShownMerge.extend({ preview: MergePreview }),
      async handle(ctx, { params }) {
        const o = inOrg(ctx);
        const made = await compareMerge(o, params.merge, up);
        return { ...shownMerge(made.merge, o), preview: made.preview };
      },
    }),
    operation({
      id: 'org.approve_merge',
      at: 'POST /orgs/:org/merges/:merge/approve',
      can: 'owner.manage',
      says: 'Approves the preview with this hash for this side, in person and freshly signed in; the second side carries it out.',
      params: MergePath,
      body: z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) }),
      reply: ShownMerge,
      async handle(ctx, { params, body }) {
        await approveMerge(inOrg(ctx), params.merge, body.hash, up);
        return shownAfter(inOrg(ctx), params.merge);
      },
    }),
    step('reject', 'Ends a proposal that is not carried out yet.', (ctx, id) => rejectMerge(ctx, id, up)),
    step('undo', 'Puts a merge back, within seven days, in person and freshly signed in.', (ctx, id) =>
      undoMerge(ctx, id, up),
    ),
  ];
}

/** As it is after a step; the step may have moved the asking organization to another parent, which sees the proposal as well. */
async function shownAfter(ctx: OrgCtx, id: Id<'mrg'>): Promise<z.infer<typeof ShownMerge>> {
  const m = await ctx.db.read(scopeOf(ctx), (db) => findMerge(db, id));
  if (!m) throw noSuchMerge();
  return shownMerge(m, ctx);
}
