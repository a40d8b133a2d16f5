/** Words that are looked for all at once (Aho and Corasick 1975): one step per character, however many words there are. In any case of letters. */
export type Keywords = {
  /** Steps from state to state: `next[state * WIDTH + class]`. States from `firstEnd` on end at least one word. */
  next: Uint32Array;
  classes: Uint8Array;
  firstEnd: number;
  /** The words that end in a state, by number; the longest first. */
  ends: readonly (readonly number[])[];
  lengths: readonly number[];
};

/** Different characters that words may have; more share classes, and whoever is told of a word looks at the text itself. */
const WIDTH = 64;

type Node = { next: Map<number, Node>; fail: Node | undefined; words: number[]; state: number };
const node = (): Node => ({ next: new Map(), fail: undefined, words: [], state: 0 });

/** Builds the automaton. Words are folded text (fold.ts); `ends` gives their index here. */
export function keywordsOf(words: readonly string[]): Keywords {
  const classes = new Uint8Array(0x10000);
  let used = 0;
  const classOf = (char: string): number => {
    const both = [char.toLowerCase(), char.toUpperCase()].filter((c) => c.length === 1).map((c) => c.charCodeAt(0));
    const given = both.map((c) => classes[c] ?? 0).find((k) => k > 0);
    const k = given ?? 1 + (used++ % (WIDTH - 1));
    for (const c of both) classes[c] = k;
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
  };
}

/** Tells of every word in folded text, overlapping ones too, in the order of their ends. */
export function eachKeyword(k: Keywords, text: string, on: (word: number, from: number, to: number) => void): void {
  const { next, classes, firstEnd } = k;
  let row = 0;
  for (let i = 0; i < text.length; i++) {
    row = next[row + (classes[text.charCodeAt(i)] ?? 0)] ?? 0;
    if (row < firstEnd) continue;
    for (const word of k.ends[row / WIDTH] ?? []) on(word, i + 1 - (k.lengths[word] ?? 0), i + 1);
  }
}
