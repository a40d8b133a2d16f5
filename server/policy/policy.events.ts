import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { MAX_SESSION_HOURS, thens } from './after-reading.ts';
import { accesses } from './control.ts';
import { toolClasses } from './schema.ts';
import { MAX_TYPE_GROUPS, typeStates } from './type-control.ts';

const id = z.string().max(40);
const rule = z.object({
  rule: z.string().max(40),
  effect: z.enum(['allow', 'ask', 'forbid']),
  asks: z.enum(['never', 'always']).nullable(),
  who: z.enum(['everyone', 'group', 'user']),
  whoId: z.string().max(40).nullable(),
  connector: z.string().max(40).nullable(),
  classes: z.array(z.enum(toolClasses)),
  names: z.array(z.string().max(128)).max(200),
});

const ruleSays = (d: z.infer<typeof rule>): string =>
  `${d.whoId ?? 'everyone'} ${d.effect === 'forbid' ? 'may not' : 'may'} use ` +
  `${d.names.length > 0 ? d.names.join(', ') : `${d.classes.join(' and ')} tools`} of ${d.connector ?? 'every connector'}` +
  (d.asks === 'always' ? ' after somebody agrees' : d.effect === 'ask' ? ' only after somebody agrees' : '');

/** What happens to the rules. A rule's own words are content and stay in its row; the event says what it does. */
export const policyEvents = {
  'policy.rule_added': declare({
    data: rule,
    says: (d) => `added the rule ${d.rule}: ${ruleSays(d)}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.rule, connector: d.connector ?? undefined }),
  }),
  'policy.rule_replaced': declare({
    data: rule,
    says: (d) => `changed the rule ${d.rule}: ${ruleSays(d)}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.rule, connector: d.connector ?? undefined }),
  }),
  'policy.rule_removed': declare({
    data: z.object({ rule: z.string().max(40) }),
    says: (d) => `removed the rule ${d.rule}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.rule }),
  }),
  'policy.settings_changed': declare({
    data: z.object({
      mode: z.enum(['regulated', 'open']),
      defaultAccess: z.enum(['off', 'read', 'read_write']),
      timeZone: z.string().max(60),
    }),
    says: (d) =>
      `made the organization ${d.mode}${d.mode === 'open' ? ` with default access ${d.defaultAccess}` : ''}, by the clock of ${d.timeZone}`,
    ocsf: 5019,
  }),
  'policy.control_set': declare({
    data: z.object({
      control: id,
      who: z.enum(['everyone', 'group', 'user']),
      whoId: id.nullable(),
      connector: id.nullable(),
      access: z.enum(accesses),
    }),
    says: (d) => `set the access of ${d.whoId ?? 'everyone'} to ${d.connector ?? 'every connector'} to ${d.access}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.control, connector: d.connector ?? undefined }),
  }),
  'policy.control_removed': declare({
    data: z.object({ control: id }),
    says: (d) => `removed the control ${d.control}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.control }),
  }),
  'policy.after_reading_set': declare({
    data: z.object({ outward: z.enum(thens), hours: z.number().int().min(1).max(MAX_SESSION_HOURS) }),
    says: (d) =>
      d.outward === 'off'
        ? 'made it not matter what a session has read'
        : `made outward actions ${d.outward === 'ask' ? 'wait for somebody' : 'impossible'} after untrusted text and private content were read within ${d.hours} h`,
    ocsf: 5019,
  }),
  'policy.type_control_set': declare({
    data: z.object({
      control: id,
      type: z.string().max(100),
      state: z.enum(typeStates),
      access: z.enum(['off', 'read', 'read_write']),
      groups: z.array(id).max(MAX_TYPE_GROUPS),
    }),
    says: (d) =>
      d.state === 'off'
        ? `switched connectors of the type ${d.type} off`
        : `opened connectors of the type ${d.type} to ${d.state === 'on' ? 'everyone' : d.groups.join(', ')} with access ${d.access}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.control }),
  }),
  'policy.type_control_removed': declare({
    data: z.object({ control: id, type: z.string().max(100) }),
    says: (d) => `took back what was said about connectors of the type ${d.type}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.control }),
  }),
  'policy.cedar_saved': declare({
    data: z.object({ policy: id, replaces: z.boolean(), engine: z.enum(['compiled', 'cedar-wasm']) }),
    says: (d) =>
      `${d.replaces ? 'replaced' : 'added'} the Cedar policy ${d.policy}, which ${d.engine === 'compiled' ? 'the compiler' : d.engine} evaluates`,
    ocsf: 5019,
    about: (d) => ({ resource: d.policy }),
  }),
  'policy.cedar_removed': declare({
    data: z.object({ policy: id }),
    says: (d) => `removed the Cedar policy ${d.policy}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.policy }),
  }),
  'policy.version_made': declare({
    data: z.object({
      number: z.number().int(),
      hash: z.string().max(64),
      kind: z.string().max(40),
      about: id.nullable(),
      restored: z.number().int().nullable(),
    }),
    says: (d) =>
      `made version ${d.number} of the policies${d.restored === null ? '' : `, which is version ${d.restored} again`}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.about ?? undefined }),
  }),
  'policy.backtest_started': declare({
    data: z.object({ backtest: z.string().max(40), days: z.number().int() }),
    says: (d) => `started a backtest of a draft over the calls of ${d.days === 1 ? 'the last day' : `${d.days} days`}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.backtest }),
  }),
  'policy.backtest_progressed': declare({
    data: z.object({ backtest: z.string().max(40), calls: z.number().int(), seen: z.number().int() }),
    says: (d) => `had the backtest ${d.backtest} look at ${d.seen} of ${d.calls} calls`,
    ocsf: 5019,
    about: (d) => ({ resource: d.backtest }),
  }),
  'policy.backtest_ended': declare({
    data: z.object({
      backtest: z.string().max(40),
      state: z.enum(['done', 'cancelled', 'failed']),
      calls: z.number().int(),
      changed: z.number().int(),
    }),
    says: (d) =>
      d.state === 'done'
        ? `had the backtest ${d.backtest} end: ${d.changed} of ${d.calls} calls would have come out otherwise`
        : `had the backtest ${d.backtest} end as ${d.state}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.backtest }),
  }),
  'policy.call_explained': declare({
    data: z.object({ call: z.string().max(40) }),
    says: (d) => `looked at what the call ${d.call} was decided on`,
    ocsf: 6003,
    about: (d) => ({ call: d.call }),
  }),
  'policy.engines_disagree': declare({
    data: z.object({
      version: z.string().max(64),
      question: z.string().max(40),
      /** What our compiler answered, and what Cedar did. */
      ours: z.boolean(),
      cedar: z.boolean(),
      /** Policies that only one of them counted. */
      policies: z.array(z.string().max(200)).max(100),
    }),
    says: (d) =>
      `found that our policy engine says ${d.ours ? 'yes' : 'no'} where Cedar says ${d.cedar ? 'yes' : 'no'}, about ${d.policies.join(', ') || 'no policy'}`,
    ocsf: 6003,
    about: () => ({}),
  }),
} as const;
