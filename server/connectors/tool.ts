import { jcs } from '@gatehouse/contract/jcs.ts';
import { sha256 } from '@gatehouse/contract/sha256.ts';
import type { Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import type { ToolClass } from '#policy/schema.ts';

/** `quarantined` was never reviewed, `changed` is not as it was reviewed, `removed` is no longer offered. Only `reviewed` can be used. */
export const toolStates = ['quarantined', 'reviewed', 'changed', 'removed'] as const;
export type ToolState = (typeof toolStates)[number];

export type Tool = {
  connector: Id<'con'>;
  name: string;
  pin: string;
  /** Canonical text of what the pin covers, as last seen. */
  definition: string;
  state: ToolState;
  /** What a reviewer said that it does. Never taken from `readOnlyHint` and its like: the upstream writes those. */
  class: ToolClass | undefined;
  reviewedPin: string | undefined;
  reviewedDefinition: string | undefined;
  firstSeen: Date;
};

/** The parts of a definition that a model reads or that decide how a call is made; a change of any of them needs a new review. */
const pinned = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** Longer than any tool that a person could review. */
export const MAX_DEFINITION_BYTES = 64 * KiB;
/** A server with more is several servers. */
export const MAX_TOOLS = 1000;

export type Seen = { name: string; pin: string; definition: string };

/** What the pin of a definition is, or why it cannot have one. INVARIANT (pin): SHA-256 over the RFC 8785 form, so that spelling does not change it. */
export function seen(definition: unknown): Seen | { refused: string; name: string } {
  const d = isRecord(definition) ? definition : {};
  const name = typeof d['name'] === 'string' ? d['name'] : '';
  // Printable ASCII only: a name that looks like another one cannot be told apart by the person who reviews or approves it.
  if (!/^[A-Za-z0-9_./-]{1,128}$/.test(name))
    return { refused: 'the name is not 1 to 128 of A-Z a-z 0-9 _ . / -', name: JSON.stringify(name).slice(0, 60) };
  let text: string;
  try {
    text = jcs(Object.fromEntries(pinned.flatMap((k) => (d[k] === undefined ? [] : [[k, d[k]]]))));
  } catch {
    return { refused: 'the definition has no canonical JSON form', name };
  }
  if (Buffer.byteLength(text) > MAX_DEFINITION_BYTES)
    return { refused: `the definition is larger than ${MAX_DEFINITION_BYTES} bytes`, name };
  return { name, pin: sha256(text).toString('hex'), definition: text };
}

export const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
