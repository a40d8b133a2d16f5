import { escapeSegment } from '#kernel/json-pointer.ts';
import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import type { Standing } from './dlp-policy.ts';
import { INLINE_CHARS, scan } from './scan-off-loop.ts';
import { NOT_INSPECTED, scanJoined, scanText, type Around, type Match } from './scan.ts';
import type { Scanner } from './scanner.ts';
import { worse, type DlpAction, type Finding, type Redaction } from './verdict.ts';

/** Characters that are looked at. As many as the largest message that we pass on has bytes, so what passes was seen whole. */
export const MAX_INSPECTED_CHARS = MAX_MCP_RESULT_BYTES;
/** Values and keys that are looked at: more would hold up everybody else for longer than a second. */
export const MAX_INSPECTED_VALUES = 1_000_000;
/** Places named; there may be more. */
export const MAX_FINDINGS = 50;
const MAX_POINTER = 300;
const MAX_HASHES = 5;

/** What our own detectors found in content, and the most severe that is to be done with it. */
export type LocalVerdict = {
  action: DlpAction;
  findings: readonly Finding[];
  redactions: readonly Redaction[];
  /** Whether two people must release it, should it be kept. */
  twoPeople: boolean;
};
export const CLEAN: LocalVerdict = { action: 'allow', findings: [], redactions: [], twoPeople: false };

/** What to look with: the detectors, what stands for each of them here, and the organization's keyed hash. */
export type Looking = {
  scanner: Scanner;
  standings: ReadonlyMap<string, Standing>;
  /** Whether everything may pass, so that nobody need look. */
  quiet: boolean;
  /** What each detector finds, in words. */
  says: ReadonlyMap<string, string>;
  hashOf(match: string): string;
};

type Place = { above: Place | undefined; segment: string; isKey: boolean };
/** A text, number or name of the content. `whole`: nothing of it can be replaced but all of it. */
type Piece = { text: string; whole: boolean; key: boolean; around: Around; place: Place | undefined };

const NOTHING: Around = {};

function segmentsOf(place: Place | undefined): Place[] {
  const all: Place[] = [];
  for (let p = place; p; p = p.above) all.push(p);
  return all.toReversed();
}
const exactPointer = (place: Place | undefined): string =>
  segmentsOf(place)
    .map((p) => `/${escapeSegment(p.segment)}`)
    .join('');

/** The pointer as people see it: a key with something in it must not appear. */
function shownPointer(place: Place | undefined, tells: (key: string) => boolean): string {
  let text = '';
  for (const p of segmentsOf(place)) {
    text += `/${p.isKey && tells(p.segment) ? '*' : escapeSegment(p.segment)}`;
    if (text.length > MAX_POINTER) return `${text.slice(0, MAX_POINTER - 1)}…`;
  }
  return text;
}

/** A container on the way down: where it is and which of its values comes next. */
type Frame = {
  place: Place | undefined;
  values: readonly unknown[];
  keys: readonly string[] | undefined;
  next: number;
};

/** Where the value at `i` of a container stands. Only asked where something was found, or where there is more below. */
const placeIn = (frame: Frame, i: number): Place | undefined =>
  frame.keys === ROOT
    ? undefined
    : { above: frame.place, segment: frame.keys?.[i] ?? String(i), isKey: frame.keys !== undefined };
const ROOT: readonly string[] = [];

/** A number as digits, without an exponent. An integer beyond 2^53 has lost digits when it was parsed; what is left is looked at. */
const plain = (n: number | bigint): string =>
  typeof n === 'number' && Number.isInteger(n) && Math.abs(n) < 1e21 ? BigInt(n).toString() : String(n);

type Found = { piece: Piece; matches: readonly Match[] };

/**
 * Looks at content with our own detectors. `content` is any JSON value: arguments, or a tool's whole result. Time is linear in its size; what
 * is too large to be looked at is blocked and says so. Synchronous, unless a text is so long that looking at it would hold up everybody else.
 * Every string, number and name is looked at, in order, with a stack of our own, so that neither depth nor length can exhaust node's.
 */
export function inspect(by: Looking, content: unknown): LocalVerdict | Promise<LocalVerdict> {
  if (by.quiet) return CLEAN;
  const { scanner } = by;
  const found: Found[] = [];
  let long: Promise<void>[] | undefined;
  let chars = 0;
  let values = 0;
  const look = (text: string, around: Around, frame: Frame, i: number, whole: boolean, key: boolean): void => {
    chars += text.length;
    if (chars > MAX_INSPECTED_CHARS || text === '') return;
    if (text.length > INLINE_CHARS) {
      const piece = { text, whole, key, around, place: placeIn(frame, i) };
      const entry: { piece: Piece; matches: readonly Match[] } = { piece, matches: [] };
      found.push(entry);
      (long ??= []).push(scan(text, scanner, around).then((matches) => void (entry.matches = matches)));
      return;
    }
    const matches = scanText(text, scanner, around);
    if (matches.length > 0) found.push({ piece: { text, whole, key, around, place: placeIn(frame, i) }, matches });
  };
  const open: Frame[] = [{ place: undefined, values: [content], keys: ROOT, next: 0 }];
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const i = frame.next++;
    if (i >= frame.values.length) {
      open.pop();
      continue;
    }
    const value = frame.values[i];
    const name = frame.keys?.[i];
    values += name === undefined ? 1 : 2;
    if (name !== undefined) look(name, NOTHING, frame, i, true, true);
    if (typeof value === 'string') look(value, name === undefined ? NOTHING : { before: name }, frame, i, false, false);
    else if (typeof value === 'number' || typeof value === 'bigint')
      look(plain(value), name === undefined ? NOTHING : { before: name }, frame, i, true, false);
    else if (Array.isArray(value)) open.push({ place: placeIn(frame, i), values: value, keys: undefined, next: 0 });
    else if (typeof value === 'object' && value !== null)
      open.push({ place: placeIn(frame, i), values: Object.values(value), keys: Object.keys(value), next: 0 });
    if (chars > MAX_INSPECTED_CHARS || values > MAX_INSPECTED_VALUES) {
      for (const l of long ?? []) l.catch(() => undefined);
      return { ...concluded(by, found, []), ...NOT_SEEN };
    }
  }
  const over = joined(by, content);
  if (!long) return found.length + over.length === 0 ? CLEAN : concluded(by, found, over);
  return Promise.all(long).then(() => concluded(by, found, over));
}

const NOT_SEEN = {
  action: 'block',
  findings: [{ detector: NOT_INSPECTED, at: '', count: 1, hashes: [] }],
  redactions: [],
} as const;

/** What is split over the text blocks of one result. */
function joined(by: Looking, content: unknown): Over[] {
  const blocks = blocksOf(content);
  if (blocks.length < 2) return [];
  const texts = blocks.map((b) => b.text);
  return scanJoined(texts, by.scanner).map((m) => ({
    ...m,
    parts: m.parts.map((p) => ({ at: `/content/${blocks[p.index]?.index ?? 0}/text`, start: p.start, end: p.end })),
  }));
}
type Over = Match & { parts: readonly { at: string; start: number; end: number }[] };

function blocksOf(content: unknown): { index: number; text: string }[] {
  if (typeof content !== 'object' || content === null || !('content' in content) || !Array.isArray(content.content))
    return [];
  return content.content.flatMap((b: unknown, index) =>
    typeof b === 'object' && b !== null && 'text' in b && typeof b.text === 'string' ? [{ index, text: b.text }] : [],
  );
}

function concluded(by: Looking, found: readonly Found[], over: readonly Over[]): LocalVerdict {
  let action: DlpAction = 'allow';
  let twoPeople = false;
  const findings: Finding[] = [];
  const redactions: Redaction[] = [];
  // What no policy knows must not pass: a detector that says that it could not look, for one.
  const standing = (detector: string): Standing => by.standings.get(detector) ?? UNKNOWN;
  const counts = (m: Match): boolean => standing(m.detector).action !== 'allow';
  const tells = (key: string): boolean => scanText(key, by.scanner).some(counts);
  const says = (detector: string): string => by.says.get(detector) ?? detector;
  const note = (matches: readonly Match[], at: string): void => {
    const counted = new Map<string, { count: number; hashes: Set<string> }>();
    for (const m of matches) {
      const s = standing(m.detector);
      action = worse(action, s.action);
      twoPeople ||= s.twoPeople;
      const c = counted.get(m.detector) ?? { count: 0, hashes: new Set() };
      counted.set(m.detector, c);
      c.count++;
      if (c.hashes.size < MAX_HASHES) c.hashes.add(by.hashOf(m.text));
    }
    for (const [detector, c] of counted)
      if (findings.length < MAX_FINDINGS) findings.push({ detector, at, count: c.count, hashes: [...c.hashes] });
  };
  for (const { piece, matches: all } of found) {
    const matches = all.filter(counts);
    if (matches.length === 0) continue;
    const { place } = piece;
    note(matches, shownPointer(place, tells));
    for (const m of matches)
      if (standing(m.detector).action === 'redact')
        redactions.push({
          at: exactPointer(place),
          ...(piece.key ? { key: true } : {}),
          start: piece.whole ? 0 : m.start,
          end: piece.whole ? piece.text.length : m.end,
          says: says(m.detector),
        });
  }
  for (const m of over.filter(counts)) {
    note([m], '/content');
    if (standing(m.detector).action === 'redact')
      for (const { at, start, end } of m.parts) redactions.push({ at, start, end, says: says(m.detector) });
  }
  return findings.length === 0 ? CLEAN : { action, findings, redactions, twoPeople };
}

const UNKNOWN: Standing = { action: 'block', by: 'default', twoPeople: true };
