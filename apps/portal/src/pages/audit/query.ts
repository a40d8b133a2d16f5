import type { searchEvents } from '@gatehouse/client/audit.ts';
import type { InputOf } from '@gatehouse/client/call.ts';

/** What the log is searched by, each with an example: the keys of the address bar and of the address. */
export const keys = {
  outcome: 'held, denied, blocked, failed, lost, answered',
  type: 'tool.finished, domain.failing',
  actor: 'who did it',
  connector: 'through which system',
  tool: 'the name of a tool',
  since: '24h, 7d, or 2026-11-20',
  until: '2026-11-21',
  call: 'one call, by its number',
  request: 'one request, by the number of a refusal',
  resource: 'what an event is about, by its number',
  text: 'anywhere in the event',
  log: 'parent: users, domains, directories, sign-in',
} as const;
export type Key = keyof typeof keys;
export const keyNames = Object.keys(keys) as readonly Key[];

export type Filters = Record<Key, string>;
export const noFilters = Object.fromEntries(keyNames.map((k) => [k, ''])) as Filters;

export type Query = NonNullable<InputOf<typeof searchEvents>['query']>;

/** People say answered; the log says that the answer was returned. */
const outcomeOf = (word: string): string => (word.trim() === 'answered' ? 'returned' : word.trim());

/** Filters as the API takes them. */
export function queryOf(f: Filters): Query {
  const given = Object.fromEntries(keyNames.flatMap((k) => (f[k] === '' || k === 'log' ? [] : [[k, f[k]]])));
  return {
    ...given,
    ...(f.outcome === '' ? {} : { outcome: f.outcome.split(',').map(outcomeOf).join(',') }),
    ...(f.log === 'parent' ? { log: 'parent' } : {}),
  };
}

/** What somebody typed: `key:value`, or else a text to look for. Undefined: nothing yet. */
export function typedFilter(text: string): { key: Key; value: string } | undefined {
  const [, key = '', value = ''] = /^([a-z]+):(.*)$/s.exec(text.trim()) ?? [];
  const known = keyNames.find((k) => k === key);
  if (known) return value.trim() === '' ? undefined : { key: known, value: value.trim() };
  return text.trim() === '' ? undefined : { key: 'text', value: text.trim() };
}

/** Everything that is on, in the order of the keys. */
export const chipsOf = (f: Filters): readonly { key: Key; value: string }[] =>
  keyNames.flatMap((key) => (f[key] === '' ? [] : [{ key, value: f[key] }]));
