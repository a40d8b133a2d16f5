import { jcs } from '@gatehouse/contract/jcs.ts';
import { sha256 } from '@gatehouse/contract/sha256.ts';
import type { Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import type { Projection } from '#policy/argument.ts';
import type { Brought, ToolClass } from '#policy/schema.ts';

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
  /** What rules and approvers see of the arguments, as the reviewer of the reviewed definition said. */
  projection: Projection;
  /** A JSON Schema that arguments must fit, beside the upstream's own. */
  stricter: string | undefined;
  /** What its answers bring into a session, and whether it can carry content out, as the reviewer said; undefined: he did not. */
  brings: readonly Brought[] | undefined;
  outward: boolean | undefined;
  reviewed: Said | undefined;
  /** Somebody looked at the definition as it is now and keeps it closed. */
  closed: Said | undefined;
  firstSeen: Date;
  /** When the definition as it is now was seen for the first time. */
  since: Date;
};
export type Said = { by: string; at: Date };

/**
 * What a connector tells clients of itself is text that models obey, so it waits for a review as a tool's definition does, under a name that
 * no tool can have.
 */
export const INSTRUCTIONS = '@instructions';

/** The parts of a definition that a model reads or that decide how a call is made; a change of any of them needs a new review. */
const pinned = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'execution',
  'instructions',
] as const;

/** Longer than any tool that a person could review. */
export const MAX_DEFINITION_BYTES = 64 * KiB;
/** With pictures and what we do not know; it is kept, and shown to nobody but who asks. */
const MAX_WHOLE_BYTES = 512 * KiB;
/** A server with more is several servers. */
export const MAX_TOOLS = 1000;

/** `whole` is the canonical text of everything that came, unknown fields too; the pin covers `definition`. */
export type Seen = { name: string; pin: string; definition: string; whole: string };

/** What the pin of a definition is, or why it cannot have one. INVARIANT (pin): SHA-256 over the RFC 8785 form, so that spelling does not change it. */
export function seen(definition: unknown): Seen | { refused: string; name: string } {
  const d = isRecord(definition) ? definition : {};
  const name = typeof d['name'] === 'string' ? d['name'] : '';
  // Printable ASCII only: a name that looks like another one cannot be told apart by the person who reviews or approves it.
  if (!/^[A-Za-z0-9_./-]{1,128}$/.test(name))
    return { refused: 'the name is not 1 to 128 of A-Z a-z 0-9 _ . / -', name: JSON.stringify(name).slice(0, 60) };
  const { instructions: _, ...rest } = d;
  return sealed(name, rest);
}

/** The same for what a connector tells clients of itself; undefined where it says nothing. */
export function seenInstructions(instructions: unknown): Seen | { refused: string; name: string } | undefined {
  if (instructions === undefined || instructions === null || instructions === '') return undefined;
  return sealed(INSTRUCTIONS, { instructions });
}

function sealed(name: string, d: Record<string, unknown>): Seen | { refused: string; name: string } {
  let text: string;
  let whole: string;
  try {
    text = jcs(covered(d));
    whole = jcs(d);
  } catch {
    return { refused: 'the definition has no canonical JSON form', name };
  }
  if (Buffer.byteLength(text) > MAX_DEFINITION_BYTES)
    return { refused: `the definition is larger than ${MAX_DEFINITION_BYTES} bytes`, name };
  if (Buffer.byteLength(whole) > MAX_WHOLE_BYTES)
    return { refused: `the definition with everything in it is larger than ${MAX_WHOLE_BYTES} bytes`, name };
  // PostgreSQL's text cannot hold it, and no honest definition does.
  if (whole.includes('\\u0000')) return { refused: 'the definition has the character U+0000', name };
  return { name, pin: sha256(text).toString('hex'), definition: text, whole };
}

function covered(d: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const k of pinned) if (d[k] !== undefined) out[k] = d[k];
  const meta = isRecord(d['_meta']) ? Object.entries(d['_meta']).filter(([k]) => decides(k)) : [];
  if (meta.length > 0) out['_meta'] = Object.fromEntries(meta);
  if (d['icons'] !== undefined)
    out['icons'] = Array.isArray(d['icons']) ? d['icons'].map((i: unknown) => iconOf(i)) : d['icons'];
  return out;
}

/**
 * What clients act on (a page to show, a template, a limit) goes by names with a prefix, as MCP asks for, or by `ui`. A bare key is a server's
 * note to itself, and some put a time or a counter there.
 */
const decides = (key: string): boolean => key.includes('/') || key === 'ui';

/** A picture inside its address stands by its hash: people review where pictures come from, not their bytes. */
const MAX_SRC = 2048;
function iconOf(icon: unknown): unknown {
  const src = isRecord(icon) ? icon['src'] : icon;
  return typeof src === 'string' && src.length > MAX_SRC
    ? { srcSha256: sha256(src).toString('hex') }
    : { src: src ?? null };
}

export const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
