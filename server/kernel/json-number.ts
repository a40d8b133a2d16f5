/** Sign, digits without zeros at either end, and the power of ten of the last one: the same for every way of writing one number. */
function parts(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return digits === ''
    ? `${sign}0`
    : `${sign}${digits}e${Number(exponent) - fraction.length + (all.length - digits.length)}`;
}

/**
 * The first number of a JSON text that JavaScript would not write as the text does (9007199254740993, 1e400, -0): what was decided on the value
 * would not be about the bytes. Of all ways to write what is read as one value exactly one number passes. The text has been parsed before. Linear.
 */
export function inexactNumber(text: string): string | undefined {
  // Nearly all texts have no number that long, and no exponent.
  if (!/\d(?:\.?\d){14}|[eE]|-0/.test(text)) return undefined;
  for (const [token] of text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g))
    if (parts(token) !== parts(String(Number(token)))) return token;
  return undefined;
}
