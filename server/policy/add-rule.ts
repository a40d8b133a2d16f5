import type { OrgCtx } from '#kernel/ctx.ts';
import { noRule, type Catalogue } from './catalogue.ts';
import { changePolicies, type Saying } from './change-policies.ts';
import type { Rule, RuleDraft } from './rule.ts';

/** Adds a rule. It applies from the next decision on. */
export async function addRule(
  ctx: OrgCtx,
  draft: RuleDraft,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'> & Partial<Pick<Catalogue, 'reviewedTools'>>,
  saying: Saying = {},
): Promise<Rule> {
  const { content, about } = await changePolicies(ctx, { kind: 'add_rule', rule: draft }, saying, catalogue);
  const rule = content.rules.find((r) => r.id === about);
  if (!rule) throw noRule(String(about));
  return rule;
}
