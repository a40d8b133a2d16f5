import { KiB, MiB } from '#kernel/limits.ts';
import { fromBase64, fromHex } from './decode.ts';
import { foldView } from './fold.ts';
import { marksIn } from './marks.ts';
import { runsIn } from './runs.ts';
import { closedUp, unescaped } from './unescape.ts';
import { rangeOf, type Layer, type View } from './view.ts';

/** Encodings within encodings that are opened. */
export const MAX_DEPTH = 3;
/** Characters that are looked at beneath encodings: six times the text, and enough for a short one; never more than this much. */
export const decodedBudget = (length: number): number => Math.min(16 * MiB, 6 * length + 256 * KiB);

/** What is left of the budget, and what was decoded already: the same run stands in several views. */
export type Opened = { budget: number; seen: Set<string> };
export const openedNone = (length: number): Opened => ({ budget: decodedBudget(length), seen: new Set() });

const pairs = /(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:;-]{1,2}){10,}(?:0x|\\x)?[0-9A-Fa-f]{2}/g;

/**
 * The views beneath this one: what reads differently without escapes and formatting, and what stands in base64 and hexadecimal. `over` is told
 * the place of what was left unopened for want of budget.
 */
export function viewsWithin(
  view: View,
  opened: Opened,
  over: (place: { start: number; end: number }) => void,
  marks = marksIn(view.text),
): View[] {
  const found = runsIn(view.text, marks);
  const views: View[] = [];
  const add = (v: View, place: () => { start: number; end: number }): void => {
    opened.budget -= v.text.length;
    if (opened.budget < 0) over(place());
    else views.push(v);
  };
  const open = (from: number, to: number, run: string, layer: Layer, decode: (run: string) => string[]): void => {
    const texts = decode(run);
    if (texts.length === 0) return;
    const key = `${layer} ${run}`;
    if (opened.seen.has(key)) return;
    opened.seen.add(key);
    const place = rangeOf(view, from, to);
    for (const text of texts) {
      const folded = foldView(text);
      add({ text: folded.text, layers: [...view.layers, layer], run: place }, () => place);
    }
  };
  for (const v of unescaped(view, marks.signs)) add(v, () => wholeOf(view));
  if (found.singles) for (const v of closedUp(view)) add(v, () => wholeOf(view));
  for (const { from, to, text, hex } of found.runs)
    open(from, to, text, hex ? 'hex' : 'base64', hex ? fromHex : fromBase64);
  if (found.pairs)
    for (const m of view.text.matchAll(pairs))
      open(m.index, m.index + m[0].length, m[0].replace(/0x|\\x|[^0-9A-Fa-f]/g, ''), 'hex', fromHex);
  return views;
}

const wholeOf = (view: View): { start: number; end: number } => rangeOf(view, 0, Math.max(1, view.text.length));
