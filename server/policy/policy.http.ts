import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { addRule } from './add-rule.ts';
import { noRule, type Catalogue } from './catalogue.ts';
import { policyText } from './cedar.ts';
import { explainCall } from './explain-call.ts';
import { removeRule } from './remove-rule.ts';
import { policiesOf, wordsOf, type Rule, type RuleDraft } from './rule.ts';
import { listRules } from './rule.sql.ts';
import { surfaces, toolClasses } from './schema.ts';

const id = <K extends string>(prefix: K): z.ZodType<Id<K>> =>
  z.string().transform((text, c) => {
    const parsed = parseId(prefix, text);
    if (parsed === undefined) {
      c.addIssue({ code: 'custom', message: `expected an id like ${prefix}_ and 32 hex digits` });
      return z.NEVER;
    }
    return parsed;
  });

const InOrg = z.object({ org: z.string() });
/** A rule in a path. What cannot be an id of ours is answered like a rule that does not exist. */
const rulePath = z.string().transform((text): Id<'rul'> => {
  const rule = parseId('rul', text);
  if (!rule) throw noRule(text.slice(0, 60));
  return rule;
});
// One line of printable text: a rule's name is shown in refusals, to models too.
const line = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters');

const who = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everyone') }),
  z.strictObject({ kind: z.literal('group'), group: id('grp') }),
  z.strictObject({ kind: z.literal('user'), user: id('usr') }),
]);
const distinct = (of: readonly string[]): boolean => new Set(of).size === of.length;
const tools = z.union([
  z.strictObject({ classes: z.array(z.enum(toolClasses)).min(1).refine(distinct, 'each class once') }),
  z.strictObject({ names: z.array(z.string().min(1).max(128)).min(1).max(200).refine(distinct, 'each name once') }),
]);
const about = { name: line, who, connector: z.union([z.literal('any'), id('con')]), tools };
const Draft: z.ZodType<RuleDraft> = z.discriminatedUnion('effect', [
  z.strictObject({ ...about, effect: z.literal('allow'), asks: z.enum(['never', 'always']) }),
  z.strictObject({ ...about, effect: z.literal('forbid') }),
]);

const RuleShown = z.object({
  id: z.string(),
  name: z.string(),
  words: z.string(),
  who: z.object({
    kind: z.string(),
    group: z.string().optional(),
    user: z.string().optional(),
    name: z.string().optional(),
  }),
  connector: z.string(),
  tools: z.object({ classes: z.array(z.string()).optional(), names: z.array(z.string()).optional() }),
  effect: z.enum(['allow', 'forbid']),
  asks: z.enum(['never', 'always']).optional(),
  /** The Cedar policies that the rule is. */
  cedar: z.string(),
  createdBy: z.string().optional(),
  createdAt: z.string().optional(),
});

function shown(r: Rule & { createdBy?: string; createdAt?: Date }, of: Id<'org'>): z.input<typeof RuleShown> {
  return {
    id: r.id,
    name: r.name,
    words: wordsOf(r),
    who: r.who,
    connector: r.connector,
    tools: 'classes' in r.tools ? { classes: [...r.tools.classes] } : { names: [...r.tools.names] },
    effect: r.effect,
    asks: r.effect === 'allow' ? r.asks : undefined,
    cedar: Object.values(policiesOf(r, of)).map(policyText).join('\n'),
    createdBy: r.createdBy,
    createdAt: r.createdAt?.toISOString(),
  };
}

const ruleWords = { rule: z.string(), name: z.string(), words: z.string() };
const Explanation = z.object({
  outcome: z.enum(['allowed', 'asks', 'denied']),
  says: z.string(),
  class: z.enum(toolClasses),
  groups: z.array(z.object({ id: z.string(), name: z.string() })),
  rules: z.array(z.object({ ...ruleWords, through: z.string() })),
  close: z.array(z.object({ ...ruleWords, differs: z.enum(['tool', 'who']) })),
  version: z.string(),
  engine: z.enum(['compiled', 'cedar-wasm']),
});

/** The operations on rules. `catalogue` is the connectors room's answer to what policy may not look up itself. */
export const policyOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'policy.list_rules',
    at: 'GET /orgs/:org/rules',
    can: 'policy.read',
    says: 'Lists the rules in force with the Cedar that they are, oldest first; q searches their names.',
    params: InOrg,
    query: ListQuery.extend({ connector: id('con').optional() }),
    reply: listOf(RuleShown),
    async handle(ctx, { query }) {
      const { limit, q, cursor, connector } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listRules(db, { limit, q, connector, after: cursor }));
      const page = listed(rows, limit, (r) => [r.id]);
      return { items: page.items.map((r) => shown(r, inOrg(ctx).org)), next: page.next };
    },
  }),
  operation({
    id: 'policy.add_rule',
    at: 'POST /orgs/:org/rules',
    can: 'policy.manage',
    says: 'Adds a rule; it applies from the next decision on.',
    params: InOrg,
    body: Draft,
    reply: RuleShown,
    status: 201,
    async handle(ctx, { body }) {
      return shown(await addRule(inOrg(ctx), body, catalogue), inOrg(ctx).org);
    },
    headers: (r, ctx) => ({ location: `/api/orgs/${ctx.org}/rules/${r.id}` }),
  }),
  operation({
    id: 'policy.remove_rule',
    at: 'DELETE /orgs/:org/rules/:rule',
    can: 'policy.manage',
    says: 'Takes a rule out of force.',
    params: InOrg.extend({ rule: rulePath }),
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params }) {
      await removeRule(inOrg(ctx), params.rule);
      return {};
    },
  }),
  operation({
    id: 'policy.explain_call',
    at: 'POST /orgs/:org/policy/explain',
    can: 'policy.read',
    says: 'Says what would happen if a person called a tool now, and by which rules.',
    params: InOrg,
    body: z.strictObject({
      user: id('usr'),
      connector: id('con'),
      tool: z.string().min(1).max(128),
      surface: z.enum(surfaces).default('mcp'),
    }),
    reply: Explanation,
    handle: (ctx, { body }) => explainCall(inOrg(ctx), body, catalogue),
  }),
];
