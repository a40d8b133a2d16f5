import type { InputOf, OutputOf } from '@gatehouse/client/call.ts';
import type { previewChange, readRule } from '@gatehouse/client/policy.ts';

/** A rule as the API has it; a draft is what of it a person writes. */
export type Rule = OutputOf<typeof readRule>;
export type Draft = Pick<Rule, 'name' | 'who' | 'connector' | 'tools' | 'when' | 'effect' | 'asks' | 'approvers'>;
export type Condition = Rule['when'][number];
export type Approvers = NonNullable<Rule['approvers']>;
export type Wish = InputOf<typeof previewChange>['body'];
type RuleForm = Extract<Wish, { kind: 'add_rule' }>['rule'];

/** What a new rule begins as: reading, for everyone, everywhere, after somebody's yes. */
export const blank: Draft = {
  name: '',
  who: { kind: 'everyone' },
  connector: 'any',
  tools: { classes: ['read'] },
  when: [],
  effect: 'allow',
  asks: 'never',
};

export const anyDecider: Approvers = { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: false };

/** Whether somebody is asked; only then there are approvers. */
export const asks = (d: Draft): boolean => d.effect === 'ask' || (d.effect === 'allow' && d.asks === 'always');

const who = (w: Draft['who']): RuleForm['who'] =>
  w.kind === 'group'
    ? { kind: 'group', group: w.group }
    : w.kind === 'user'
      ? { kind: 'user', user: w.user }
      : { kind: 'everyone' };

/** What is sent: the draft without the names that are only shown. */
export function formOf(d: Draft): RuleForm {
  const about = {
    name: d.name.trim(),
    who: who(d.who),
    connector: d.connector,
    tools: d.tools,
    ...(d.when.length > 0 ? { when: d.when } : {}),
  };
  const a = d.approvers ?? anyDecider;
  const asked = a.who;
  const approvers = {
    who:
      asked.kind === 'group'
        ? { kind: asked.kind, group: asked.group }
        : asked.kind === 'user'
          ? { kind: asked.kind, user: asked.user }
          : { kind: asked.kind },
    secondPerson: a.secondPerson && asked.kind !== 'self',
    surface: a.surface,
    fresh: a.fresh,
  };
  if (d.effect === 'forbid') return { ...about, effect: 'forbid' };
  if (d.effect === 'ask') return { ...about, effect: 'ask', approvers };
  return d.asks === 'always'
    ? { ...about, effect: 'allow', asks: 'always', approvers }
    : { ...about, effect: 'allow', asks: 'never' };
}

/** Whether two drafts say the same. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const either = (of: readonly string[]): string =>
  of.length < 2 ? (of[0] ?? '') : `${of.slice(0, -1).join(', ')} or ${of.at(-1) ?? ''}`;
export const both = (of: readonly string[]): string =>
  of.length < 2 ? (of[0] ?? '') : `${of.slice(0, -1).join(', ')} and ${of.at(-1) ?? ''}`;

export const wordsOfWho = (w: Draft['who'] | Approvers['who'], org: string): string =>
  w.kind === 'group'
    ? (w.name ?? w.group)
    : w.kind === 'user'
      ? (w.name ?? w.user)
      : {
          everyone: `anyone in ${org}`,
          deciders: 'somebody who decides approvals',
          manager: 'their manager',
          self: 'they themselves',
        }[w.kind];

export const wordsOfTools = (t: Draft['tools']): string =>
  'classes' in t ? `${both(t.classes)} tools` : both(t.names);

export const effects = [
  { value: 'allow never', label: 'let it run unasked', more: 'Allows it.' },
  { value: 'allow always', label: 'let it run after asking', more: 'Allows it once somebody says yes.' },
  { value: 'ask', label: 'hold it and ask', more: 'Allows nothing by itself: whatever else lets it run, it waits.' },
  { value: 'forbid', label: 'refuse it', more: 'Whatever else lets it run.' },
] as const;
export type EffectValue = (typeof effects)[number]['value'];
export const effectOf = (d: Draft): EffectValue =>
  d.effect === 'allow' ? (d.asks === 'always' ? 'allow always' : 'allow never') : d.effect;
export const withEffect = (d: Draft, v: EffectValue): Draft => {
  const { asks: _a, approvers, ...rest } = d;
  const kept = approvers ?? anyDecider;
  if (v === 'allow never') return { ...rest, effect: 'allow', asks: 'never' };
  if (v === 'allow always') return { ...rest, effect: 'allow', asks: 'always', approvers: kept };
  return v === 'ask' ? { ...rest, effect: 'ask', approvers: kept } : { ...rest, effect: 'forbid' };
};

export const argumentNames = {
  path: 'the path',
  folder: 'the folder',
  repository: 'the repository',
  channel: 'the channel',
  recipient: 'the recipient',
  recipient_domain: 'the domain of the recipient',
  url: 'the address',
  text: 'the text',
} as const;
export const surfaceNames = {
  mcp: 'an agent',
  portal: 'the portal',
  desk: 'a desk',
  dispatch: 'a phone',
  api: 'a script',
} as const;
export const deviceNames = {
  managed: 'managed',
  unmanaged: 'not managed',
  unknown: 'unknown',
} as const;
export const dayNames = { mon: 'Mon', tue: 'Tue', wed: 'Wed', thu: 'Thu', fri: 'Fri', sat: 'Sat', sun: 'Sun' } as const;

export function wordsOfCondition(c: Condition): string {
  if ('amount' in c) {
    const { atLeast, atMost } = c.amount;
    return `the amount is ${both([
      ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
      ...(atMost === undefined ? [] : [`at most ${atMost}`]),
    ])}`;
  }
  const no = c.is === 'in' ? '' : 'not ';
  if ('argument' in c) return `${argumentNames[c.argument]} is ${no}${either(c.of)}`;
  if ('surface' in c) return `it comes ${no}from ${either(c.surface.map((s) => surfaceNames[s]))}`;
  if ('device' in c) return `the device is ${no}${either(c.device.map((d) => deviceNames[d]))}`;
  return `it is ${no}between ${c.time.from} and ${c.time.to} on ${both(c.time.days.map((d) => dayNames[d]))}`;
}

/** How the yes is given. */
export const wordsOfManner = (a: Approvers): string =>
  `${a.fresh ? 'with a passkey' : 'in any session'}${a.surface === 'desktop_only' ? ', not from a phone' : ''}`;
