import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import type { Severity } from './dlp-policy.ts';
import type { ExactData } from './exact-data.ts';
import { MAX_PATTERN_CHARS } from './customer-pattern.ts';
import type { ScannerSpec } from './scanner.ts';

/** Detectors that one organization may have of its own: all are compiled into the scanner of its every call. */
export const MAX_OWN_DETECTORS = 100;
/** Entries of one dictionary or one exact table, and columns of a record. Kept in the memory of every node that serves the organization. */
const MAX_ENTRIES = 20_000;
const MAX_COLUMNS = 10;

const text = z.string().trim().min(3).max(200);

/** What an administrator writes. The values of an exact table become digests when they arrive, and are kept nowhere. */
export const OwnDraft = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('terms'), terms: z.array(text).min(1).max(2000) }),
  z.strictObject({
    kind: z.literal('pattern'),
    pattern: z.string().min(1).max(MAX_PATTERN_CHARS),
    ignoreCase: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('dictionary'),
    phrases: z.array(text).min(1).max(MAX_ENTRIES),
    /** How many different ones must stand in one text. */
    atLeast: z.number().int().min(1).max(100).default(1),
  }),
  z.strictObject({
    kind: z.literal('exact'),
    rows: z
      .array(z.array(z.string().max(200)).min(1).max(MAX_COLUMNS))
      .min(1)
      .max(MAX_ENTRIES),
    /** How many columns of one record must stand near each other, and how near, in characters. */
    needs: z.number().int().min(1).max(MAX_COLUMNS).default(2),
    within: z.number().int().min(10).max(2000).default(300),
  }),
]);
export type OwnDraft = z.infer<typeof OwnDraft>;
export const ownKinds = ['terms', 'pattern', 'dictionary', 'exact'] as const;
export type OwnKind = (typeof ownKinds)[number];

/** What is kept of it: what the scanner is made from, without the key of the digests. */
export type OwnSpec =
  | { kind: 'terms'; terms: readonly string[] }
  | { kind: 'pattern'; pattern: string; ignoreCase: boolean }
  | { kind: 'dictionary'; phrases: readonly string[]; atLeast: number }
  | ({ kind: 'exact' } & Omit<ExactData, 'id' | 'key'>);

/** Something that an organization itself calls confidential. It never changes; another one is added in its place. */
export type OwnDetector = {
  id: Id<'ddt'>;
  name: string;
  severity: Severity;
  kind: OwnKind;
  entries: number;
  createdBy: string;
  createdAt: Date;
};

/** The part of a scanner's specification that this is. `key` is of the digests. */
export function specOf(id: string, s: OwnSpec, key: () => string): Omit<ScannerSpec, 'detectors'> {
  switch (s.kind) {
    case 'terms':
      return { terms: [{ id, terms: s.terms }] };
    case 'pattern':
      return { patterns: [{ id, source: s.pattern, ignoreCase: s.ignoreCase }] };
    case 'dictionary':
      return { dictionaries: [{ id, phrases: s.phrases, atLeast: s.atLeast }] };
    case 'exact':
      return { exactData: [{ id, key: key(), needs: s.needs, within: s.within, records: s.records, sieve: s.sieve }] };
  }
}
