/**
 * Where the parts of a JSON text lie, so that a piece can be cut out and everything else stay byte for byte as it was. Works on text that
 * `parseJsonText` has accepted, and therefore need not judge it.
 */
export type Span = { from: number; to: number };

const space = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;

export function skipSpace(text: string, i: number): number {
  while (space(text.charCodeAt(i))) i++;
  return i;
}

/** The end of the value that begins at `i`. */
export function endOfValue(text: string, i: number): number {
  const c = text.charCodeAt(i);
  if (c === 0x22) return endOfString(text, i);
  if (c !== 0x7b && c !== 0x5b) {
    while (i < text.length && !isEnd(text.charCodeAt(i))) i++;
    return i;
  }
  let depth = 0;
  for (; i < text.length; i++) {
    const d = text.charCodeAt(i);
    if (d === 0x22) i = endOfString(text, i) - 1;
    else if (d === 0x7b || d === 0x5b) depth++;
    else if ((d === 0x7d || d === 0x5d) && --depth === 0) return i + 1;
  }
  return i;
}

const isEnd = (c: number): boolean => c === 0x2c || c === 0x7d || c === 0x5d || space(c);

function endOfString(text: string, i: number): number {
  for (i++; text.charCodeAt(i) !== 0x22 && i < text.length; i++) if (text.charCodeAt(i) === 0x5c) i++;
  return i + 1;
}

/** The members of the object at `at`, each from its name to the end of its value. */
export function members(text: string, at: Span): (Span & { name: unknown; value: Span })[] {
  const all: (Span & { name: unknown; value: Span })[] = [];
  for (let i = skipSpace(text, at.from + 1); i < at.to && text.charCodeAt(i) === 0x22;) {
    const end = endOfString(text, i);
    const from = skipSpace(text, skipSpace(text, end) + 1);
    const to = endOfValue(text, from);
    all.push({ from: i, to, name: JSON.parse(text.slice(i, end)), value: { from, to } });
    i = skipSpace(text, to);
    if (text.charCodeAt(i) === 0x2c) i = skipSpace(text, i + 1);
  }
  return all;
}

/** The value of `key` in the object at `at`. */
export const member = (text: string, at: Span, key: string): Span | undefined =>
  members(text, at).find((m) => m.name === key)?.value;

/** The elements of the array at `at`. */
export function elements(text: string, at: Span): Span[] {
  const all: Span[] = [];
  for (let i = skipSpace(text, at.from + 1); i < at.to - 1;) {
    const to = endOfValue(text, i);
    all.push({ from: i, to });
    i = skipSpace(text, to);
    if (text.charCodeAt(i) === 0x2c) i = skipSpace(text, i + 1);
  }
  return all;
}

/** The whole of a text that is one JSON value. */
export function whole(text: string): Span {
  const from = skipSpace(text, 0);
  return { from, to: endOfValue(text, from) };
}

/** The text with other text in these places; they do not overlap. Every other byte stays. */
export function spliced(text: string, cuts: { at: Span; with: string }[]): string {
  let out = '';
  let from = 0;
  for (const c of cuts.toSorted((a, b) => a.at.from - b.at.from)) {
    out += text.slice(from, c.at.from) + c.with;
    from = c.at.to;
  }
  return out + text.slice(from);
}
