import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { policyText } from './cedar.ts';
import { approversOfRule, policiesOf, wordsOf, type Rule } from './rule.ts';

export const RuleShown = z.object({
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

/** The wire form of a rule. The name of its connector is the reader's to add: it belongs to a room above. */
export function shownRule(
  r: Rule & { createdBy?: string; createdAt?: Date },
  of: Id<'org'>,
): z.input<typeof RuleShown> {
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
