import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import type { Severity } from './dlp-policy.ts';

/** Detectors that one organization may have of its own, and how much is in one: all are compiled into the scanner of its every call. */
export const MAX_OWN_DETECTORS = 100;
const MAX_TERMS = 5000;
const MAX_VALUES = 20_000;

const term = z.string().trim().min(3).max(200);

/** What an administrator writes. The values of an exact table are hashed when they arrive and are kept nowhere. */
export const OwnDraft = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('terms'), terms: z.array(term).min(1).max(MAX_TERMS) }),
  z.strictObject({
    kind: z.literal('pattern'),
    pattern: z.string().min(1).max(2000),
    flags: z.literal('i').optional(),
  }),
  z.strictObject({
    kind: z.literal('exact'),
    values: z.array(z.string().trim().min(4).max(200)).min(1).max(MAX_VALUES),
  }),
]);
export type OwnDraft = z.infer<typeof OwnDraft>;

/** What is kept of it. */
export const OwnSpec = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('terms'), terms: z.array(z.string()) }),
  z.object({ kind: z.literal('pattern'), pattern: z.string(), flags: z.literal('i').optional() }),
  z.object({ kind: z.literal('exact') }),
]);
export type OwnSpec = z.infer<typeof OwnSpec>;

/** Something that an organization itself calls confidential. It never changes; another one is added in its place. */
export type OwnDetector = {
  id: Id<'ddt'>;
  name: string;
  severity: Severity;
  spec: OwnSpec;
  /** Of an exact table: how many. */
  values: number;
  createdBy: string;
  createdAt: Date;
};
