import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { decideKept } from './decide-kept.ts';
import { FoundInEvent } from './dlp.events.ts';
import { keptStates, noKept, stateAt, type Kept } from './quarantine.ts';
import { findKept, listKept } from './quarantine.sql.ts';
import { readKept } from './read-kept.ts';
import { phases } from './verdict.ts';

const InOrg = z.object({ org: z.string() });
const One = InOrg.extend({ quarantine: z.string() });
const idOf = (text: string): Id<'qua'> => {
  const id = parseId('qua', text);
  if (!id) throw noKept(text);
  return id;
};

const KeptShown = z.object({
  id: z.string(),
  state: z.enum(keptStates),
  phase: z.enum(phases),
  call: z.string(),
  connector: z.string().nullable(),
  tool: z.string().nullable(),
  asker: z.object({
    member: z.string().nullable(),
    user: z.string().nullable(),
    name: z.string().nullable(),
    client: z.string(),
  }),
  bytes: z.number().int(),
  findings: z.array(FoundInEvent),
  /** How many different people must release it, and who has decided so far. */
  needs: z.number().int(),
  decisions: z.array(
    z.object({
      by: z.string(),
      name: z.string().nullable(),
      decision: z.enum(['release', 'discard']),
      at: z.string(),
      reason: z.string().nullable(),
    }),
  ),
  keptAt: z.string(),
  expiresAt: z.string(),
});

const shown = (k: Kept, now: Date): z.input<typeof KeptShown> => ({
  id: k.id,
  state: stateAt(k, now),
  phase: k.phase,
  call: k.call,
  connector: k.connector ?? null,
  tool: k.tool ?? null,
  asker: {
    member: k.asker.member ?? null,
    user: k.asker.user ?? null,
    name: k.asker.name ?? null,
    client: k.asker.client,
  },
  bytes: k.bytes,
  findings: k.findings.map((f) => ({ ...f, hashes: [...f.hashes] })),
  needs: k.needs,
  decisions: k.decisions.map((d) => ({ ...d, name: d.name ?? null, at: d.at.toISOString(), reason: d.reason ?? null })),
  keptAt: k.at.toISOString(),
  expiresAt: k.expires.toISOString(),
});

/** What reviewers do with content that was kept. */
export const quarantineOperations: readonly Operation[] = [
  operation({
    id: 'dlp.list_quarantine',
    at: 'GET /orgs/:org/quarantine',
    can: 'dlp.review',
    says: 'Lists kept content with what was found in it, newest first, never the content; q searches id, call, tool, connector, member and detector.',
    params: InOrg,
    query: ListQuery.extend({ state: z.enum(keptStates).optional() }).refine(
      (q) => q.cursor === undefined || (q.cursor.length === 2 && z.iso.datetime().safeParse(q.cursor[0]).success),
      'this cursor was not made by this list; leave it out to begin at the top',
    ),
    reply: listOf(KeptShown),
    async handle(ctx, { query }) {
      const [at, id] = query.cursor ?? [];
      const before = at !== undefined && id !== undefined ? { at: new Date(at), id } : undefined;
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listKept(db, { state: query.state, q: containing(query.q), before, now: ctx.now, limit: query.limit + 1 }),
      );
      const page = listed(rows, query.limit, (k) => [k.at.toISOString(), k.id]);
      return { ...page, items: page.items.map((k) => shown(k, ctx.now)) };
    },
  }),
  operation({
    id: 'dlp.get_quarantine',
    at: 'GET /orgs/:org/quarantine/:quarantine',
    can: 'dlp.review',
    says: 'Shows one kept content: what was found, who asked, who has decided.',
    params: One,
    reply: KeptShown,
    async handle(ctx, { params }) {
      const id = idOf(params.quarantine);
      const kept = await ctx.db.read(scopeOf(ctx), (db) => findKept(db, id));
      if (!kept) throw noKept(id);
      return shown(kept, ctx.now);
    },
  }),
  operation({
    id: 'dlp.read_quarantine',
    at: 'GET /orgs/:org/quarantine/:quarantine/content',
    can: 'dlp.review',
    says: 'Opens the kept content for a reviewer. Leaves an event, before it is shown.',
    discloses: true,
    params: One,
    reply: z.object({ content: z.string() }),
    handle: async (ctx, { params }) => ({ content: await readKept(inOrg(ctx), idOf(params.quarantine)) }),
  }),
  operation({
    id: 'dlp.decide_quarantine',
    at: 'POST /orgs/:org/quarantine/:quarantine/decision',
    can: 'dlp.review',
    says: 'Releases kept content, for which the top class needs two people, or discards it. Nobody decides about what was kept from himself.',
    params: One,
    body: z.strictObject({ decision: z.enum(['release', 'discard']), reason: z.string().max(1000).optional() }),
    reply: KeptShown,
    async handle(ctx, { params, body }) {
      const c = inOrg(ctx);
      return shown(await decideKept(c, idOf(params.quarantine), body.decision, body.reason), c.now);
    },
  }),
];
