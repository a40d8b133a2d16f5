import type { Schema } from './generate.ts';

/** A day on which everything in a mock happens. */
const DAY = '2026-11-20T09:00:00.000Z';

const text = (s: Schema, name: string): string => {
  if (s.format === 'date-time' || /(?:At|Since|Until|^at|^since|^until)$/.test(name)) return DAY;
  if (s.format === 'date') return DAY.slice(0, 10);
  if (s.format === 'email' || name === 'email') return 'ada@acme.example';
  if (s.format === 'uri' || /url$/i.test(name)) return 'https://mock.example/';
  if (name === 'permission') return 'org.read';
  return name === '' ? 'text' : name;
};

/** A value that a schema allows, always the same: one row in every list, the first of every choice, `null` where nothing needs to be. */
export function sampleOf(s: Schema | boolean | undefined, name = ''): unknown {
  if (s === undefined || typeof s === 'boolean') return null;
  if (s.const !== undefined) return s.const;
  if (s.enum) return s.enum[0];
  const choices = s.anyOf ?? s.oneOf;
  if (choices) return sampleOf(choices.find((c) => c.type !== 'null') ?? choices[0], name);
  if (s.allOf) return Object.assign({}, ...s.allOf.map((part) => sampleOf(part, name)));
  const type = Array.isArray(s.type) ? s.type.find((t) => t !== 'null') : s.type;
  switch (type) {
    case 'string':
      return text(s, name);
    case 'integer':
    case 'number':
      return Math.max(s.minimum ?? 1, s.exclusiveMinimum === undefined ? -Infinity : s.exclusiveMinimum + 1);
    case 'boolean':
      return true;
    case 'array':
      return s.prefixItems ? s.prefixItems.map((i) => sampleOf(i)) : [sampleOf(s.items, name.replace(/s$/, ''))];
    case 'object':
      return Object.fromEntries(
        Object.entries(s.properties ?? {}).map(([key, shape]) => [key, key === 'next' ? null : sampleOf(shape, key)]),
      );
    case undefined:
    default:
      return null;
  }
}
