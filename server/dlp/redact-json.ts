import { unescapeSegment } from '#kernel/json-pointer.ts';
import type { Redaction } from './verdict.ts';
import { elements, endOfValue, member, skipSpace, whole, type Span } from '#kernel/json-span.ts';

/** What stands where something was taken out. */
export const placeholder = (says: string): string => `[redacted: ${says}]`;

type Edit = { from: number; to: number; text: string };
/** What is to be done at a place and below it. */
type Node = { here: Redaction[]; name: Redaction[]; below: Map<string, Node> };
const node = (): Node => ({ here: [], name: [], below: new Map() });

/** A redaction that points to nothing: whoever asked for it must not believe that it was done. */
export class NotRedacted extends Error {
  constructor() {
    super('a redaction does not fit the message');
    this.name = 'NotRedacted';
  }
}

/**
 * Takes stretches out of the strings of a JSON text, in the value that `path` leads to. Every other byte stays as it was, so that numbers keep
 * all their digits and nothing is written anew that nobody looked at. Throws where a redaction does not fit.
 */
export function redactJson(text: string, path: readonly string[], redactions: readonly Redaction[]): string {
  let span: Span = whole(text);
  for (const segment of path) {
    const inner = text[span.from] === '{' ? member(text, span, segment) : undefined;
    if (!inner) throw new NotRedacted();
    span = inner;
  }
  const root = node();
  for (const r of redactions) {
    let at = root;
    if (r.at !== '' && !r.at.startsWith('/')) throw new NotRedacted();
    for (const escaped of r.at.split('/').slice(1)) {
      const segment = unescapeSegment(escaped);
      const next = at.below.get(segment) ?? node();
      at.below.set(segment, next);
      at = next;
    }
    (r.key ? at.name : at.here).push(r);
  }
  const edits: Edit[] = [];
  visit(text, span, root, edits);
  let out = '';
  let done = 0;
  for (const e of edits.toSorted((a, b) => a.from - b.from)) {
    out += text.slice(done, e.from) + e.text;
    done = e.to;
  }
  return out + text.slice(done);
}

function visit(text: string, at: Span, n: Node, edits: Edit[]): void {
  const first = text[at.from];
  if (n.here.length > 0) {
    if (n.below.size > 0) throw new NotRedacted();
    if (first === '"') {
      const value: unknown = JSON.parse(text.slice(at.from, at.to));
      edits.push({ ...at, text: JSON.stringify(without(String(value), n.here)) });
    } else if (first !== undefined && '-0123456789'.includes(first))
      edits.push({ ...at, text: JSON.stringify(placeholder(saysOf(n.here))) });
    else throw new NotRedacted();
    return;
  }
  const left = new Map(n.below);
  if (first === '[') {
    for (const [i, e] of elements(text, at).entries()) {
      const below = left.get(String(i));
      if (!below) continue;
      if (below.name.length > 0) throw new NotRedacted();
      left.delete(String(i));
      visit(text, e, below, edits);
    }
  } else if (first === '{') {
    const names = members(text, at);
    const taken = new Set(names.map((m) => m.name));
    for (const m of names) {
      const below = left.get(m.name);
      if (!below) continue;
      left.delete(m.name);
      if (below.name.length > 0)
        edits.push({ ...m.key, text: JSON.stringify(free(placeholder(saysOf(below.name)), taken)) });
      if (below.here.length + below.below.size > 0) visit(text, m.value, { ...below, name: [] }, edits);
    }
  }
  if (left.size > 0) throw new NotRedacted();
}

/** No name twice in one object: other readers would see only one of them. */
function free(name: string, taken: Set<string>): string {
  let own = name;
  for (let i = 2; taken.has(own); i++) own = `${name} ${i}`;
  taken.add(own);
  return own;
}

const saysOf = (redactions: readonly Redaction[]): string => [...new Set(redactions.map((r) => r.says))].join(', ');

function without(value: string, redactions: readonly Redaction[]): string {
  const spans: { start: number; end: number; says: string[] }[] = [];
  for (const { start, end, says } of redactions.toSorted((a, b) => a.start - b.start)) {
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end <= start || end > value.length)
      throw new NotRedacted();
    const last = spans.at(-1);
    if (last && start < last.end) {
      last.end = Math.max(last.end, end);
      if (!last.says.includes(says)) last.says.push(says);
    } else spans.push({ start, end, says: [says] });
  }
  let out = '';
  let done = 0;
  for (const s of spans) {
    out += value.slice(done, s.start) + placeholder(s.says.join(', '));
    done = s.end;
  }
  // Half of a surrogate pair that an outside engine left over is no text.
  return (out + value.slice(done)).toWellFormed();
}

/** The names and values of the object at `at`. */
function members(text: string, at: Span): { name: string; key: Span; value: Span }[] {
  const all: { name: string; key: Span; value: Span }[] = [];
  for (let i = skipSpace(text, at.from + 1); i < at.to && text[i] === '"';) {
    const end = endOfValue(text, i);
    const from = skipSpace(text, skipSpace(text, end) + 1);
    const to = endOfValue(text, from);
    all.push({ name: String(JSON.parse(text.slice(i, end))), key: { from: i, to: end }, value: { from, to } });
    i = skipSpace(text, to);
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return all;
}
