import { escapeSegment } from '#kernel/json-pointer.ts';
import type { Id } from '#kernel/id.ts';
import type { DlpAction, Finding, Phase, Redaction } from './verdict.ts';

/** What a tool does, as reviewed; what runs and files have none of. The policy room has the same three words. */
export const contentClasses = ['read', 'write', 'destructive'] as const;
export type ContentClass = (typeof contentClasses)[number];

/** Content on its way, and everything about the way that an engine may know. */
export type Inspected = {
  phase: Phase;
  org: Id<'org'>;
  /** Undefined outside of a call: prompts, outputs and files of a run. */
  connector: Id<'con'> | undefined;
  tool: string | undefined;
  class: ContentClass | undefined;
  actor: { type: 'agent' | 'user' | 'api_key' | 'system'; id: string; email: string | undefined };
  session: string | undefined;
  /** What the log calls it: the call's id, or the request's. Equal for both looks at one call. */
  call: string;
  /** Any JSON value, whole and untruncated. `textBlocks` reads it as text. */
  content: unknown;
};

export type EngineFailure = 'timeout' | 'unreachable' | 'refused' | 'malformed' | 'breaker_open' | 'broken';

/** What an engine says. It never throws what it can say; what it throws all the same counts as `broken`. */
export type EngineVerdict =
  | {
      ok: true;
      engine: string;
      action: DlpAction;
      findings: readonly Finding[];
      /** Needed for `redact`: what to replace. Without any, `redact` counts as `block`. */
      spans?: readonly Redaction[];
      /** One line for people, shown with the refusal. Never content. */
      reason?: string;
      /** The engine's own name for this, for its administrators. */
      reference?: string;
      /** In shadow mode: what it would have said; `action` is then `allow`. */
      shadow?: DlpAction;
    }
  | { ok: false; engine: string; why: EngineFailure };

/** Somebody who looks at content: an outside scanner. Our own detectors are not one, because they need no promise. */
export type DlpEngine = {
  id: string;
  /** The phases that it is asked about. */
  phases: readonly Phase[];
  /** Says by itself when it gives up; `signal` ends it when nobody waits any more. */
  inspect(content: Inspected, signal: AbortSignal): Promise<EngineVerdict>;
};

/** Every string of a JSON value with the pointer to it, in order: content as engines that read text want it. */
export function textBlocks(content: unknown): { at: string; text: string }[] {
  const found: { at: string; text: string }[] = [];
  const open: { at: string; value: unknown }[] = [{ at: '', value: content }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { at, value } = next;
    if (typeof value === 'string') found.push({ at, text: value });
    else if (typeof value === 'number') found.push({ at, text: String(value) });
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value).toReversed())
        open.push({ at: `${at}/${escapeSegment(key)}`, value: inner });
  }
  return found;
}
