/**
 * Text as a model reads it, whatever it was dressed up as: compatibility forms are plain, nobody's characters are gone, white space is one
 * blank, letters are small. `skeleton` also has letters of other scripts that look like Latin ones as those; `layers` are texts that were
 * packed into it.
 */
export type PlainText = { text: string; skeleton: string; layers: readonly string[] };

/** Cyrillic, Greek, Armenian, Cherokee and other letters that most fonts draw as a Latin one (Unicode UTS 39, the ones that are drawn alike). */
const alike = new Map(
  Object.entries({
    а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', һ: 'h', і: 'i', ј: 'j', к: 'k', ӏ: 'l', м: 'm', н: 'h', о: 'o', р: 'p', ԛ: 'q', ѕ: 's', т: 't',
    у: 'y', ѵ: 'v', ѡ: 'w', х: 'x', ү: 'y', α: 'a', β: 'b', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x',
    γ: 'y', ω: 'w', ϲ: 'c', ϳ: 'j', օ: 'o', ո: 'n', ս: 'u', հ: 'h', ց: 'g', զ: 'q', ք: 'p', ı: 'i', ɑ: 'a', ɡ: 'g', ɩ: 'i', ʋ: 'v', ᴏ: 'o',
    ꭱ: 'e', ꭺ: 'a', ꮯ: 'c', ꮋ: 'h', ꮶ: 'k', ꮇ: 'm', ꮲ: 'p', ꭲ: 't', ꮤ: 'w', ꮓ: 'z', ꮪ: 's', ꭼ: 'e', ꭵ: 'i', ꮖ: 'l',
  }),
); // prettier-ignore

/** Whether a letter of another script is drawn like a Latin one; some are as capitals only. */
export const looksLatin = (char: string): boolean => alike.has(char.toLowerCase()) && !'вкмнт'.includes(char);

const plainOf = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\p{Cc}]/gu, ' ')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Co}]/gu, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();

const notAscii = /[^\u0000-\u007f]/;
const skeletonOf = (plain: string): string =>
  notAscii.test(plain)
    ? plain
        .normalize('NFD')
        .replace(/\p{M}/gu, '')
        .replace(/[^\u0000-\u007f]/gu, (c) => alike.get(c) ?? c)
    : plain;

/** Together; what is packed again inside is not unpacked. */
const MAX_UNPACKED = 64 * 1024;

/** Reads a text of a definition; linear in its length. */
export function plainText(raw: string): PlainText {
  const text = plainOf(raw);
  return { text, skeleton: skeletonOf(text), layers: unpacked(raw).map((t) => skeletonOf(plainOf(t))) };
}

function unpacked(raw: string): string[] {
  const out: string[] = [];
  let room = MAX_UNPACKED;
  const add = (t: string): void => {
    if (t.length > room || !readable(t)) return;
    room -= t.length;
    out.push(t);
  };
  for (const m of raw.matchAll(/[A-Za-z0-9+/_-]{24,}={0,2}/g)) add(Buffer.from(m[0], 'base64').toString('utf8'));
  for (const m of raw.matchAll(/(?:[0-9a-fA-F]{2}){12,}/g)) add(Buffer.from(m[0], 'hex').toString('utf8'));
  // Letters that stand by their number: &#105; &#x69; %69 \x69 \u0069 \u{69}
  const spelled = raw.replace(
    /&#(\d{1,7});|&#x([0-9a-f]{1,6});|%([0-9a-f]{2})|\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\u\{([0-9a-f]{1,6})\}/gi,
    (all, dec: string | undefined, ...hex: unknown[]) => {
      const h = hex.slice(0, 5).find((x) => typeof x === 'string');
      const point = dec === undefined ? Number.parseInt(String(h), 16) : Number(dec);
      return point <= 0x10ffff ? String.fromCodePoint(point) : all;
    },
  );
  if (spelled !== raw) add(spelled);
  // Tag characters are ASCII that no font draws.
  const tags = [...raw.matchAll(/[\u{e0020}-\u{e007e}]/gu)].map((m) =>
    String.fromCharCode((m[0].codePointAt(0) ?? 0) & 0x7f),
  );
  if (tags.length > 3) add(tags.join(''));
  return out;
}

/** Most of it is letters, digits and blanks, and it has more than one word: what random bytes never are. */
function readable(t: string): boolean {
  if (t.length < 8 || t.includes('\ufffd')) return false;
  const odd = t.replace(/[\p{L}\p{N}\p{P}\p{Zs}\s]/gu, '').length;
  return odd * 20 <= t.length && /\S\s+\S/u.test(t);
}
