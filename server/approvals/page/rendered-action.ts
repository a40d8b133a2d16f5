import { escapeSegment, unescapeSegment } from '#kernel/json-pointer.ts';
import { createHash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { reveal, type Piece } from '#kernel/reveal.ts';
import type { ArgumentKind, Projection } from '#policy/argument.ts';

/** One value as a person sees it. Everything that is in the call is in one of these, whole. */
export type ShownValue = {
  /** RFC 6901 pointer into the arguments, in pieces because keys are the agent's, too. */
  at: Piece[];
  text: Piece[];
  /** UTF-16 units of the value, so that nobody has to believe that it is whole. */
  length: number;
  /** A recipient that is not of this organization's verified domains. */
  outside: boolean;
  /** What about it could mislead: plain sentences of ours. */
  notes: string[];
  /** What a person cannot judge by reading; the hash says which bytes they are. */
  unreadable: { bytes: number; sha256: string } | undefined;
};
export type ShownGroup = {
  kind: ArgumentKind | 'other';
  label: Piece[];
  sum: string | undefined;
  values: ShownValue[];
};
export type RenderedAction = {
  groups: ShownGroup[];
  people: number;
  outside: number;
  /** Values that have characters which deceive, or look like a domain that they are not. */
  suspicious: number;
};

type Leaf = {
  segments: string[];
  value: string | number | bigint | boolean | null;
  empty: 'list' | 'object' | undefined;
};

/** Every leaf of the arguments in their order; with a stack of its own, so that depth cannot exhaust ours. */
function leavesOf(args: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  const open: { segments: string[]; value: unknown }[] = [{ segments: [], value: args }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { segments, value } = next;
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      if (entries.length === 0) leaves.push({ segments, value: '', empty: Array.isArray(value) ? 'list' : 'object' });
      for (const [key, inner] of entries.toReversed()) open.push({ segments: [...segments, key], value: inner });
    } else if (
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      typeof value === 'boolean'
    )
      leaves.push({ segments, value, empty: undefined });
    else leaves.push({ segments, value: null, empty: undefined });
  }
  return leaves;
}

const segmentsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((s) => unescapeSegment(s));
const pointerOf = (segments: readonly string[]): string => segments.map((s) => `/${escapeSegment(s)}`).join('');

const kindOf = (projection: readonly { kind: ArgumentKind; path: string[] }[], segments: readonly string[]) =>
  projection.find((p) => p.path.length === segments.length && p.path.every((s, i) => s === '*' || s === segments[i]))
    ?.kind;

/** Letters that pass for Latin ones in a domain, and pairs that pass for one letter (UTS #39 has them all; these are the ones in use). */
const passesFor: Record<string, string> = {
  а: 'a', с: 'c', е: 'e', һ: 'h', і: 'i', ј: 'j', ӏ: 'l', о: 'o', р: 'p', ѕ: 's', у: 'y', х: 'x', ѵ: 'v', ԁ: 'd', ԛ: 'q', ԝ: 'w',
  α: 'a', ο: 'o', ν: 'v', ρ: 'p', ι: 'i', κ: 'k', τ: 't', υ: 'u', ı: 'i', ɡ: 'g', ɑ: 'a', '0': 'o', '1': 'l', '5': 's',
}; // prettier-ignore
const lookOf = (domain: string): string =>
  Array.from(domain.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase(), (c) => passesFor[c] ?? c)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd');

/** The domain behind an address, as written; undefined where there is none. */
const domainOf = (address: string): string | undefined => /@([^@<>\s]+?)>?\s*$/.exec(address)?.[1]?.toLowerCase();

function aboutRecipient(address: string, home: readonly string[]): { outside: boolean; notes: string[] } {
  const written = domainOf(address);
  const ascii = written === undefined ? '' : domainToASCII(written.replace(/\.$/, ''));
  if (home.includes(ascii)) return { outside: false, notes: [] };
  const notes = [written === undefined ? 'Outside, as far as can be told: this is no e-mail address.' : 'Outside.'];
  if (written !== undefined) {
    const like = home.find((h) => lookOf(h) === lookOf(written) || lookOf(h) === lookOf(ascii));
    if (like !== undefined) notes.push(`Looks like ${like} and is not.`);
    if (ascii === '') notes.push('Its domain cannot exist.');
    else if (ascii !== written) notes.push(`Really ${ascii}.`);
  }
  return { outside: true, notes };
}

/** Long, and of nothing but the letters of base64 or hex: bytes that nobody reads. A data URI counts by what it carries. */
function bytesOf(text: string): Buffer | undefined {
  const body = /^data:[^,]{0,200};base64,/i.test(text) ? text.slice(text.indexOf(',') + 1) : text;
  if (body.length < 200 || !/^[A-Za-z0-9+/_\s-]+={0,2}\s*$/.test(body)) return undefined;
  const dense = body.replace(/\s/g, '');
  // Prose has spaces; encodings have lines of one length at most.
  if (body.length - dense.length > body.length / 40) return undefined;
  return Buffer.from(dense, /^[0-9a-fA-F]+$/.test(dense) ? 'hex' : 'base64');
}

const deceives = (pieces: readonly Piece[]): boolean => pieces.some((p) => typeof p !== 'string');

function shownValue(leaf: Leaf, kind: ArgumentKind | undefined, home: readonly string[]): ShownValue {
  const { value } = leaf;
  const whole = typeof value === 'string' ? value : String(value);
  const bytes = typeof value === 'string' && kind !== 'recipient' ? bytesOf(value) : undefined;
  const about = kind === 'recipient' ? aboutRecipient(whole, home) : { outside: false, notes: [] };
  const text = reveal(whole);
  const edge = whole !== whole.trim() && whole.trim() !== '' && !whole.includes('\n');
  return {
    at: reveal(pointerOf(leaf.segments)),
    text,
    length: whole.length,
    outside: about.outside,
    notes: [
      ...about.notes,
      ...(value === '' ? [`An empty ${leaf.empty ?? 'text'}.`] : []),
      ...(edge ? ['Begins or ends with a space.'] : []),
    ],
    unreadable: bytes && { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  };
}

const labels: Record<ArgumentKind, string> = {
  recipient: 'To',
  amount: 'Amount',
  path: 'Path',
  folder: 'Folder',
  repository: 'Repository',
  channel: 'Channel',
  url: 'Address',
  text: 'Text',
};
const order = Object.keys(labels) as ArgumentKind[]; // the keys of a literal just above

/** The list under a key, made when it is not there. */
function under<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (!list) lists.set(key, (list = []));
  return list;
}

const people = (n: number, outside: number, org: string): string =>
  `${n} ${n === 1 ? 'recipient' : 'recipients'}, ${outside === 0 ? 'none' : outside === n && n > 1 ? 'all' : outside} of them outside ${org}`;

/**
 * A call as the person who decides sees it: made here, from the arguments that the hash is over, and from nothing that an agent says about them.
 * INVARIANT (consent integrity): every leaf of the arguments is in exactly one group, whole and in plain text; what the reviewer has given a
 * meaning comes first, recipients outside before the others. `home`: the verified domains of the parent, in ASCII. Pure.
 */
export function renderAction(
  args: unknown,
  about: { projection: Projection; home: readonly string[]; org: string },
): RenderedAction {
  const projection = about.projection.map((p) => ({ kind: p.kind, path: segmentsOf(p.at) }));
  const known = new Map<ArgumentKind, ShownValue[]>();
  const others = new Map<string, ShownValue[]>();
  for (const leaf of leavesOf(args)) {
    const kind = kindOf(projection, leaf.segments);
    const value = shownValue(leaf, kind, about.home);
    if (kind === undefined) under(others, leaf.segments[0] ?? '').push(value);
    else under(known, kind).push(value);
  }
  const to = known.get('recipient') ?? [];
  const outside = to.filter((v) => v.outside).length;
  const groups: ShownGroup[] = [];
  for (const kind of order) {
    const values = known.get(kind);
    if (!values) continue;
    const sum =
      kind === 'recipient'
        ? people(values.length, outside, about.org)
        : values.length > 1
          ? `${values.length} in all`
          : undefined;
    const sorted = values.toSorted((a, b) => Number(b.outside) - Number(a.outside));
    groups.push({ kind, label: [labels[kind]], sum, values: sorted });
  }
  for (const [key, values] of others)
    groups.push({
      kind: 'other',
      label: key === '' ? ['Arguments'] : reveal(key),
      sum: values.length > 1 ? `${values.length} values` : undefined,
      values,
    });
  const all = groups.flatMap((g) => g.values);
  return {
    groups,
    people: to.length,
    outside,
    suspicious: all.filter((v) => deceives(v.text) || deceives(v.at) || v.notes.some((n) => n.startsWith('Looks like')))
      .length,
  };
}
