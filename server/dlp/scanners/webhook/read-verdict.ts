import { z } from 'zod';
import type { DlpAction } from '../../verdict.ts';
import { ScanFailure } from '../exchange.ts';

/** What a server said, after the strict reading. */
export type ReadVerdict = {
  action: DlpAction;
  spans: readonly Span[];
  reason: string | undefined;
  reference: string | undefined;
};
export type Span = { at: string; start: number; end: number };

const MAX_REASON = 500;
const MAX_REFERENCE = 50;
export const MAX_SPANS = 1000;

const published: Record<string, DlpAction> = { allow: 'allow', deny: 'block' };
const extended: Record<string, DlpAction> = {
  ...published,
  alert: 'alert',
  redact: 'redact',
  quarantine: 'quarantine',
  require_approval: 'require_approval',
};

const Spans = z
  .array(
    z
      .object({
        at: z
          .string()
          .max(2000)
          .regex(/^(\/([^~]|~[01])*)*$/),
        start: z.number().int().min(0),
        end: z.number().int().min(1),
      })
      .refine((s) => s.start < s.end),
  )
  .min(1)
  .max(MAX_SPANS);

/**
 * Reads a verdict. INVARIANT (never allow by mistake): an allow is the word itself in a JSON object read without doubt; anything unreadable is
 * a failure, and what is certainly no allow stays one even if what surrounds it is badly written: a reason too long is cut, a reference of
 * another form is dropped, spans that lead nowhere make `redact` a block.
 */
export function readVerdict(body: unknown, frames: 'published' | 'extended'): ReadVerdict {
  const actions = frames === 'extended' ? extended : published;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unreadable('is not a JSON object');
  const field = (name: string): unknown => (Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined);
  const said = field('action');
  if (typeof said !== 'string') throw unreadable('has no action');
  if (!Object.hasOwn(actions, said)) throw unreadable('has an action that this protocol does not know');
  const action = actions[said];
  if (action === undefined) throw unreadable('has an action that this protocol does not know');
  const reason = field('deny_reason');
  const reference = field('reference_id');
  const spans = action === 'redact' ? Spans.safeParse(field('spans')) : undefined;
  return {
    action: spans && !spans.success ? 'block' : action,
    spans: spans?.data ?? [],
    reason: action !== 'allow' && typeof reason === 'string' ? oneLine(reason) : undefined,
    reference:
      typeof reference === 'string' && reference.length <= MAX_REFERENCE && /^[A-Za-z0-9._:/-]+$/.test(reference)
        ? reference
        : undefined,
  };
}

/** Text of a scanner as people and agents may see it: one line, nothing invisible, nothing that turns the writing direction. */
export function oneLine(text: string): string | undefined {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();
  return line === '' ? undefined : Array.from(line).slice(0, MAX_REASON).join('');
}

const unreadable = (what: string): ScanFailure => new ScanFailure('malformed', `its verdict ${what}`);
