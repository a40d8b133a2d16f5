import { Problem } from '#kernel/problem.ts';
import type { ListQuery } from './scim-list.ts';
import { isObject } from './scim-value.ts';

const refused = (path: string, says: string): Problem =>
  new Problem('invalid', 'directory/invalid-search', {
    says,
    fix: 'send a SearchRequest of RFC 7644 §3.4.3',
    more: { scimType: 'invalidValue', path },
  });

const texts = ['filter', 'sortBy', 'sortOrder', 'cursor'] as const;
const lists = ['attributes', 'excludedAttributes'] as const;
const numbers = ['startIndex', 'count'] as const;

/** The body of a `.search` as the query that the same list would have, so that both mean the same. */
export function searchQuery(body: unknown): ListQuery {
  if (!isObject(body)) throw refused('', 'the body must be one object');
  const query: Record<string, string> = {};
  const given = new Map(Object.entries(body).map(([k, v]) => [k.toLowerCase(), v] as const));
  const of = (name: string): unknown => given.get(name.toLowerCase()) ?? undefined;
  for (const name of texts) {
    const v = of(name);
    if (v === undefined) continue;
    if (typeof v !== 'string') throw refused(name, `${name} must be a string`);
    query[name] = v;
  }
  for (const name of lists) {
    const v = of(name);
    if (v === undefined) continue;
    const all: unknown[] = Array.isArray(v) ? v : [v];
    if (!all.every((each) => typeof each === 'string')) throw refused(name, `${name} must be a list of strings`);
    // An empty list chooses nothing, as if it were not there.
    if (all.length > 0) query[name] = all.join(',');
  }
  for (const name of numbers) {
    const v = of(name);
    if (v === undefined) continue;
    if (typeof v !== 'number' && typeof v !== 'string') throw refused(name, `${name} must be a whole number`);
    query[name] = String(v);
  }
  return query;
}
