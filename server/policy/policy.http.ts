import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { addRule } from './add-rule.ts';
import { backtestOperations } from './backtest.http.ts';
import { noRule, type Catalogue } from './catalogue.ts';
import { cedarOperations } from './cedar.http.ts';
import { policyText } from './cedar.ts';
import { controlOperations } from './controls.http.ts';
import { AddRuleForm, id, InOrg, pathId, sayingQuery } from './forms.ts';
import { policyQuestionOperations } from './questions.http.ts';
import { removeRule } from './remove-rule.ts';
import { approversOfRule, policiesOf, wordsOf, type Rule } from './rule.ts';
import { listRules } from './rule.sql.ts';
import { typeControlOperations } from './type-controls.http.ts';
import { versionOperations } from './versions.http.ts';

const rulePath = pathId('rul', noRule);

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
  when: z.array(z.looseObject({})),
  effect: z.enum(['allow', 'ask', 'forbid']),
  asks: z.enum(['never', 'always']).optional(),
  approvers: z
    .object({
      who: z.object({
        kind: z.string(),
        group: z.string().optional(),
        user: z.string().optional(),
        name: z.string().optional(),
      }),
      secondPerson: z.boolean(),
      surface: z.enum(['any', 'desktop_only']),
      fresh: z.boolean(),
    })
    .optional(),
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
    when: (r.when ?? []).map((c) => ({ ...c })),
    approvers: approversOfRule(r),
    cedar: Object.values(policiesOf(r, of)).map(policyText).join('\n'),
    createdBy: r.createdBy,
    createdAt: r.createdAt?.toISOString(),
  };
}

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
    body: AddRuleForm,
    reply: RuleShown,
    status: 201,
    async handle(ctx, { body }) {
      const { reason, expects, previewed, ...draft } = body;
      const rule = await addRule(inOrg(ctx), draft, catalogue, { reason, expects, previewed });
      return shown(rule, inOrg(ctx).org);
    },
    headers: (r, ctx) => ({ location: `/api/orgs/${ctx.org}/rules/${r.id}` }),
  }),
  operation({
    id: 'policy.remove_rule',
    at: 'DELETE /orgs/:org/rules/:rule',
    can: 'policy.manage',
    says: 'Takes a rule out of force.',
    params: InOrg.extend({ rule: rulePath }),
    query: sayingQuery,
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params, query }) {
      await removeRule(inOrg(ctx), params.rule, query, catalogue);
      return {};
    },
  }),
  ...controlOperations(catalogue),
  ...typeControlOperations(catalogue),
  ...cedarOperations(catalogue),
  ...versionOperations(catalogue),
  ...policyQuestionOperations(catalogue),
  ...backtestOperations(catalogue),
];
