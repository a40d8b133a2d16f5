import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noRule, type Catalogue } from './catalogue.ts';
import { changePolicies, type Saying } from './change-policies.ts';
import type { Rule, RuleDraft } from './rule.ts';

/** Puts another sentence in the place of a rule, in one version: there is no moment in which neither holds. */
export async function replaceRule(
  ctx: OrgCtx,
  id: Id<'rul'>,
  draft: RuleDraft,
  catalogue: Pick<Catalogue, 'hasConnector' | 'types'> & Partial<Pick<Catalogue, 'reviewedTools'>>,
  saying: Saying = {},
): Promise<Rule> {
  const { content } = await changePolicies(ctx, { kind: 'replace_rule', rule: id, by: draft }, saying, catalogue);
  const rule = content.rules.find((r) => r.id === id);
  if (!rule) throw noRule(id);
  return rule;
}
