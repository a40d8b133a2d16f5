import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { policyText } from './cedar.ts';
import { Condition } from './condition.ts';
import { approversOfRule, policiesOf, wordsOf, type Rule } from './rule.ts';
import { toolClasses } from './schema.ts';

const name = z.string().optional();
const group = z.object({ kind: z.literal('group'), group: z.string(), name });
const user = z.object({ kind: z.literal('user'), user: z.string(), name });

export const RuleShown = z.object({
  id: z.string(),
  name: z.string(),
  words: z.string(),
  who: z.discriminatedUnion('kind', [z.object({ kind: z.literal('everyone') }), group, user]),
  connector: z.string(),
  tools: z.union([z.object({ classes: z.array(z.enum(toolClasses)) }), z.object({ names: z.array(z.string()) })]),
  when: z.array(Condition),
  effect: z.enum(['allow', 'ask', 'forbid']),
  asks: z.enum(['never', 'always']).optional(),
  approvers: z
    .object({
      who: z.discriminatedUnion('kind', [z.object({ kind: z.enum(['deciders', 'manager', 'self']) }), group, user]),
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
): z.infer<typeof RuleShown> {
  return {
    id: r.id,
    name: r.name,
    words: wordsOf(r),
    who: r.who,
    connector: r.connector,
    tools: 'classes' in r.tools ? { classes: [...r.tools.classes] } : { names: [...r.tools.names] },
    effect: r.effect,
    asks: r.effect === 'allow' ? r.asks : undefined,
    when: [...(r.when ?? [])],
    approvers: approversOfRule(r),
    cedar: Object.values(policiesOf(r, of)).map(policyText).join('\n'),
    createdBy: r.createdBy,
    createdAt: r.createdAt?.toISOString(),
  };
}
