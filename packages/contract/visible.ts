/**
 * Characters that hide, reorder or replace other text: controls but tab and line feed, everything that Unicode calls format or ignorable (zero
 * width, tags, variation selectors, fillers), line separators that look like nothing, private use.
 */
const deceiving = /([\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Co}\u2800])\1*/gu;
const kept = new Set(['\t', '\n']);

/** One code point as people and standards write it. */
export const codePoint = (char: string): string =>
  `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * Text in which what nobody can see is printed by its code point, a run of more than three by its number. The selector that makes an emoji coloured
 * stays.
 */
export const visible = (text: string): string =>
  text.replace(deceiving, (run: string, c: string, at: number) => {
    if (kept.has(c)) return run;
    if (run === '\ufe0f' && /[\p{Extended_Pictographic}#*0-9]$/u.test(text.slice(Math.max(0, at - 2), at))) return run;
    const times = run.length / c.length;
    return times > 3 ? `[${codePoint(c)} ×${times}]` : `[${codePoint(c)}]`.repeat(times);
  });
