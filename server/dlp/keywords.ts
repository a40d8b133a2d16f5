import { codesOf } from './codes.ts';
import { isDigit, isLetter } from './gate.ts';

/** Words that are looked for all at once (Aho and Corasick 1975): one step per character, however many words there are. In any case of letters. */
export type Keywords = {
  /** Steps from state to state: `next[state * WIDTH + class]`. States from `firstEnd` on end at least one word. */
  next: Uint32Array;
  classes: Uint8Array;
  firstEnd: number;
  /** The words that end in a state, by number; the longest first. */
  ends: readonly (readonly number[])[];
  lengths: readonly number[];
  /** Which are asked for as words by themselves (isWord). */
  whole: readonly boolean[];
  /** The words that are to be compared with the text. */
  compare: readonly (string | undefined)[];
};

/** Characters are told apart as far as this: letters without their case, digits, most signs. */
const WIDTH = 64;
/** All characters beyond ASCII share so many classes; a word that has some is compared with the text. */
const SHARED = 4;
const isAscii = (text: string): boolean => /^[\u0020-\u007E]*$/.test(text);

type Node = { next: Map<number, Node>; fail: Node | undefined; words: number[]; state: number };
const node = (): Node => ({ next: new Map(), fail: undefined, words: [], state: 0 });

/** Builds the automaton. Words are folded text (fold.ts), whole words where that is asked; `ends` gives their index here. */
export function keywordsOf(words: readonly string[], whole: readonly boolean[] = []): Keywords {
  const classes = new Uint8Array(0x10000);
  let used = 0;
  const classOf = (char: string): number => {
    const both = [char.toLowerCase(), char.toUpperCase()].filter((c) => c.length === 1).map((c) => c.charCodeAt(0));
    const given = both.map((c) => classes[c] ?? 0).find((k) => k > 0);
    const k =
      given ?? (isAscii(char) ? 1 + (used++ % (WIDTH - 1 - SHARED)) : WIDTH - 1 - (char.charCodeAt(0) % SHARED));
    for (const c of both) classes[c] = k;
    // A phrase may go on in the next line.
    if (char === ' ') classes[9] = classes[10] = k;
    return k;
  };
  const root = node();
  for (const [i, word] of words.entries()) {
    let at = root;
    for (let k = 0; k < word.length; k++) {
      const c = classOf(word.charAt(k));
      let to = at.next.get(c);
      if (!to) at.next.set(c, (to = node()));
      at = to;
    }
    if (at !== root) at.words.push(i);
  }
  // Breadth first: a node's failure is shallower than itself, so its words and steps are complete when they are needed.
  const order: Node[] = [root];
  for (let i = 0; i < order.length; i++) {
    const from = order[i];
    if (!from) break;
    for (const [c, to] of from.next) {
      let fail = from.fail;
      while (fail && !fail.next.has(c)) fail = fail.fail;
      to.fail = fail?.next.get(c) ?? root;
      to.words.push(...to.fail.words);
      order.push(to);
    }
  }
  const numbered = [...order.filter((n) => n.words.length === 0), ...order.filter((n) => n.words.length > 0)];
  for (const [i, n] of numbered.entries()) n.state = i;
  const next = new Uint32Array(numbered.length * WIDTH);
  for (const n of order) {
    const row = n.state * WIDTH;
    if (n.fail) next.copyWithin(row, n.fail.state * WIDTH, n.fail.state * WIDTH + WIDTH);
    for (const [c, to] of n.next) next[row + c] = to.state;
  }
  // Steps are kept as the place of the row, which saves a multiplication each.
  for (let i = 0; i < next.length; i++) next[i] = (next[i] ?? 0) * WIDTH;
  return {
    next,
    classes,
    firstEnd: (numbered.length - numbered.filter((n) => n.words.length > 0).length) * WIDTH,
    ends: numbered.map((n) => n.words),
    lengths: words.map((w) => w.length),
    whole: words.map((_, i) => whole[i] ?? false),
    // Letters take 26 classes and digits 10; who has more than a dozen signs more is compared too.
    compare: words.map((w) => (isAscii(w) && used <= WIDTH - 1 - SHARED ? undefined : w.toLowerCase())),
  };
}

/** Tells of every word in folded text, overlapping ones too, in the order of their ends. */
export function eachKeyword(k: Keywords, text: string, on: (word: number, from: number, to: number) => void): void {
  const { next, classes, firstEnd, ends, lengths, whole, compare } = k;
  const codes = codesOf(text);
  const n = text.length;
  let row = 0;
  for (let i = 0; i < n; i++) {
    row = next[row + (classes[codes[i] ?? 0] ?? 0)] ?? 0;
    if (row < firstEnd) continue;
    const words = ends[row / WIDTH] ?? [];
    for (let w = 0; w < words.length; w++) {
      const word = words[w] ?? 0;
      const from = i + 1 - (lengths[word] ?? 0);
      if (whole[word] && !isWord(text, from, i + 1)) continue;
      const exact = compare[word];
      if (
        exact === undefined ||
        text
          .slice(from, i + 1)
          .toLowerCase()
          .replace(/[\t\n]/g, ' ') === exact
      )
        on(word, from, i + 1);
    }
  }
}

const isUpper = (c: number): boolean => c >= 65 && c <= 90;
const isLower = (c: number): boolean => c >= 97 && c <= 122;

/** Whether what stands there is a word by itself, also in `customer_ssn`, `ssnNumber` and `SSNs`, but not in a longer word. */
export function isWord(text: string, from: number, to: number): boolean {
  const last = text.charCodeAt(to - 1);
  if (isLetter(last) && to < text.length) {
    let after = text.charCodeAt(to);
    // A plural, if no more letters follow.
    if ((after === 115 || after === 83) && !isLetter(text.charCodeAt(to + 1))) after = 32;
    if (isLetter(after) && !(isLower(last) && isUpper(after))) return false;
  }
  if (from === 0) return true;
  const first = text.charCodeAt(from);
  const before = text.charCodeAt(from - 1);
  if (!isLetter(first) && !isDigit(first)) return true;
  return (!isLetter(before) && !isDigit(before)) || (isLower(before) && isUpper(first));
}
