import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { ArgumentPlace, argumentKinds, Projection } from '#policy/argument.ts';
import { brought, toolClasses } from '#policy/schema.ts';
import { idOf, InOrg, inOrg, OneConnector } from './connector-door.ts';
import { findConnector } from './connector.sql.ts';
import { listWaitingReviews } from './list-waiting-reviews.ts';
import { noConnector } from './refresh-tools.ts';
import { readReview } from './read-review.ts';
import { reviewInstructions } from './review-instructions.ts';
import { noTool, reviewTools, type Review } from './review-tools.ts';
import { elsewhereOf } from './scan/references.ts';
import { setReviewSettings } from './set-review-settings.ts';
import { FindingShown, shownTool, ToolShown } from './shown-tool.ts';
import { acceptsCosmetic, findTool, listSightings, listToolNames, listToolsOf, sightings } from './tool.sql.ts';
import { INSTRUCTIONS, toolStates } from './tool.ts';

const Pin = z.string().regex(/^[0-9a-f]{64}$/, 'a pin is 64 hexadecimal digits');
const Name = z.string().min(1).max(128);
/** Without a name it is about what the connector tells its clients. */
const OfTool = z.object({ tool: Name.optional() });

const Brings = z.array(z.enum(brought)).refine((b) => new Set(b).size === b.length, 'each once');
const Accepted = z.strictObject({
  name: Name,
  pin: Pin,
  class: z.enum(toolClasses),
  projection: Projection.optional(),
  /** JSON Schema 2020-12 of type object. */
  schema: z.record(z.string(), z.unknown()).optional(),
  brings: Brings.optional().describe('What its answers bring into a session; left out, a read brings both.'),
  outward: z
    .boolean()
    .optional()
    .describe('Whether it can carry content out of the organization; left out, a destructive one can.'),
});
const KeptClosed = z.strictObject({ name: Name, pin: Pin, keepClosed: z.literal(true) });

const Counts = z.object({ high: z.number(), medium: z.number(), low: z.number() });
const severity = z.enum(['first', 'none', 'cosmetic', 'meaning']);
const Waiting = z.object({
  connector: z.object({ id: z.string(), slug: z.string(), name: z.string() }),
  kind: z.enum(['tool', 'instructions']),
  /** Null for instructions. */
  name: z.string().nullable(),
  state: z.enum(toolStates),
  class: z.enum(toolClasses).nullable(),
  pin: z.string(),
  reviewedPin: z.string().nullable(),
  since: z.string(),
  severity,
  /** Where it differs from the accepted one. */
  changed: z.array(z.string()),
  findings: Counts,
  /** The gravest, in words. */
  says: z.string().nullable(),
});

const Change = z.object({
  at: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  before: z.string().optional(),
  after: z.string().optional(),
  lines: z.array(z.object({ op: z.enum(['same', 'deleted', 'inserted']), text: z.string() })).nullish(),
});
const Sheet = ToolShown.omit({ name: true, reviewedDefinition: true, findings: true }).extend({
  connector: Waiting.shape.connector,
  kind: Waiting.shape.kind,
  name: Waiting.shape.name,
  whole: z.unknown(),
  against: z.object({ pin: z.string(), definition: z.unknown() }).nullable(),
  severity,
  changes: z.array(Change),
  findings: z.array(FindingShown.extend({ fresh: z.boolean() })),
  places: z.array(
    z.object({
      at: z.string(),
      types: z.array(z.string()),
      suggests: z.enum(argumentKinds).nullable(),
      freeText: z.boolean(),
    }),
  ),
  suggested: z.array(ArgumentPlace),
});

const Settings = z.strictObject({ acceptCosmetic: z.boolean() });
const nameOf = (name: string): { kind: 'tool' | 'instructions'; name: string | null } =>
  name === INSTRUCTIONS ? { kind: 'instructions', name: null } : { kind: 'tool', name };

/** What is known of the tools of connectors, and what reviewers say about it. */
export const toolOperations: readonly Operation[] = [
  operation({
    id: 'connectors.list_tools',
    at: 'GET /orgs/:org/connectors/:con/tools',
    can: 'connector.read',
    says: 'Lists the tools of a connector with definition, pin, review and what a reviewer should look at.',
    params: OneConnector,
    reply: listOf(ToolShown),
    handle: async (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = idOf(params.con);
        if (!(await findConnector(db, id))) throw noConnector(id);
        const elsewhere = elsewhereOf(id, await listToolNames(db));
        return { items: (await listToolsOf(db, id)).map((t) => shownTool(t, elsewhere)), next: null };
      }),
  }),
  operation({
    id: 'connectors.review_tools',
    at: 'POST /orgs/:org/connectors/:con/review',
    can: 'tool.review',
    says: 'Says what tools do, each bound to the definition that was shown, or keeps them closed. Only reviewed tools can be used.',
    params: OneConnector,
    body: z.strictObject({
      tools: z
        .array(z.union([Accepted, KeptClosed]))
        .min(1)
        .max(1000)
        .refine((all) => new Set(all.map((t) => t.name)).size === all.length, 'each tool once'),
    }),
    reply: listOf(ToolShown),
    handle: async (ctx, { params, body }) => {
      const id = idOf(params.con);
      const reviews: readonly Review[] = body.tools;
      const tools = await reviewTools(inOrg(ctx), id, reviews);
      const elsewhere = elsewhereOf(id, await ctx.db.read(scopeOf(ctx), listToolNames));
      return { items: tools.map((t) => shownTool(t, elsewhere)), next: null };
    },
  }),
  operation({
    id: 'connectors.list_waiting',
    at: 'GET /orgs/:org/tool-reviews',
    can: 'connector.read',
    says: 'Lists what waits for a review: new and changed tools and instructions, with what differs and what was found. `q` searches names and definitions.',
    params: InOrg,
    query: ListQuery.extend({ connector: z.string().optional() }),
    reply: listOf(Waiting),
    handle: async (ctx, { query }) => {
      const connector = query.connector === undefined ? undefined : idOf(query.connector);
      const all = await listWaitingReviews(inOrg(ctx), {
        like: containing(query.q),
        connector,
        after: query.cursor,
        limit: query.limit + 1,
      });
      const { items, next } = listed(all, query.limit, (w) => [w.connector.id, w.tool.name]);
      return {
        items: items.map((w) => ({
          connector: { id: w.connector.id, slug: w.connector.slug, name: w.connector.name },
          ...nameOf(w.tool.name),
          state: w.tool.state,
          class: w.tool.class ?? null,
          pin: w.tool.pin,
          reviewedPin: w.tool.reviewedPin ?? null,
          since: w.tool.since.toISOString(),
          severity: w.severity,
          changed: w.changed,
          findings: w.findings,
          says: w.says ?? null,
        })),
        next,
      };
    },
  }),
  operation({
    id: 'connectors.get_review',
    at: 'GET /orgs/:org/connectors/:con/review',
    can: 'connector.read',
    says: 'Shows a tool (or, without `tool`, the instructions) as it is offered now beside the accepted definition: field by field, with findings and the places of its arguments. `against`: any earlier pin.',
    params: OneConnector,
    query: OfTool.extend({ against: Pin.optional() }),
    reply: Sheet,
    handle: async (ctx, { params, query }) => {
      const s = await readReview(inOrg(ctx), idOf(params.con), query.tool, query.against);
      const { findings: _, reviewedDefinition: __, ...tool } = shownTool(s.tool, elsewhereOf('', []));
      return {
        ...tool,
        ...nameOf(s.tool.name),
        connector: { id: s.connector.id, slug: s.connector.slug, name: s.connector.name },
        whole: JSON.parse(s.whole) as unknown,
        against: s.against ? { pin: s.against.pin, definition: JSON.parse(s.against.definition) as unknown } : null,
        severity: s.severity,
        changes: s.changes,
        findings: s.findings,
        places: s.places.map((p) => ({ ...p, types: [...p.types] })),
        suggested: s.suggested,
      };
    },
  }),
  operation({
    id: 'connectors.review_instructions',
    at: 'POST /orgs/:org/connectors/:con/instructions',
    can: 'tool.review',
    says: 'Lets clients read what the connector tells them of itself, or keeps it from them. Bound to the text that was shown.',
    params: OneConnector,
    body: z.strictObject({ pin: Pin, verdict: z.enum(['accepted', 'closed']) }),
    reply: z.object({ state: z.enum(toolStates), pin: z.string(), reviewedPin: z.string().nullable() }),
    handle: async (ctx, { params, body }) => {
      const t = await reviewInstructions(inOrg(ctx), idOf(params.con), body.pin, body.verdict);
      return { state: t.state, pin: t.pin, reviewedPin: t.reviewedPin ?? null };
    },
  }),
  operation({
    id: 'connectors.list_history',
    at: 'GET /orgs/:org/connectors/:con/history',
    can: 'connector.read',
    says: 'Lists what happened to the definition of a tool (or, without `tool`, to the instructions), newest first.',
    params: OneConnector,
    query: ListQuery.omit({ q: true }).extend(OfTool.shape),
    reply: listOf(z.object({ what: z.enum(sightings), pin: z.string(), at: z.string() })),
    handle: async (ctx, { params, query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = idOf(params.con);
        if (!(await findConnector(db, id))) throw noConnector(id);
        const name = query.tool ?? INSTRUCTIONS;
        if (query.tool === INSTRUCTIONS || !(await findTool(db, id, name)))
          throw noTool([query.tool ?? 'instructions']);
        const before = query.cursor?.[0] ?? null;
        const rows = await listSightings(
          db,
          id,
          name,
          before !== null && /^\d{1,18}$/.test(before) ? before : null,
          query.limit + 1,
        );
        const { items, next } = listed(rows, query.limit, (r) => [r.n]);
        return { items: items.map((r) => ({ what: r.what, pin: r.pin, at: r.at.toISOString() })), next };
      }),
  }),
  operation({
    id: 'connectors.get_review_settings',
    at: 'GET /orgs/:org/tool-review-settings',
    can: 'connector.read',
    says: 'Shows whether a tool of which only title or icons changed keeps its review.',
    params: InOrg,
    reply: Settings,
    handle: async (ctx) => ({ acceptCosmetic: await ctx.db.read(scopeOf(ctx), acceptsCosmetic) }),
  }),
  operation({
    id: 'connectors.set_review_settings',
    at: 'PUT /orgs/:org/tool-review-settings',
    can: 'connector.manage',
    says: 'Lets a tool of which only title or icons changed keep its review, or has it wait like any other. Off unless said.',
    params: InOrg,
    body: Settings,
    reply: Settings,
    handle: (ctx, { body }) => setReviewSettings(inOrg(ctx), body),
  }),
];
