import { z } from 'zod';
import { csvLine } from '#audit/csv.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import type { Explained } from './because.ts';
import type { Catalogue } from './catalogue.ts';
import { answers } from './decided-call.ts';
import { explainCall, type FactsUsed } from './explain-call.ts';
import { explainRecorded } from './explain-recorded.ts';
import { id, InOrg } from './forms.ts';
import { factsAsked } from './facts-asked.ts';
import { devices, surfaces, toolClasses, type SessionFacts } from './schema.ts';
import { simulated, type SimulatedTool } from './simulate.ts';
import { simulatePerson } from './simulate-person.ts';
import { simulateTools, type WhoCan } from './simulate-tool.ts';

const toolName = z.string().min(1).max(128);
const instant = z.iso.datetime({ offset: true }).transform((t) => new Date(t));
/** From where and when it is asked about. */
const standpoint = {
  surface: z.enum(surfaces).default('mcp'),
  device: z.enum(devices).default('unknown'),
  at: instant.optional().describe('Now, where it is absent.'),
};

const named = { policy: z.string(), rule: z.string().nullable(), name: z.string(), words: z.string().nullable() };
const Args = z.record(z.string(), z.union([z.string(), z.number()]));
const facts = {
  class: z.enum(toolClasses),
  groups: z.array(z.object({ id: z.string(), name: z.string() })),
  context: z.object({
    surface: z.enum(surfaces),
    device: z.enum(devices),
    now: z.object({ weekday: z.number(), minute: z.number() }),
    session: z
      .object({ readUntrusted: z.boolean(), readPrivate: z.boolean() })
      .optional()
      .describe('What the session had read; absent where no rule asked.'),
  }),
};
const Facts = z.object({ ...facts, args: z.array(Args).describe('What rules see of the arguments, by combination.') });
const explanation = {
  outcome: z.enum(answers),
  says: z.string(),
  rules: z.array(z.object({ ...named, through: z.string().nullable() })),
  close: z
    .array(z.object({ ...named, differs: z.enum(['tool', 'who', 'condition']), failed: z.array(z.string()) }))
    .describe('Rules that would have allowed it but for one thing; `failed` are the conditions that do not hold.'),
  version: z.string(),
  engine: z.enum(['compiled', 'cedar-wasm']),
  args: Args.describe('The combination of arguments that it is about.'),
};
const Explanation = z.object({ ...explanation, ...facts, combinations: z.array(Args) });
const Recorded = z.object({
  call: z.object({
    id: z.string(),
    at: z.string(),
    user: z.string(),
    connector: z.string(),
    tool: z.string(),
    outcome: z.string().nullable(),
    why: z.string().nullable(),
  }),
  decided: z
    .object({
      outcome: z.enum(answers),
      version: z.string(),
      engine: z.enum(['compiled', 'cedar-wasm']),
      policies: z.array(z.object({ ...named, inForce: z.boolean() })),
    })
    .nullable(),
  facts: Facts.nullable(),
  missing: z.string().nullable(),
  now: z.object(explanation).nullable(),
});

const shownExplained = ({ rules, close, ...e }: Explained): z.input<z.ZodObject<typeof explanation>> => ({
  ...e,
  args: { ...e.args },
  rules,
  close: close.map((c) => ({ ...c, failed: [...c.failed] })),
});
const shownFacts = ({ args, ...f }: FactsUsed): z.input<typeof Facts> => ({ ...f, args: args.map((a) => ({ ...a })) });

/** Arguments as a question gives them, in the words of a reviewer's kinds. */
const factFields = {
  path: z.string().max(4096).optional(),
  folder: z.string().max(4096).optional(),
  repository: z.string().max(4096).optional(),
  channel: z.string().max(4096).optional(),
  recipient: z.string().max(4096).optional(),
  recipient_domain: z.string().max(255).optional(),
  amount: z.coerce.number().optional(),
  url: z.string().max(4096).optional(),
};
const factsOfQuery = (q: Record<string, unknown>): ReturnType<typeof factsAsked> =>
  factsAsked(z.object(factFields).parse(Object.fromEntries(Object.keys(factFields).map((k) => [k, q[k]]))));

/** What the session has read before, in an address. */
const sessionFields = {
  read_untrusted: z.stringbool().default(false),
  read_private: z.stringbool().default(false),
};
const sessionOf = (q: { read_untrusted: boolean; read_private: boolean }): SessionFacts => ({
  readUntrusted: q.read_untrusted,
  readPrivate: q.read_private,
});

const PersonQuery = ListQuery.extend({
  ...standpoint,
  ...sessionFields,
  ...factFields,
  user: id('usr'),
  connector: id('con').optional(),
  class: z.enum(toolClasses).optional(),
  outcome: z.enum(simulated).optional(),
});
const ToolQuery = ListQuery.extend({
  ...standpoint,
  ...sessionFields,
  ...factFields,
  connector: id('con').optional(),
  tool: toolName.optional(),
  class: z.enum(toolClasses).optional(),
  outcome: z.enum(simulated).optional(),
  outside: z
    .stringbool()
    .optional()
    .describe('To a recipient whose domain is not one that the organization has proved.'),
});

const SimulatedShown = z.object({
  connector: z.object({ id: z.string(), slug: z.string(), name: z.string() }),
  tool: z.string(),
  class: z.enum(toolClasses),
  outcome: z.enum(simulated),
  says: z.string(),
  policies: z.array(z.object(named)),
  conditions: z.array(z.object(named)).describe('Of `depends`: the policies that look at the arguments.'),
});
const WhoCanShown = z.object({
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  live: z.boolean(),
  outcome: z.enum(simulated),
  tools: z.array(
    z.object({
      connector: z.string(),
      tool: z.string(),
      outcome: z.enum(simulated),
      says: z.string(),
      domains: z.array(z.string()).describe('Of `outside`: to which domains; `any` is one that no rule names.'),
    }),
  ),
});

const csv = (name: string, text: string): Response =>
  new Response(text, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}.csv"`,
      'cache-control': 'no-store',
    },
  });
const placeOf = (t: SimulatedTool): [string, string] => [t.connector.slug, t.tool];
const behind = (t: SimulatedTool, after: readonly string[] | undefined): boolean => {
  const [slug, tool] = placeOf(t);
  const [afterSlug = '', afterTool = ''] = after ?? [];
  return after === undefined || slug > afterSlug || (slug === afterSlug && tool > afterTool);
};
const namesOf = (of: SimulatedTool['policies']): string => of.map((p) => p.name).join('; ');
/** People whom one file lists; an organization with more asks for groups of them with q. */
const MAX_LINES = 100_000;

/** What people ask of the policies without changing them. */
export const policyQuestionOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'policy.explain_call',
    at: 'POST /orgs/:org/policy/explain',
    can: 'policy.read',
    says: 'Says what would happen if a person called a tool now, or why a recorded call was decided so, and by which rules.',
    params: InOrg,
    body: z.union([
      z.strictObject({ call: id('tcl') }),
      z.strictObject({
        user: id('usr'),
        connector: id('con'),
        tool: toolName,
        ...standpoint,
        session: z
          .strictObject({ readUntrusted: z.boolean().default(false), readPrivate: z.boolean().default(false) })
          .optional()
          .describe('What its session has read before; nothing, where it is absent.'),
        arguments: z.record(z.string(), z.unknown()).optional(),
      }),
    ]),
    reply: z.union([Recorded, Explanation]),
    async handle(ctx, { body }) {
      if ('call' in body) {
        const { call, facts: used, now, ...rest } = await explainRecorded(inOrg(ctx), body.call);
        return {
          ...rest,
          call: { ...call, at: call.at.toISOString() },
          facts: used && shownFacts(used),
          now: now && shownExplained(now),
        };
      }
      const { class: klass, groups, context, combinations, ...e } = await explainCall(inOrg(ctx), body, catalogue);
      return {
        ...shownExplained(e),
        class: klass,
        groups,
        context,
        combinations: combinations.map((a) => ({ ...a })),
      };
    },
  }),
  operation({
    id: 'policy.simulate_person',
    at: 'GET /orgs/:org/policy/simulate/tools',
    can: 'policy.read',
    says: 'Lists what a person can do with the tools of one connector or of all: allowed, asks, denied, or depends on the arguments.',
    params: InOrg,
    query: PersonQuery,
    reply: listOf(SimulatedShown),
    async handle(ctx, { query }) {
      const all = await simulatePerson(
        inOrg(ctx),
        { ...query, session: sessionOf(query), facts: factsOfQuery(query) },
        catalogue,
      );
      const rest = all.filter((t) => behind(t, query.cursor));
      return listed(rest, query.limit, placeOf);
    },
  }),
  page({
    id: 'policy.export_person',
    at: 'GET /orgs/:org/policy/simulate/tools.csv',
    can: 'policy.read',
    says: 'Gives what a person can do as CSV.',
    params: InOrg,
    query: PersonQuery,
    async handle(ctx, { query }) {
      const all = await simulatePerson(
        inOrg(ctx),
        { ...query, session: sessionOf(query), facts: factsOfQuery(query) },
        catalogue,
      );
      const rows = all.map((t) =>
        csvLine([t.connector.slug, t.tool, t.class, t.outcome, t.says, namesOf(t.policies), namesOf(t.conditions)]),
      );
      const head = csvLine(['connector', 'tool', 'class', 'outcome', 'says', 'rules', 'depends_on']);
      return csv(query.user, head + rows.join(''));
    },
  }),
  operation({
    id: 'policy.simulate_tool',
    at: 'GET /orgs/:org/policy/simulate/people',
    can: 'policy.read',
    says: 'Lists who can use a tool, or any tool of a class, with these arguments; outside asks about recipients that are not ours.',
    params: InOrg,
    query: ToolQuery,
    reply: listOf(WhoCanShown),
    async handle(ctx, { query }) {
      const { cursor: after, limit } = query;
      const q = { ...query, session: sessionOf(query), facts: factsOfQuery(query) };
      return listed(await simulateTools(inOrg(ctx), q, { after, limit }, catalogue), limit, whoIs);
    },
  }),
  page({
    id: 'policy.export_tool',
    at: 'GET /orgs/:org/policy/simulate/people.csv',
    can: 'policy.read',
    says: 'Gives who can use a tool as CSV.',
    params: InOrg,
    query: ToolQuery,
    async handle(ctx, { query }) {
      const q = { ...query, session: sessionOf(query), facts: factsOfQuery(query) };
      const people = await simulateTools(inOrg(ctx), q, { after: undefined, limit: MAX_LINES }, catalogue);
      const rows = people.map((p) =>
        csvLine([
          p.user,
          p.email,
          p.displayName,
          p.outcome,
          p.tools.map((t) => `${t.connector}/${t.tool}`).join(' '),
          [...new Set(p.tools.flatMap((t) => t.domains))].join(' '),
          p.tools[0]?.says ?? '',
        ]),
      );
      const head = csvLine(['user', 'email', 'name', 'outcome', 'tools', 'domains', 'says']);
      return csv(query.tool ?? query.class ?? 'people', head + rows.join(''));
    },
  }),
];

const whoIs = (p: WhoCan): [string, string] => [p.email.toLowerCase(), p.user];
