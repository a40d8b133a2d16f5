const notAscii = /[\u0080-\u{10FFFF}]/gu;
const invisible = /^[\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]$/u;
const digit = /^\p{Nd}$/u;

/** The value of a decimal digit of any script: digits of a script stand in a row of ten that begins with its zero (Unicode 4.6). */
function digitOf(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  let zero = point;
  while (point - zero < 9 && digit.test(String.fromCodePoint(zero - 1))) zero--;
  // Mathematical digits are five rows of ten without a gap; NFKC has made them ASCII before we come here.
  return String((point - zero) % 10);
}

function foldChar(char: string): string {
  if (invisible.test(char)) return '';
  if (/^\p{Zs}$/u.test(char)) return ' ';
  if (/^[\p{Pd}\u2212\u00AD\u2043]$/u.test(char)) return '-';
  if (/^[\u00B7\u2022\u2024\u2027\u30FB\uFF0E\u3002]$/u.test(char)) return '.';
  const plain = char.normalize('NFKC');
  if (/^[\u0020-\u007E]$/u.test(plain)) return plain;
  return digit.test(char) ? digitOf(char) : char;
}

const folded = new Map<string, string>();
/** Far more than the characters of any text that people write; a text made to fill the memory empties it instead. */
const MAX_FOLDED = 20_000;

/**
 * Text as detectors see it: digits of any script and width are ASCII, spaces and dashes of every kind are ` ` and `-`, and what nobody can see
 * (zero-width characters, soft hyphens, variation selectors, combining marks) is gone. One character at a time, so it is linear and never longer.
 */
export function fold(text: string): string {
  return text.replace(notAscii, (char) => {
    let to = folded.get(char);
    if (to === undefined) {
      if (folded.size >= MAX_FOLDED) folded.clear();
      to = foldChar(char);
      folded.set(char, to);
    }
    return to;
  });
}
