import { quoted } from './soql-tokens.ts';
import type { Condition, Item, Left, Path, Query, Value } from './soql.ts';

/** The query, written anew. */
export function printSoql(q: Query): string {
  const parts = [`SELECT ${q.items.map(printItem).join(', ')} FROM ${q.from}`];
  if (q.where) parts.push(`WHERE ${printCondition(q.where)}`);
  if (q.groupBy.length > 0) parts.push(`GROUP BY ${q.groupBy.map(printLeft).join(', ')}`);
  if (q.having) parts.push(`HAVING ${printCondition(q.having)}`);
  if (q.orderBy.length > 0)
    parts.push(
      `ORDER BY ${q.orderBy.map((o) => `${printLeft(o.by)}${o.descending ? ' DESC' : ' ASC'}${o.nulls === undefined ? '' : ` NULLS ${o.nulls}`}`).join(', ')}`,
    );
  if (q.limit !== undefined) parts.push(`LIMIT ${q.limit}`);
  if (q.offset !== undefined) parts.push(`OFFSET ${q.offset}`);
  return parts.join(' ');
}

const printPath = (p: Path): string => p.join('.');
const printLeft = (l: Left): string =>
  l.function === undefined ? printPath(l.path) : `${l.function}(${printPath(l.path)})`;
const printItem = (i: Item): string => {
  if (i.kind === 'field') return printPath(i.path);
  if (i.kind === 'children') return `(${printSoql(i.query)})`;
  return `${i.name}(${i.of === undefined ? '' : printPath(i.of)})${i.as === undefined ? '' : ` ${i.as}`}`;
};
const printValue = (v: Value): string => (v.kind === 'string' ? quoted(v.text) : v.text);

function printCondition(c: Condition): string {
  switch (c.kind) {
    case 'and':
    case 'or':
      return c.parts.map((p) => `(${printCondition(p)})`).join(c.kind === 'and' ? ' AND ' : ' OR ');
    case 'not':
      return `NOT (${printCondition(c.part)})`;
    case 'compare':
      return `${printLeft(c.left)} ${c.sign} ${printValue(c.value)}`;
    case 'list':
      return `${printLeft(c.left)} ${c.sign} (${c.values.map(printValue).join(', ')})`;
    case 'semi':
      return `${printLeft(c.left)} ${c.sign} (${printSoql(c.query)})`;
  }
}
