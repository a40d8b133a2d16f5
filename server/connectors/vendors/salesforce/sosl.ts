import { badSoql } from './soql-tokens.ts';

/** What SOSL reads in a search text (SOSL FIND {SearchQuery}). */
const reserved = /[?&|!{}[\]()^~*:\\"'+-]/g;

/** A search that we have written: of the caller's it has words, each in quotes and escaped, and names. */
export function soslSearch(
  text: string,
  objects: readonly { object: string; fields?: readonly string[] | undefined }[],
  within: string,
  limit: number,
): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed())
    throw badSoql('the text to look for has a control character or half of a character in it');
  const words = text.split(/\s+/).filter((w) => w.replace(reserved, '') !== '');
  if (words.length === 0) throw badSoql('there is no word to look for');
  // In quotes, so that AND, OR and NOT are words too.
  const find = words.map((w) => `"${w.replace(reserved, '\\$&')}"`).join(' ');
  const returning = objects
    .map((o) => `${o.object}(${(o.fields ?? ['Id', 'Name']).join(', ')} LIMIT ${limit})`)
    .join(', ');
  return `FIND {${find}} IN ${within} FIELDS RETURNING ${returning}`;
}
