import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import { oneLine } from '../../kit/one-line.ts';
import { withoutPictures } from '../../kit/outgoing-text.ts';
import { NotionId } from './notion-api.ts';
import { plainOf, RichText, textRuns } from './rich-text.ts';

/** A property of a page: its type names the member with its value. */
export const Property = z.looseObject({ type: z.string() });
export type Property = z.infer<typeof Property>;

const Named = z.looseObject({ id: z.string().optional(), name: z.string().nullish() });
const DateValue = z.looseObject({ start: z.string(), end: z.string().nullish() });

/** A value as text; empty where there is none. */
export function propertyText(p: Property): string {
  const v: unknown = p[p.type];
  if (v === null || v === undefined) return '';
  const texts = z.array(RichText).safeParse(v);
  if (texts.success && (p.type === 'title' || p.type === 'rich_text')) return plainOf(texts.data);
  if (p.type === 'relation' || p.type === 'people' || p.type === 'multi_select' || p.type === 'files') {
    const all = z.array(Named).safeParse(v).data ?? [];
    return all.map((n) => n.name ?? n.id ?? '').join(', ');
  }
  if (p.type === 'formula' || p.type === 'rollup') {
    const inner = Property.safeParse(v).data;
    if (inner?.type === 'array')
      return (z.array(Property).safeParse(inner['array']).data ?? []).map(propertyText).join(', ');
    return inner ? propertyText(inner) : '';
  }
  if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') return String(v);
  const date = DateValue.safeParse(v).data;
  if (date) return date.end ? `${date.start} to ${date.end}` : date.start;
  const unique = z.looseObject({ prefix: z.string().nullish(), number: z.number() }).safeParse(v).data;
  if (unique) return `${unique.prefix ? `${unique.prefix}-` : ''}${unique.number}`;
  return Named.safeParse(v).data?.name ?? '';
}

export type Properties = Readonly<Record<string, Property>>;

export const titleOf = (properties: Properties): string => {
  const title = Object.values(properties).find((p) => p.type === 'title');
  const text = title ? propertyText(title) : '';
  return text === '' ? '(no title)' : oneLine(text);
};

export const propertyLines = (properties: Properties): string[] =>
  Object.entries(properties).flatMap(([name, p]) => {
    const text = p.type === 'title' ? '' : propertyText(p);
    return text === '' ? [] : [`${oneLine(name)}: ${visible(withoutPictures(text)).replaceAll('\n', '\n  ')}`];
  });

/** What a caller gives for properties. */
export const PropertyValues = z
  .record(
    z.string().min(1).max(200),
    z.union([z.string().max(20_000), z.number(), z.boolean(), z.null(), z.array(z.string().max(2000)).max(100)]),
  )
  .describe(
    'Values by the names of properties, spelled as describe_database shows them: text, numbers, true or false, dates as 2026-01-31 or 2026-01-31/2026-02-02, choices by name, lists of names or ids; null empties',
  );
export type PropertyValues = z.infer<typeof PropertyValues>;

const bad = (name: string, type: string, expected: string): Problem =>
  new Problem('invalid', 'connectors/notion-property', {
    says: `the property ${name} is of the type ${type} and takes ${expected}`,
    fix: 'look at describe_database for the types of properties',
  });

/** Values in the form that their types ask for. What Notion works out itself cannot be written. */
export function writtenProperties(
  values: PropertyValues,
  types: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const type = types[name];
      if (type === undefined)
        throw new Problem('invalid', 'connectors/notion-property', {
          says: `there is no property ${name}; there are ${Object.keys(types).slice(0, 30).join(', ')}`,
          fix: 'spell properties as describe_database shows them, capitals included',
        });
      return [name, { [type]: written(name, type, value) }];
    }),
  );
}

function written(name: string, type: string, value: PropertyValues[string]): unknown {
  const text = typeof value === 'string' ? value : undefined;
  const list = Array.isArray(value) ? value : text === undefined ? undefined : [text];
  switch (type) {
    case 'title':
    case 'rich_text':
      if (value === null) return [];
      if (text !== undefined) return textRuns(text);
      throw bad(name, type, 'text');
    case 'number':
      if (typeof value === 'number' || value === null) return value;
      throw bad(name, type, 'a number');
    case 'checkbox':
      if (typeof value === 'boolean') return value;
      throw bad(name, type, 'true or false');
    case 'select':
    case 'status':
      if (value === null) return null;
      if (text !== undefined) return { name: text };
      throw bad(name, type, 'the name of a choice');
    case 'multi_select':
      if (value === null) return [];
      if (list) return list.map((n) => ({ name: n }));
      throw bad(name, type, 'a list of names');
    case 'relation':
    case 'people':
      if (value === null) return [];
      if (list?.every((id) => NotionId.safeParse(id).success))
        return list.map((id) => (type === 'people' ? { object: 'user', id } : { id }));
      throw bad(name, type, 'a list of ids');
    case 'date': {
      if (value === null) return null;
      const [start, end, more] = text?.split('/') ?? [];
      const day = (d: string | undefined): boolean =>
        d !== undefined && /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$/.test(d);
      if (more === undefined && day(start) && (end === undefined || day(end)))
        return { start, ...(end === undefined ? {} : { end }) };
      throw bad(name, type, 'a date like 2026-01-31, or two with a slash between them');
    }
    case 'url':
    case 'email':
    case 'phone_number':
      if (value === null || text !== undefined) return value;
      throw bad(name, type, 'text');
    default:
      throw bad(name, type, 'nothing: Notion works it out itself');
  }
}
