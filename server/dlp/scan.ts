import { MAX_PATTERN_MATCH, type CompiledPattern } from './customer-pattern.ts';
import type { Span } from './detector.ts';
import { exactDataIn } from './exact-data.ts';
import { fold, foldView } from './fold.ts';
import { eachNumber } from './gate.ts';
import { eachKeyword } from './keywords.ts';
import { MAX_DEPTH, openedNone, viewsWithin } from './layers.ts';
import { marksIn, type Marks } from './marks.ts';
import type { Scanner } from './scanner.ts';
import { rangeOf, type Layer, type View } from './view.ts';
import { dictionaryIn, wordsOf } from './words.ts';

/**
 * Something found. `start` and `end` are UTF-16 offsets in the text as given, of the whole encoded run where it was found beneath an encoding.
 * INVARIANT (no match): `text`, the match in its normal form, is for the keyed hash alone; it is never stored, logged or sent.
 */
export type Match = { detector: string; start: number; end: number; layers: readonly Layer[]; text: string };

/** Said of a run that we did not decode because there was too much of it (layers.ts); whoever decides must not take the text for clean. */
export const NOT_INSPECTED = 'not_inspected';

/** What is known about a text besides itself: the name under which it stands, which may be the words that make a number an identity number. */
export type Around = { before?: string };

/** Everything that the scanner looks for in this text, by place. Synchronous: for text of up to INLINE_CHARS (scan-off-loop.ts). */
export function scanText(text: string, scanner: Scanner, around: Around = {}): Match[] {
  const found = new Found();
  const view = foldView(text);
  explore(view, scanner, found);
  // A pattern may be about what folding changes, such as words of another script.
  if ((scanner.everywhere.length > 0 || scanner.near.size > 0) && view.text !== text)
    lookForPatterns(text, scanner, found);
  if (around.before) lookBehind(around.before, view, scanner, found);
  return found.inOrder(text.length);
}

/** More matches than this in one text are not told apart: the text as a whole is then one that we have not inspected. */
export const MAX_MATCHES = 20_000;

/** What was found in one text, through whatever view. */
class Found {
  readonly #matches: Match[] = [];
  #tooMany = false;

  add(view: View, detector: string, span: Span): void {
    if (this.#matches.length >= MAX_MATCHES) this.#tooMany = true;
    else this.#matches.push({ detector, ...rangeOf(view, span.start, span.end), layers: view.layers, text: span.text });
  }

  /** Says that something stands there which we have not opened. */
  unopened(place: { start: number; end: number }): void {
    if (this.#matches.length < MAX_MATCHES)
      this.#matches.push({ detector: NOT_INSPECTED, ...place, layers: [], text: '' });
    else this.#tooMany = true;
  }

  /** By place, each thing once: what is seen through several views, or by two ways of one detector, is one. */
  inOrder(length: number): Match[] {
    const lastOf = new Map<string, Match>();
    const sorted = this.#matches.toSorted(
      (a, b) => a.start - b.start || b.end - a.end || order(a.detector, b.detector) || order(a.text, b.text),
    );
    const once = sorted.filter((m) => {
      const last = lastOf.get(m.detector);
      // Beneath one encoded run all places are the same, so there the text tells things apart.
      const again = last && m.start < last.end && (last.text === m.text || !beneath(last) || !beneath(m));
      if (!again) lastOf.set(m.detector, m);
      return !again;
    });
    if (this.#tooMany) once.unshift({ detector: NOT_INSPECTED, start: 0, end: length, layers: [], text: '' });
    return once;
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const beneath = (m: Match): boolean => m.layers.some((l) => l === 'base64' || l === 'hex');

function lookForPatterns(text: string, scanner: Scanner, found: Found): void {
  const view: View = { text, layers: [] };
  for (const p of [...scanner.everywhere, ...[...scanner.near.values()].flat()])
    for (const s of p.find(text, 0, text.length)) found.add(view, p.id, s);
}

/** Looks at the view and at what is beneath it, breadth first, so that what is near the surface is seen before the budget ends. */
function explore(view: View, scanner: Scanner, found: Found): void {
  const opened = openedNone(view.text.length);
  const over = (place: { start: number; end: number }): void => found.unopened(place);
  let level = [view];
  for (let depth = 0; level.length > 0; depth++) {
    const below: View[] = [];
    for (const v of level) {
      const marks = marksIn(v.text);
      look(v, scanner, found, marks);
      const views = viewsWithin(v, opened, over, marks);
      if (depth < MAX_DEPTH) below.push(...views);
      else for (const deeper of views) if (deeper.run) over(deeper.run);
    }
    level = below;
  }
}

/** As far as the words before a text reach into it. */
const REACH = 400;

/** What the words before the text make of its beginning: the key of a JSON value is as good as a word in the text. */
function lookBehind(before: string, view: View, scanner: Scanner, found: Found): void {
  const lead = `${fold(before.slice(-REACH))}: `;
  const text = lead + view.text.slice(0, REACH);
  eachKeyword(scanner.keywords, lead, (word, from, to) => {
    for (const { id, finds } of scanner.wanted[word] ?? [])
      for (const s of finds.find(text, from, to))
        if (s.start >= lead.length)
          found.add(view, id, { ...s, start: s.start - lead.length, end: s.end - lead.length });
  });
}

function look(view: View, scanner: Scanner, found: Found, marks: Marks): void {
  const { text } = view;
  eachNumber(text, marks, {
    least: scanner.leastDigits,
    chain(chain) {
      for (const { id, finds } of scanner.chains) for (const s of finds.find(text, chain)) found.add(view, id, s);
    },
    token(from, letters, digits) {
      const wanted = scanner.tokens[letters]?.[digits];
      if (!wanted || wanted.length === 0) return;
      for (const { id, finds } of wanted) {
        const s = finds.find(text, from);
        if (s) found.add(view, id, s);
      }
    },
  });
  const near: Near = new Map();
  eachKeyword(scanner.keywords, text, (word, from, to) => {
    for (const { id, finds } of scanner.wanted[word] ?? [])
      for (const s of finds.find(text, from, to)) found.add(view, id, s);
    for (const p of scanner.near.get(word) ?? []) remember(near, p, from, to, text.length);
  });
  lookForCustomers(view, scanner, found, near);
}

/** Where each pattern is to run: around its literal, places that overlap put together. */
type Near = Map<CompiledPattern, { from: number; to: number }[]>;

function remember(near: Near, p: CompiledPattern, from: number, to: number, length: number): void {
  const places = near.get(p) ?? [];
  const last = places.at(-1);
  const start = Math.max(0, from - MAX_PATTERN_MATCH);
  const end = Math.min(length, to + MAX_PATTERN_MATCH);
  if (last && start <= last.to) last.to = end;
  else places.push({ from: start, to: end });
  near.set(p, places);
}

/** What the customer looks for besides terms. */
function lookForCustomers(view: View, scanner: Scanner, found: Found, near: Near): void {
  const { text } = view;
  for (const p of scanner.everywhere) for (const s of p.find(text, 0, text.length)) found.add(view, p.id, s);
  for (const [p, places] of near)
    for (const { from, to } of places) for (const s of p.find(text, from, to)) found.add(view, p.id, s);
  if (scanner.dictionaries.length === 0 && scanner.exactData.length === 0) return;
  const words = wordsOf(text);
  for (const d of scanner.dictionaries) for (const s of dictionaryIn(d, words)) found.add(view, d.id, s);
  for (const d of scanner.exactData) for (const s of exactDataIn(d, words)) found.add(view, d.id, s);
}

/** A match that goes over more than one of the texts: where it stands in each. */
export type JoinedMatch = Match & { parts: readonly { index: number; start: number; end: number }[] };

/** What stands further from a seam than this is not looked at again. */
const NEAR_SEAM = 512;

/**
 * What is split over neighbouring texts (the blocks of one result), and only that: each text by itself is the caller's own scanText. Looks at both
 * sides of each seam, as if nothing were there and as if a space were.
 */
export function scanJoined(texts: readonly string[], scanner: Scanner): JoinedMatch[] {
  const out: JoinedMatch[] = [];
  const starts: number[] = [];
  let at = 0;
  for (const t of texts) {
    starts.push(at);
    at += t.length;
  }
  const all = texts.join('');
  let seam = 1;
  while (seam < texts.length) {
    // Seams that are close to each other are looked at together.
    const from = Math.max(0, (starts[seam] ?? 0) - NEAR_SEAM);
    let to = Math.min(all.length, (starts[seam] ?? 0) + NEAR_SEAM);
    const seams = [starts[seam] ?? 0];
    for (seam++; seam < texts.length && (starts[seam] ?? 0) < to; seam++) {
      seams.push(starts[seam] ?? 0);
      to = Math.min(all.length, (starts[seam] ?? 0) + NEAR_SEAM);
    }
    const over = (m: Match): boolean => seams.some((s) => m.start + from < s && s < m.end + from);
    const near = scanText(all.slice(from, to), scanner).filter(over);
    for (const m of near) out.push(placed(texts, starts, m, from));
  }
  return out;
}

function placed(texts: readonly string[], starts: readonly number[], m: Match, from: number): JoinedMatch {
  const start = m.start + from;
  const end = m.end + from;
  const parts: { index: number; start: number; end: number }[] = [];
  for (const [index, t] of texts.entries()) {
    const s = starts[index] ?? 0;
    if (start < s + t.length && s < end)
      parts.push({ index, start: Math.max(0, start - s), end: Math.min(t.length, end - s) });
  }
  return { ...m, start, end, parts };
}
