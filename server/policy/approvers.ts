import type { Id } from '#kernel/id.ts';
import type { CedarPolicyJson } from './cedar.ts';
import { at, entity, named, not, oneOf, principal, same } from './cedar-json.ts';

/** Who may say yes to what a rule asks about, and how. */
export type Approvers = {
  who:
    | { kind: 'deciders' | 'manager' | 'self' }
    | { kind: 'group'; group: Id<'grp'>; name?: string | undefined }
    | { kind: 'user'; user: Id<'usr'>; name?: string | undefined };
  /** Never the one who asked. */
  secondPerson: boolean;
  /** `desktop_only`: in the portal or on the desk, and not on a phone. */
  surface: 'any' | 'desktop_only';
  /** Only after showing again who one is, for this very action. */
  fresh: boolean;
};

/** Whose role may decide, and never the one who asked. */
export const anyDecider: Approvers = { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: false };

/** The part of the policy `<rule>:approve` that says who. */
export function approverOf(a: Approvers): Pick<CedarPolicyJson, 'principal' | 'conditions'> {
  const requester = at('context', 'requester');
  const isSelf = same(principal, requester);
  const conditions = [
    ...(a.who.kind === 'deciders' ? [at('context', 'may_decide')] : []),
    ...(a.who.kind === 'manager' ? [at('context', 'is_manager')] : []),
    ...(a.who.kind === 'self' ? [isSelf] : []),
    ...(a.secondPerson ? [not(isSelf)] : []),
    ...(a.surface === 'desktop_only'
      ? [oneOf([named('Surface', 'portal'), named('Surface', 'desk')], at('context', 'surface'))]
      : []),
    ...(a.fresh ? [at('context', 'fresh')] : []),
  ];
  return {
    principal:
      a.who.kind === 'group'
        ? { op: 'in', entity: entity('Group', a.who.group) }
        : a.who.kind === 'user'
          ? { op: '==', entity: entity('User', a.who.user) }
          : { op: 'All' },
    conditions: conditions.map((body) => ({ kind: 'when', body })),
  };
}

/** E.g. "after their manager agrees at a desktop". */
export function wordsOfApprovers(a: Approvers): string {
  const who = {
    deciders: () => 'somebody',
    manager: () => 'their manager',
    self: () => 'they themselves',
    group: () => (a.who.kind === 'group' ? `somebody of ${a.who.name ?? a.who.group}` : ''),
    user: () => (a.who.kind === 'user' ? (a.who.name ?? a.who.user) : ''),
  }[a.who.kind]();
  return (
    `after ${who} agree${a.who.kind === 'self' ? '' : 's'}` +
    (a.surface === 'desktop_only' ? ' at a desktop' : '') +
    (a.fresh ? ', having signed in for it' : '')
  );
}
