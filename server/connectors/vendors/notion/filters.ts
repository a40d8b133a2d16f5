import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';

const text = [
  'equals',
  'does_not_equal',
  'contains',
  'does_not_contain',
  'starts_with',
  'ends_with',
  'is_empty',
  'is_not_empty',
];
const choice = ['equals', 'does_not_equal', 'is_empty', 'is_not_empty'];
const several = ['contains', 'does_not_contain', 'is_empty', 'is_not_empty'];
const date = [
  'equals',
  'before',
  'after',
  'on_or_before',
  'on_or_after',
  'past_week',
  'past_month',
  'past_year',
  'this_week',
  'next_week',
  'next_month',
  'next_year',
  'is_empty',
  'is_not_empty',
];

/** Conditions by type of property (Notion reference: Filter data source entries). */
const conditions: Readonly<Record<string, readonly string[]>> = {
  title: text,
  rich_text: text,
  url: text,
  email: text,
  phone_number: text,
  number: [
    'equals',
    'does_not_equal',
    'greater_than',
    'greater_than_or_equal_to',
    'less_than',
    'less_than_or_equal_to',
    'is_empty',
    'is_not_empty',
  ],
  unique_id: [
    'equals',
    'does_not_equal',
    'greater_than',
    'greater_than_or_equal_to',
    'less_than',
    'less_than_or_equal_to',
  ],
  checkbox: ['equals', 'does_not_equal'],
  select: choice,
  status: choice,
  multi_select: several,
  people: several,
  created_by: several,
  last_edited_by: several,
  relation: several,
  files: ['is_empty', 'is_not_empty'],
  date,
  created_time: date,
  last_edited_time: date,
};
const noValue = new Set(['is_empty', 'is_not_empty']);
const periods = /^(?:past|this|next)_/;
const all = [...new Set(Object.values(conditions).flat())] as [string, ...string[]];

export const Filters = z
  .array(
    z.strictObject({
      property: z.string().min(1).max(200).describe('Name of the property, spelled as describe_database shows it'),
      condition: z.enum(all).describe('What must be true; which there are follows from the type of the property'),
      value: z
        .union([z.string().max(2000), z.number(), z.boolean()])
        .optional()
        .describe(
          'Text, number, true or false, date, name of a choice, or id; none for is_empty, is_not_empty and periods such as past_week',
        ),
    }),
  )
  .min(1)
  .max(20);

/** Conditions in the form that the types of the properties ask for. */
export function filterOf(
  filters: z.infer<typeof Filters>,
  match: 'all' | 'any',
  types: Readonly<Record<string, string>>,
): unknown {
  const parts = filters.map(({ property, condition, value }) => {
    const type = types[property];
    const known = type === undefined ? undefined : conditions[type];
    const bad = (says: string): Problem =>
      new Problem('invalid', 'connectors/notion-filter', {
        says,
        fix: 'look at describe_database for names and types of properties',
      });
    if (type === undefined)
      throw bad(`there is no property ${property}; there are ${Object.keys(types).slice(0, 30).join(', ')}`);
    if (!known?.includes(condition))
      throw bad(`${property} is of the type ${type}, which knows ${known?.join(', ') ?? 'no conditions'}`);
    if (noValue.has(condition)) return { property, [type]: { [condition]: true } };
    if (periods.test(condition)) return { property, [type]: { [condition]: {} } };
    const wanted = type === 'number' || type === 'unique_id' ? 'number' : type === 'checkbox' ? 'boolean' : 'string';
    if (typeof value !== wanted)
      throw bad(`${property} is of the type ${type}, and ${condition} takes a value of the kind ${wanted}`);
    return { property, [type]: { [condition]: value } };
  });
  return parts.length === 1 ? parts[0] : { [match === 'any' ? 'or' : 'and']: parts };
}
