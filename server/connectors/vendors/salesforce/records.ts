import { z } from 'zod';
import { visible } from '#kernel/visible.ts';

/** A record as queries and searches give it: fields, parents as records, children as results. */
export const Rec = z.looseObject({ attributes: z.looseObject({ type: z.string() }).optional() });
export type Rec = z.infer<typeof Rec>;
const Children = z.looseObject({ totalSize: z.number(), done: z.boolean(), records: z.array(Rec) });

/** Longest value of a field in an answer; get_record shows more of one. */
const MAX_VALUE = 2000;

/** One record in one line, or `apart` in one for each field; its children in lines below it. */
export function recordLines(r: Rec, o: { indent?: string; maxValue?: number; apart?: true } = {}): string[] {
  const { indent = '', maxValue = MAX_VALUE } = o;
  const below: string[] = [];
  const parts: string[] = [];
  const walk = (of: Readonly<Record<string, unknown>>, prefix: string): void => {
    for (const [name, value] of Object.entries(of)) {
      if (name === 'attributes' || value === null || value === undefined) continue;
      const children = Children.safeParse(value);
      if (children.success) {
        below.push(`${indent}  ${name}${children.data.done ? '' : ' (not all of them)'}:`);
        for (const c of children.data.records) below.push(...recordLines(c, { indent: `${indent}    `, maxValue }));
      } else if (typeof value === 'object' && !Array.isArray(value)) walk({ ...value }, `${prefix}${name}.`);
      else {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        parts.push(
          `${prefix}${name}: ${shown(text.length > maxValue ? `${text.slice(0, maxValue)}… (${text.length} characters)` : text)}`,
        );
      }
    }
  };
  walk(r, '');
  const [first = '', ...others] = o.apart ? parts : [parts.join(' | ')];
  return [`${indent}${r.attributes?.type ?? 'result'} ${first}`, ...others, ...below];
}

export const idOf = (r: Rec): string | undefined => {
  const id = r['Id'];
  return typeof id === 'string' ? id : undefined;
};

/**
 * A value of several lines goes on below itself, so that no line of it looks like the next record; one with the sign in it that stands between
 * fields is in quotes, so that no part of it looks like the next field.
 */
const shown = (text: string): string =>
  /(?:^|\s)\|(?:\s|$)/.test(text)
    ? visible(JSON.stringify(text))
    : visible(text).replaceAll('\r', '').replaceAll('\n', '\n    ');
