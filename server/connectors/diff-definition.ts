import { escapeSegment } from '#kernel/json-pointer.ts';
import { visible } from '#kernel/visible.ts';
import { isRecord } from './tool.ts';

/** A piece of text: in both, only in the reviewed one, only in the one that is offered. What deceives in it is shown by its code point. */
export type Line = { op: 'same' | 'deleted' | 'inserted'; text: string };
export type FieldChange =
  | { at: string; change: 'added'; after: string }
  | { at: string; change: 'removed'; before: string }
  /** `lines` where both are text. */
  | { at: string; change: 'changed'; before: string; after: string; lines: Line[] | null };

/** `cosmetic`: nothing differs but title and icons, which neither a model acts on nor a call is made by. */
export type ChangeSeverity = 'none' | 'cosmetic' | 'meaning';

/** More differences than this and people read the two texts. */
export const MAX_CHANGES = 200;
const MAX_CELLS = 1_000_000;

/** How two definitions differ, field by field. Both are parsed canonical texts, so their depth is bounded (kernel/json.ts). */
export function diffDefinition(before: unknown, after: unknown): FieldChange[] {
  const out: FieldChange[] = [];
  compare(before, after, '', out);
  return out;
}

export function severityOf(changes: readonly FieldChange[]): ChangeSeverity {
  if (changes.length === 0) return 'none';
  return changes.every((c) => /^\/(?:title|icons(?:\/.*)?|annotations\/title)$/.test(c.at)) ? 'cosmetic' : 'meaning';
}

/** A JSON Pointer's next step (RFC 6901 §3), with what deceives in a name made visible. */
export const step = (key: string | number): string => `/${escapeSegment(visible(String(key).slice(0, 200)))}`;

function compare(before: unknown, after: unknown, at: string, out: FieldChange[]): void {
  if (out.length >= MAX_CHANGES) return;
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const has = Object.hasOwn(before, key);
      if (!Object.hasOwn(after, key)) out.push({ at: at + step(key), change: 'removed', before: shown(before[key]) });
      else if (!has) out.push({ at: at + step(key), change: 'added', after: shown(after[key]) });
      else compare(before[key], after[key], at + step(key), out);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after) && ![...before, ...after].every((v) => typeof v !== 'object')) {
    for (let i = 0; i < Math.max(before.length, after.length); i++)
      if (i >= after.length) out.push({ at: at + step(i), change: 'removed', before: shown(before[i]) });
      else if (i >= before.length) out.push({ at: at + step(i), change: 'added', after: shown(after[i]) });
      else compare(before[i], after[i], at + step(i), out);
    return;
  }
  const [a, b] = [shown(before), shown(after)];
  if (typeof before === typeof after && JSON.stringify(before) === JSON.stringify(after)) return;
  const lines =
    typeof before === 'string' && typeof after === 'string'
      ? diffText(before, after)
      : Array.isArray(before) && Array.isArray(after)
        ? diffPieces(before.map(shown), after.map(shown))
        : null;
  out.push({ at, change: 'changed', before: a, after: b, lines });
}

const shown = (v: unknown): string => visible(typeof v === 'string' ? v : JSON.stringify(v, null, 2));

/** By lines and sentences: what is hidden in a description is most often one more sentence. */
export const diffText = (before: string, after: string): Line[] => diffPieces(pieces(before), pieces(after));

const pieces = (text: string): string[] => text.split(/(?<=\n)|(?<=[.!?]["')\]]?)(?=[ \t])/).map(visible);

/** The longest common sequence; where the texts are too long for that, what is common at both ends. */
function diffPieces(a: readonly string[], b: readonly string[]): Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const line = (op: Line['op']) => (text: string) => ({ op, text });
  return [
    ...a.slice(0, head).map(line('same')),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(line('same')),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Line[] {
  const out: Line[] = [];
  const wide = b.length + 1;
  if (a.length * b.length > MAX_CELLS)
    return [
      ...a.map((text) => ({ op: 'deleted' as const, text })),
      ...b.map((text) => ({ op: 'inserted' as const, text })),
    ];
  const common = new Uint32Array((a.length + 1) * wide);
  const of = (i: number, j: number): number => common[i * wide + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * wide + j] = a[i] === b[j] ? of(i + 1, j + 1) + 1 : Math.max(of(i + 1, j), of(i, j + 1));
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (x !== undefined && x === y) {
      out.push({ op: 'same', text: x });
      i++;
      j++;
    } else if (x !== undefined && (y === undefined || of(i + 1, j) >= of(i, j + 1))) {
      out.push({ op: 'deleted', text: x });
      i++;
    } else if (y !== undefined) {
      out.push({ op: 'inserted', text: y });
      j++;
    }
  }
  return out;
}
