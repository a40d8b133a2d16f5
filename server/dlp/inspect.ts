import { MAX_MCP_RESULT_BYTES } from '#kernel/limits.ts';
import { actions, type Action, type Direction, type DlpPolicy } from './dlp-policy.ts';
import { NOT_INSPECTED, scanText } from './scan.ts';
import { makeScanner, type Scanner } from './scanner.ts';

/** What was found, where (RFC 6901 JSON Pointer) and how many. INVARIANT (no match): never the text itself, nor a key that has it. */
export type Finding = { detector: string; at: string; count: number };

export type Verdict =
  | { kind: 'clean' }
  /** May pass, and somebody is told. */
  | { kind: 'flagged'; findings: readonly Finding[] }
  /** Must not pass, and is to be kept for review. */
  | { kind: 'quarantined'; findings: readonly Finding[] }
  | { kind: 'blocked'; findings: readonly Finding[] };

/** Characters that are looked at. As many as the largest message that we pass on has bytes, so what passes was seen whole. */
export const MAX_INSPECTED_CHARS = MAX_MCP_RESULT_BYTES;
/** Values and keys that are looked at: more would hold up everybody else for longer than a second. */
export const MAX_INSPECTED_VALUES = 1_000_000;
/** Places named; there may be more. */
export const MAX_FINDINGS = 50;
const MAX_POINTER = 300;

/** One scanner for each set of detectors: making one takes a while. */
const scanners = new Map<string, Scanner>();
function scannerOf(active: readonly DlpPolicy[]): Scanner {
  const detectors = active.map((p) => p.detector.id);
  const key = detectors.join();
  const scanner = scanners.get(key) ?? makeScanner({ detectors });
  scanners.set(key, scanner);
  return scanner;
}

type Piece = { text: string; at: () => string };
type Place = { above: Place | undefined; segment: string };

const escaped = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1');

function pointer(place: Place | undefined): string {
  const segments: string[] = [];
  for (let p = place; p; p = p.above) segments.push(p.segment);
  const text = segments
    .toReversed()
    .map((s) => `/${s}`)
    .join('');
  return text.length > MAX_POINTER ? `${text.slice(0, MAX_POINTER - 1)}…` : text;
}

/** A container on the way down: where it is and which of its values comes next. */
type Frame = {
  place: Place | undefined;
  values: readonly unknown[];
  keys: readonly string[] | undefined;
  next: number;
};

/** Every string, number and key of a JSON value, in order. With its own stack of open containers, so that neither depth nor length can exhaust ours. */
function* pieces(content: unknown, tells: (key: string) => boolean): Generator<Piece> {
  const root: Frame = { place: undefined, values: [content], keys: undefined, next: 0 };
  const open: Frame[] = [root];
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const i = frame.next++;
    if (i >= frame.values.length) {
      open.pop();
      continue;
    }
    const { keys, place: above } = frame;
    const key = keys?.[i];
    const value = frame.values[i];
    // A key with something in it must not appear in any pointer.
    const place = (): Place | undefined =>
      frame === root ? above : { above, segment: key === undefined ? String(i) : tells(key) ? '*' : escaped(key) };
    if (key !== undefined) yield { text: key, at: () => pointer(place()) };
    if (typeof value === 'string') yield { text: value, at: () => pointer(place()) };
    else if (typeof value === 'number' || typeof value === 'bigint')
      yield { text: plain(value), at: () => pointer(place()) };
    else if (Array.isArray(value)) open.push({ place: place(), values: value, keys: undefined, next: 0 });
    else if (typeof value === 'object' && value !== null)
      open.push({ place: place(), values: Object.values(value), keys: Object.keys(value), next: 0 });
    else yield { text: '', at: () => '' };
  }
}

/** A number as digits, without an exponent. An integer beyond 2^53 has lost digits when it was parsed; what is left is looked at. */
const plain = (n: number | bigint): string =>
  typeof n === 'number' && Number.isInteger(n) && Math.abs(n) < 1e21 ? BigInt(n).toString() : String(n);

/**
 * Looks at content that goes one way, and says what must happen to it. Pure. `content` is any JSON value: arguments, or a tool's whole result.
 * Time is linear in its size; what is too large to be looked at is blocked and says so.
 */
export function inspect(policies: readonly DlpPolicy[], direction: Direction, content: unknown): Verdict {
  const active = policies.filter((p) => p[direction] !== 'allow');
  if (active.length === 0) return { kind: 'clean' };
  const findings: Finding[] = [];
  let worst: Action = 'allow';
  let chars = 0;
  let values = 0;
  const scanner = scannerOf(active);
  const tells = (key: string): boolean => scanText(key, scanner).length > 0;
  for (const piece of pieces(content, tells)) {
    chars += piece.text.length;
    values += 1;
    if (chars > MAX_INSPECTED_CHARS || values > MAX_INSPECTED_VALUES)
      return { kind: 'blocked', findings: [...findings, { detector: NOT_INSPECTED, at: '', count: 1 }] };
    if (piece.text === '') continue;
    const counts = new Map<string, number>();
    for (const m of scanText(piece.text, scanner)) counts.set(m.detector, (counts.get(m.detector) ?? 0) + 1);
    for (const [detector, count] of counts) {
      // What could not be looked at always blocks; it has no policy.
      const action = active.find((p) => p.detector.id === detector)?.[direction] ?? 'block';
      worst = actions[Math.max(actions.indexOf(worst), actions.indexOf(action))] ?? 'block';
      if (findings.length < MAX_FINDINGS) findings.push({ detector, at: piece.at(), count });
    }
  }
  switch (worst) {
    case 'allow':
      return { kind: 'clean' };
    case 'flag':
      return { kind: 'flagged', findings };
    case 'quarantine':
      return { kind: 'quarantined', findings };
    case 'block':
      return { kind: 'blocked', findings };
  }
}
