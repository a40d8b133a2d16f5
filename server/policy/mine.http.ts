import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { inOrg } from '#org/org.http.ts';
import type { Catalogue } from './catalogue.ts';
import { answers } from './decided-call.ts';
import { explainCall } from './explain-call.ts';
import { explainRecorded } from './explain-recorded.ts';
import { id, InOrg } from './forms.ts';
import { readOwnAccess } from './read-own-access.ts';
import { toolClasses } from './schema.ts';
import { simulatePerson } from './simulate-person.ts';
import { simulated, type SimulatedTool } from './simulate.ts';

const Connector = z.object({ id: z.string(), slug: z.string(), name: z.string(), on: z.boolean() });
const MyTool = z.object({
  connector: Connector,
  tool: z.string(),
  class: z.enum(toolClasses),
  outcome: z.enum(simulated),
  says: z.string(),
  /** Names of the rules that decide; what they say of others is not for everybody to know. */
  rules: z.array(z.string()),
});
const shownConnector = ({ id: con, slug, name, on }: SimulatedTool['connector']) => ({ id: con, slug, name, on });
const shownTool = (t: SimulatedTool): z.infer<typeof MyTool> => ({
  connector: shownConnector(t.connector),
  tool: t.tool,
  class: t.class,
  outcome: t.outcome,
  says: t.says,
  rules: [...new Set([...t.policies, ...t.conditions].map((p) => p.name))],
});

const count = z.number().int();
const MyAccess = z.object({
  connectors: z.array(
    z.object({
      connector: Connector,
      classes: z.array(
        z.object({
          class: z.enum(toolClasses),
          counts: z.object({ allowed: count, asks: count, denied: count, depends: count }),
          says: z.string().nullable(),
        }),
      ),
    }),
  ),
});
const Why = z.object({
  /** The recorded call; null where it is about one that might be made. */
  call: z
    .object({
      id: z.string(),
      at: z.string(),
      connector: z.string(),
      tool: z.string(),
      outcome: z.string().nullable(),
      why: z.string().nullable(),
    })
    .nullable(),
  /** What policy said then, and by which rules; null where it was not asked or that is not kept. */
  decided: z
    .object({
      outcome: z.enum(answers),
      rules: z.array(z.object({ name: z.string(), inForce: z.boolean() })),
    })
    .nullable(),
  /** What it says now; null where that is not known any more. */
  now: z.object({ outcome: z.enum(answers), says: z.string(), rules: z.array(z.string()) }).nullable(),
});

const toolName = z.string().min(1).max(128);
const placeOf = (t: SimulatedTool): [string, string] => [t.connector.slug, t.tool];
const behind = (t: SimulatedTool, after: readonly string[] | undefined): boolean => {
  const [slug, tool] = placeOf(t);
  const [afterSlug = '', afterTool = ''] = after ?? [];
  return after === undefined || slug > afterSlug || (slug === afterSlug && tool > afterTool);
};

/** Whoever asks, as a person: a key has no access of its own that rules could speak of. */
function meOf(ctx: Ctx): Id<'usr'> {
  if (ctx.actor.kind === 'user') return ctx.actor.id;
  throw new Problem('forbidden', 'policy/persons-only', {
    says: 'this is about the person who is signed in, and an API key is not one',
    fix: 'ask about a person with /policy/access or /policy/simulate/tools',
  });
}

/** What people ask about themselves. */
export const myPolicyOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'mine.read_access',
    at: 'GET /orgs/:org/my/access',
    can: 'signed_in',
    says: 'Says for each connector what the caller may do with its tools: look things up, change things, delete or reach outside.',
    params: InOrg,
    reply: MyAccess,
    async handle(ctx) {
      const all = await readOwnAccess(inOrg(ctx), meOf(ctx), catalogue);
      return { connectors: all.map((c) => ({ ...c, connector: shownConnector(c.connector) })) };
    },
  }),
  operation({
    id: 'mine.list_tools',
    at: 'GET /orgs/:org/my/tools',
    can: 'signed_in',
    says: 'Lists every tool with what would become of a call by the caller now, and why; q searches tools and connectors.',
    params: InOrg,
    query: ListQuery.extend({
      connector: id('con').optional(),
      class: z.enum(toolClasses).optional(),
      outcome: z.enum(simulated).optional(),
    }),
    reply: listOf(MyTool),
    async handle(ctx, { query }) {
      const all = await simulatePerson(inOrg(ctx), { ...query, user: meOf(ctx), surface: 'mcp' }, catalogue);
      const page = listed(
        all.filter((t) => behind(t, query.cursor)),
        query.limit,
        placeOf,
      );
      return { ...page, items: page.items.map(shownTool) };
    },
  }),
  operation({
    id: 'mine.explain_call',
    at: 'POST /orgs/:org/my/explain',
    can: 'signed_in',
    says: 'Says what would become of a call by the caller, or why a call of theirs was decided so. Looking at a recorded call leaves an event.',
    params: InOrg,
    body: z.union([
      z.strictObject({ call: id('tcl') }),
      z.strictObject({
        connector: id('con'),
        tool: toolName,
        arguments: z.record(z.string(), z.unknown()).optional(),
      }),
    ]),
    reply: Why,
    async handle(ctx, { body }) {
      const user = meOf(ctx);
      if ('call' in body) {
        const { call, decided, now } = await explainRecorded(inOrg(ctx), body.call, user);
        const { id: tcl, connector, tool, outcome, why } = call;
        return {
          call: { id: tcl, at: call.at.toISOString(), connector, tool, outcome, why },
          decided: decided && {
            outcome: decided.outcome,
            rules: decided.policies.map(({ name, inForce }) => ({ name, inForce })),
          },
          now: now && { outcome: now.outcome, says: now.says, rules: now.rules.map((r) => r.name) },
        };
      }
      const e = await explainCall(inOrg(ctx), { ...body, user, surface: 'mcp' }, catalogue);
      return {
        call: null,
        decided: null,
        now: { outcome: e.outcome, says: e.says, rules: e.rules.map((r) => r.name) },
      };
    },
  }),
];
