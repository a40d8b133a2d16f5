import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { toolClasses } from './schema.ts';

const rule = z.object({
  rule: z.string().max(40),
  effect: z.enum(['allow', 'forbid']),
  asks: z.enum(['never', 'always']).nullable(),
  who: z.enum(['everyone', 'group', 'user']),
  whoId: z.string().max(40).nullable(),
  connector: z.string().max(40).nullable(),
  classes: z.array(z.enum(toolClasses)),
  names: z.array(z.string().max(128)).max(200),
});

/** What happens to the rules. A rule's own words are content and stay in its row; the event says what it does. */
export const policyEvents = {
  'policy.rule_added': declare({
    data: rule,
    says: (d) =>
      `added the rule ${d.rule}: ${d.whoId ?? 'everyone'} ${d.effect === 'allow' ? 'may' : 'may not'} use ` +
      `${d.names.length > 0 ? d.names.join(', ') : `${d.classes.join(' and ')} tools`} of ${d.connector ?? 'every connector'}` +
      (d.asks === 'always' ? ' after somebody agrees' : ''),
    ocsf: 5019,
    about: (d) => ({ resource: d.rule, connector: d.connector ?? undefined }),
  }),
  'policy.rule_removed': declare({
    data: z.object({ rule: z.string().max(40) }),
    says: (d) => `removed the rule ${d.rule}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.rule }),
  }),
} as const;
