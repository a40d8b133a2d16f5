import { createHash } from 'node:crypto';
import { jcs } from '@gatehouse/contract/jcs.ts';
import type { Id } from '#kernel/id.ts';
import type { CedarPolicy } from './cedar.ts';
import type { ExpertPolicy } from './check-cedar.ts';
import { wordsAfterReading } from './after-reading.ts';
import { policiesOfControls, wordsOfControl, wordsOfSettings, type Control, type Settings } from './control.ts';
import { AFTER_READING, policySet, type PolicySet } from './decide.ts';
import { approversOfRule, wordsOf, type Rule } from './rule.ts';
import { accessOf, wordsOfType, type TypeControl } from './type-control.ts';

/** Everything that an organization has said about who may do what: what a version is a version of. */
export type PolicyContent = {
  readonly settings: Settings;
  readonly rules: readonly Rule[];
  readonly controls: readonly Control[];
  readonly types: readonly TypeControl[];
  readonly cedar: readonly ExpertPolicy[];
};

/** The policy set that a content is. */
export function setOf(org: Id<'org'>, c: PolicyContent): PolicySet {
  const more: Record<string, CedarPolicy> = { ...policiesOfControls(c.settings, c.controls, c.types, org) };
  for (const p of c.cedar) more[p.id] = p.cedar;
  const names = new Map([
    ['default', wordsOfSettings(c.settings)],
    [AFTER_READING, wordsAfterReading(c.settings.afterReading)],
    ...c.controls.map((x) => [x.id, wordsOfControl(x)] as const),
    ...c.types.flatMap((t) => [t.id, accessOf(t)].map((id) => [id, wordsOfType(t)] as const)),
    ...c.cedar.map((x) => [x.id, x.name] as const),
  ]);
  return policySet(org, c.rules, more, c.settings.timeZone, names, c.settings.afterReading.hours);
}

/** One thing of a content that came, went or became another. */
export type Difference = {
  what: 'rule' | 'control' | 'cedar' | 'settings';
  /** Of a rule, a control or a policy. */
  id: string | null;
  change: 'added' | 'removed' | 'changed';
  before: string | null;
  after: string | null;
};

/** What something says, without what its groups and people are called now. */
const saying = ({ who, ...rest }: Rule | Control): string =>
  jcs(
    plain({
      ...rest,
      who: who.kind === 'everyone' ? who : who.kind === 'group' ? { group: who.group } : { user: who.user },
    }),
  );

// What was read from a row has who made it and when; that is not what it says.
const plain = (v: unknown): unknown =>
  JSON.parse(
    JSON.stringify(v, (k, x: unknown) => (['createdBy', 'createdAt', 'setBy', 'setAt'].includes(k) ? undefined : x)),
  );

type Piece = { key: string; what: Difference['what']; says: string; words: string };

const pieces = (c: PolicyContent): Piece[] => [
  {
    key: 'settings',
    what: 'settings',
    says: JSON.stringify(plain(c.settings)),
    words: `${wordsOfSettings(c.settings)}; ${c.settings.timeZone}; ${wordsAfterReading(c.settings.afterReading)}`,
  },
  ...c.rules.map((r) => ({ key: r.id, what: 'rule' as const, says: ruleSays(r), words: `${r.name}: ${wordsOf(r)}` })),
  ...c.controls.map((x) => ({ key: x.id, what: 'control' as const, says: saying(x), words: wordsOfControl(x) })),
  ...c.types.map((t) => ({ key: t.id, what: 'control' as const, says: typeSays(t), words: wordsOfType(t) })),
  ...c.cedar.map((p) => ({ key: p.id, what: 'cedar' as const, says: jcs([p.name, p.cedar]), words: p.cedar })),
];

/** What a control of a type says, whatever its groups are called now. */
export const typeSays = (t: TypeControl): string => jcs(plain({ ...t, groups: t.groups.map((g) => g.group).sort() }));

function ruleSays(r: Rule): string {
  const approvers = approversOfRule(r);
  if (!approvers || r.effect === 'forbid' || (r.effect === 'allow' && r.asks === 'never')) return saying(r);
  const { who } = approvers;
  return saying({ ...r, approvers: { ...approvers, who: 'name' in who ? { ...who, name: undefined } : who } });
}

/** What became different, settings first, then rules, controls and Cedar. Nothing else differs. */
export function differences(before: PolicyContent, after: PolicyContent): Difference[] {
  const was = new Map(pieces(before).map((p) => [p.key, p]));
  const is = new Map(pieces(after).map((p) => [p.key, p]));
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key): Difference[] => {
    const [a, b] = [was.get(key), is.get(key)];
    if (a?.says === b?.says) return [];
    const what = (b ?? a)?.what ?? 'settings';
    return [
      {
        what,
        id: what === 'settings' ? null : key,
        change: !a ? 'added' : !b ? 'removed' : 'changed',
        before: a?.words ?? null,
        after: b?.words ?? null,
      },
    ];
  });
}

/** Names a text shortly and for good. */
export const hashOf = (value: unknown): string =>
  createHash('sha256')
    .update(jcs(plain(value)))
    .digest('hex');
