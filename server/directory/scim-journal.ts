import type { AuditEvent } from '#audit/events.ts';
import { newId, type Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import { status, type Problem } from '#kernel/problem.ts';
import { isObject, sameValue, type Complex } from './scim-value.ts';

/** What is known of one request while it is served, and what the journal will say of it. A Bulk request has one for each of its operations. */
export type ScimCall = {
  readonly method: string;
  /** Below the directory, with the query. */
  readonly path: string;
  /** Size of the body as received; 0 where none was. */
  readonly bytes: number;
  readonly started: number;
  readonly operation: number | undefined;
  body: unknown;
  /** HTTP status of success. */
  status: number;
  /** What the request meant: typed values or edits. Values are as they came in, bounded and without secrets. */
  meant: Record<string, unknown>;
  /** Names that no schema has and that were left out. */
  readonly ignored: Set<string>;
  /** What was accepted although it is unusual, in words. */
  readonly notes: string[];
  resource: string | undefined;
  people: readonly string[];
  diff: Record<string, unknown> | undefined;
  /** Whether an entry was written with the change itself. */
  noted: boolean;
  /** Set where nothing may stay: hears what would be recorded, and the change is undone. */
  readonly rehearse: ((events: readonly AuditEvent[]) => void) | undefined;
  /** Puts an entry in the journal soon, outside of any transaction. */
  note(entry: JournalEntry): void;
};

export type JournalEntry = {
  id: Id<'jrn'>;
  at: Date;
  request: string;
  operation: number | null;
  token: string;
  method: string;
  path: string;
  resource: string | null;
  people: readonly string[];
  status: number;
  ms: number;
  body: string | null;
  bytes: number;
  meant: Record<string, unknown>;
  changed: readonly unknown[];
  problem: { code: string; says: string; fix: string | null } | null;
};

/** A new call, for a request or for one operation of a Bulk request. */
export const newCall = (
  c: Pick<ScimCall, 'method' | 'path' | 'bytes' | 'note'> & Partial<Pick<ScimCall, 'operation' | 'body' | 'rehearse'>>,
): ScimCall => ({
  operation: undefined,
  body: undefined,
  rehearse: undefined,
  ...c,
  started: performance.now(),
  status: c.method === 'POST' ? 201 : c.method === 'DELETE' ? 204 : 200,
  meant: {},
  ignored: new Set(),
  notes: [],
  resource: undefined,
  people: [],
  diff: undefined,
  noted: false,
});

/** Longest body that an entry keeps; a person or a change of 500 members fits. Of a longer one the beginning stays, and it cannot be replayed. */
export const MAX_JOURNAL_BODY = 64 * KiB;
/** Longest text of what a request meant or changed. */
const MAX_PART = 32 * KiB;
/** Values of a list that an entry shows. */
const MAX_LISTED = 100;

const secretName = /pass(?:word|phrase|code)|secret|token|credential|private.?key/i;
const secretValue = /\bgh[a-z]_[\w-]{20,}|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*/g;
export const REDACTED = '[redacted]';

/** A body with every secret taken out: by the name it stands under, by the path of a PATCH operation, or by the form of a token of ours. */
export function redacted(v: unknown): unknown {
  if (typeof v === 'string') return v.replace(secretValue, REDACTED);
  if (Array.isArray(v)) return v.map(redacted);
  if (!isObject(v)) return v;
  const path = Object.entries(v).find(([k]) => k.toLowerCase() === 'path')?.[1];
  const secretPath = typeof path === 'string' && secretName.test(path);
  return Object.fromEntries(
    Object.entries(v).map(([k, inner]) => [
      k,
      secretName.test(k) || (secretPath && k.toLowerCase() === 'value') ? REDACTED : redacted(inner),
    ]),
  );
}

/** A path whose query names a secret keeps no value. */
export const redactedPath = (path: string): string => {
  const [at = '', query] = path.slice(0, 6000).split('?', 2);
  if (query === undefined) return at.slice(0, 500);
  return `${at.slice(0, 500)}?${secretName.test(query) ? REDACTED : query.replace(secretValue, REDACTED).slice(0, 5000)}`;
};

/** Lists are cut, so that what a request meant stays readable; its body has them whole. */
export function shortened(v: unknown): unknown {
  if (Array.isArray(v))
    return v.length > MAX_LISTED
      ? [...v.slice(0, MAX_LISTED).map(shortened), `… and ${v.length - MAX_LISTED} more`]
      : v.map(shortened);
  if (isObject(v)) return Object.fromEntries(Object.entries(v).map(([k, inner]) => [k, shortened(inner)]));
  return v;
}

/** Attributes before and after, those that differ. */
export const diffOf = (before: Complex, after: Complex): Record<string, unknown> =>
  Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((k) => !sameValue(before[k], after[k]))
      .map((k) => [k, { before: before[k] ?? null, after: after[k] ?? null }]),
  );

const bounded = <T>(v: T, or: T): T => (JSON.stringify(v).length > MAX_PART ? or : v);

/** The entry of a call that has ended, or is about to with this transaction. */
export function entryOf(
  call: ScimCall,
  by: { now: Date; request: string; token: string },
  end: { events?: readonly AuditEvent[]; problem?: Problem; status?: number },
): JournalEntry {
  const text = call.body === undefined ? null : JSON.stringify(redacted(call.body));
  const meant = redacted(
    shortened({
      ...call.meant,
      ...(call.ignored.size > 0 ? { ignored: [...call.ignored] } : {}),
      ...(call.notes.length > 0 ? { notes: call.notes } : {}),
    }),
  );
  const changed = [
    ...(end.events ?? []).map(({ type, data }) => ({ type, data })),
    ...(call.diff && end.events ? [{ type: 'attributes', data: redacted(shortened(call.diff)) }] : []),
  ];
  const { problem } = end;
  return {
    id: newId('jrn', by.now.getTime()),
    at: by.now,
    request: by.request,
    operation: call.operation ?? null,
    token: by.token,
    method: call.method,
    path: redactedPath(call.path),
    resource: call.resource ?? null,
    people: call.people.slice(0, MAX_LISTED),
    status: problem ? status[problem.kind] : (end.status ?? call.status),
    ms: Math.round((performance.now() - call.started) * 100) / 100,
    body: text === null ? null : text.slice(0, MAX_JOURNAL_BODY).toWellFormed(),
    bytes: call.bytes,
    meant: bounded(isObject(meant) ? meant : {}, { oversize: true }),
    changed: bounded(changed, [{ type: 'oversize', data: {} }]),
    problem: problem ? { code: problem.code, says: problem.says.slice(0, 2000), fix: problem.fix ?? null } : null,
  };
}
