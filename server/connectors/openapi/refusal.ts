import { escapeSegment } from '#kernel/json-pointer.ts';
import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';

/** A place in a document, as a JSON Pointer in a fragment: `#/paths/~1pets/get`. */
export const placeOf = (steps: readonly (string | number)[]): string =>
  `#${steps.map((s) => `/${escapeSegment(String(s))}`).join('')}`;

/** What is wrong with a document as a whole; it is not imported. `at` is where. */
export const badDocument = (at: string, says: string, fix?: string): Problem =>
  new Problem('invalid', 'connectors/openapi-document', {
    says: `${shownPlace(at)}: ${says}`,
    fix: fix ?? 'correct the document, or have whoever wrote it do so',
    more: { at: shownPlace(at) },
  });

/** Why one operation cannot be imported; the others can. */
export class Unfit extends Error {
  readonly at: string;
  constructor(at: string, why: string) {
    super(why);
    this.name = 'Unfit';
    this.at = at;
  }
}

/** Longest pointer that anybody reads. */
const MAX_PLACE = 300;
export const shownPlace = (at: string): string => visible(at).slice(0, MAX_PLACE);

/** A word that a document should have as text, whatever is there. Nothing of an object is called for it. */
export const wordOf = (v: unknown): string =>
  typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean' ? String(v) : (JSON.stringify(v) ?? '');
