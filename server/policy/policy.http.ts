import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { addRule } from './add-rule.ts';
import { backtestOperations } from './backtest.http.ts';
import { noRule, type Catalogue } from './catalogue.ts';
import { cedarOperations } from './cedar.http.ts';
import { controlOperations } from './controls.http.ts';
import { AddRuleForm, id, InOrg, pathId, sayingQuery } from './forms.ts';
import { myPolicyOperations } from './mine.http.ts';
import { policyQuestionOperations } from './questions.http.ts';
import { removeRule } from './remove-rule.ts';
import { replaceRule } from './replace-rule.ts';
import { listRules } from './rule.sql.ts';
import { RuleShown, shownRule } from './shown-rule.ts';
import { typeControlOperations } from './type-controls.http.ts';
import { versionOperations } from './versions.http.ts';

const rulePath = pathId('rul', noRule);

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
      return { items: page.items.map((r) => shownRule(r, inOrg(ctx).org)), next: page.next };
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
      return shownRule(rule, inOrg(ctx).org);
    },
    headers: (r, ctx) => ({ location: `/api/orgs/${ctx.org}/rules/${r.id}` }),
  }),
  operation({
    id: 'policy.read_rule',
    at: 'GET /orgs/:org/rules/:rule',
    can: 'policy.read',
    says: 'Shows a rule in force with the Cedar that it is.',
    params: InOrg.extend({ rule: rulePath }),
    reply: RuleShown,
    async handle(ctx, { params }) {
      const [rule] = await ctx.db.read(scopeOf(ctx), (db) => listRules(db, { id: params.rule, limit: 1 }));
      if (!rule) throw noRule(params.rule);
      return shownRule(rule, inOrg(ctx).org);
    },
  }),
  operation({
    id: 'policy.replace_rule',
    at: 'PUT /orgs/:org/rules/:rule',
    can: 'policy.manage',
    says: 'Puts another sentence in the place of a rule, which keeps its id; it applies from the next decision on.',
    params: InOrg.extend({ rule: rulePath }),
    body: AddRuleForm,
    reply: RuleShown,
    async handle(ctx, { params, body }) {
      const { reason, expects, previewed, ...draft } = body;
      const rule = await replaceRule(inOrg(ctx), params.rule, draft, catalogue, { reason, expects, previewed });
      return shownRule(rule, inOrg(ctx).org);
    },
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
  ...myPolicyOperations(catalogue),
  ...backtestOperations(catalogue),
];
