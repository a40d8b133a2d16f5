// Each way of writing a character as something else, and each sign that formats, begins with one of ten signs and goes on with one of a few
// characters. Texts have few of these pairs, so it is much faster to look for them first than to run the patterns over everything.
const goesOn: readonly [sign: string, next: RegExp][] = [
  ['%', /[0-9A-Fa-f]/],
  ['&', /[#A-Za-z]/],
  ['\\', /[ux\-_.@+*#]/],
  ['<', /[!/A-Za-z]/],
  ['=', /[\r\n]/],
  ['*', /[^]/],
  ['`', /[^]/],
  ['~', /~/],
  ['_', /_/],
  ['+', /\d/],
];

const ASCII = 128;
/** What stands for whatever is not ASCII: DEL, which folded text does not have. */
const OTHER = ASCII - 1;
const signs = new Set(goesOn.map(([sign]) => sign.charCodeAt(0)));
const begins = new Uint8Array(ASCII * ASCII);
for (const [sign, next] of goesOn)
  for (let c = 0; c < ASCII; c++) if (next.test(String.fromCharCode(c))) begins[sign.charCodeAt(0) * ASCII + c] = 1;

export const isSign = (c: number): boolean => signs.has(c);
/** Whether something may be written differently where this sign stands before that character. */
export const beginsChange = (sign: number, next: number): boolean =>
  begins[sign * ASCII + (next < ASCII ? next : OTHER)] === 1;

/**
 * Every match of the sticky pattern at these places, as if it were looked for everywhere. INVARIANT (first characters): each of its matches begins
 * with a sign and goes on as that sign does here.
 */
export function* matchesAt(signs: readonly number[], pattern: RegExp, text: string): Generator<RegExpExecArray> {
  let to = 0;
  for (const at of signs) {
    if (at < to) continue;
    pattern.lastIndex = at;
    const m = pattern.exec(text);
    if (!m) continue;
    to = at + m[0].length;
    yield m;
  }
}
