/** One line of a printed definition, and the place in the definition that it is about (RFC 6901). */
export type Line = { at: string; text: string };
/** A line on either side; a side is absent where there is nothing. */
export type Pair = { before?: Line & { n: number }; now?: Line & { n: number }; same: boolean };

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** JSON as people read it, line by line. A short list stays on one. */
export function printed(value: unknown, at: string): Line[] {
  const out: Line[] = [];
  const walk = (v: unknown, place: string, indent: string, head: string, tail: string): void => {
    const flat = JSON.stringify(v) ?? 'null';
    const small = flat.length <= 60 && !Object.values(isRecord(v) ? v : {}).some((x) => typeof x === 'object');
    const plainList = Array.isArray(v) && flat.length <= 60 && v.every((x) => typeof x !== 'object');
    if (typeof v !== 'object' || v === null || plainList || (isRecord(v) && small && head !== '')) {
      const text = isRecord(v) && Object.keys(v).length > 0 ? `{ ${inner(v)} }` : flat.replaceAll('","', '", "');
      out.push({ at: place, text: `${indent}${head}${text}${tail}` });
      return;
    }
    const [open, close] = Array.isArray(v) ? ['[', ']'] : ['{', '}'];
    out.push({ at: place, text: `${indent}${head}${open}` });
    const all: [string, unknown][] = Array.isArray(v) ? v.map((x, i) => [String(i), x]) : Object.entries(v);
    all.forEach(([key, x], i) =>
      walk(
        x,
        `${place}/${escape(key)}`,
        `${indent}  `,
        Array.isArray(v) ? '' : `${JSON.stringify(key)}: `,
        i === all.length - 1 ? '' : ',',
      ),
    );
    out.push({ at: place, text: `${indent}${close}${tail}` });
  };
  walk(value, at, '', '', '');
  return out;
}

const inner = (v: Record<string, unknown>): string =>
  Object.entries(v)
    .map(([k, x]) => `${JSON.stringify(k)}: ${JSON.stringify(x)}`)
    .join(', ');

/** More than this is shown as two texts: all of one gone, all of the other new. */
const MAX_CELLS = 1_000_000;

/** Two texts side by side: lines of both stand beside each other, what was taken out beside what came in. */
export function sideBySide(before: readonly Line[], now: readonly Line[]): Pair[] {
  const ops = operations(
    before.map((l) => l.text),
    now.map((l) => l.text),
  );
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  let gone: (Line & { n: number })[] = [];
  let come: (Line & { n: number })[] = [];
  const flush = (): void => {
    for (let k = 0; k < Math.max(gone.length, come.length); k++) {
      const [b, n] = [gone[k], come[k]];
      pairs.push({ ...(b ? { before: b } : {}), ...(n ? { now: n } : {}), same: false });
    }
    [gone, come] = [[], []];
  };
  for (const op of ops) {
    const [b, n] = [before[i], now[j]];
    if (op === '=' && b && n) {
      flush();
      pairs.push({ before: { ...b, n: ++i }, now: { ...n, n: ++j }, same: true });
    } else if (op === '-' && b) gone.push({ ...b, n: ++i });
    else if (op === '+' && n) come.push({ ...n, n: ++j });
  }
  flush();
  return pairs;
}

function operations(a: readonly string[], b: readonly string[]): ('=' | '-' | '+')[] {
  if (a.length * b.length > MAX_CELLS) return [...a.map(() => '-' as const), ...b.map(() => '+' as const)];
  const wide = b.length + 1;
  const common = new Uint32Array((a.length + 1) * wide);
  const of = (i: number, j: number): number => common[i * wide + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * wide + j] = a[i] === b[j] ? of(i + 1, j + 1) + 1 : Math.max(of(i + 1, j), of(i, j + 1));
  const out: ('=' | '-' | '+')[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push('=');
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || of(i + 1, j) >= of(i, j + 1))) {
      out.push('-');
      i++;
    } else {
      out.push('+');
      j++;
    }
  }
  return out;
}
