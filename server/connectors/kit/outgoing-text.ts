// Text that an agent sends out can carry what it has read: in an address behind other words, or in a picture that is fetched as soon as somebody
// looks. Nothing here judges what is said; it makes sure that a reader sees where everything leads, and that nothing is fetched by looking.

/** What goes out, and what was made visible in it. */
export type OutgoingText = { text: string; madeVisible: number };

/**
 * Markdown in which every address that leads elsewhere is to be seen, and no picture is fetched from elsewhere. `ownHosts` are the
 * organization's: a name stands for itself and for the names under it. Blocks of code stay as they are; that a renderer takes the same lines for
 * code is made sure by letting no HTML begin outside of them.
 */
export function visibleMarkdown(markdown: string, ownHosts: readonly string[]): OutgoingText {
  let madeVisible = 0;
  const seen = (): void => {
    madeVisible++;
  };
  const text = pieces(markdown.replace(/\r\n?/g, '\n'))
    .map((p) => (p.code ? p.text : visiblePiece(p.text, ownHosts, seen)))
    .join('\n');
  return { text, madeVisible };
}

/**
 * Text of other people for a model to read, whose client may show what it passes on: the sign of a picture is taken apart, so that nobody fetches
 * anything by looking. For text that is written back as it was read, this is not the place.
 */
export const withoutPictures = (text: string): string =>
  text.replaceAll('![', '! [').replace(/<(?=(?:img|image|picture|source|video|svg)\b)/gi, '< ');

/** Whether an address is of the organization's own, beyond doubt. */
export function isOwn(address: string, ownHosts: readonly string[]): boolean {
  // What a renderer unescapes before it parses could become another address.
  if (/[\\&\s\u0000-\u001f]/.test(address.replaceAll('&amp;', '')) || !/^https:\/\/[^/]/i.test(address)) return false;
  const url = URL.parse(address);
  if (!url || url.username !== '' || url.password !== '') return false;
  const host = url.hostname.replace(/\.$/, '');
  return ownHosts.some((own) => host === own.toLowerCase() || host.endsWith(`.${own.toLowerCase()}`));
}

/**
 * A link as a reader must see it: the words alone where they say where it leads or it leads to the organization's own, else the words and the
 * address.
 */
export function visibleLink(
  words: string,
  address: string,
  ownHosts: readonly string[],
): { words: string; also?: string } {
  const said = words.replace(/[*_~`\\]/g, '').trim();
  if (said === address || sameAddress(said, address)) return { words };
  if (isOwn(address, ownHosts) && !looksLikeAddress(said)) return { words };
  return { words, also: shownAddress(address) };
}

/** An address as text that no markup can be hidden in. */
export function shownAddress(address: string): string {
  const url = URL.parse(address.trim());
  const plain = url ? url.href : address.trim();
  return plain.replace(
    /[\s\u0000-\u001f\u007f()<>[\]|`"'\\*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

const sameAddress = (words: string, address: string): boolean => {
  const named = URL.parse(/^[a-z][a-z0-9+.-]*:/i.test(words) ? words : `https://${words}`);
  const led = URL.parse(address);
  return (
    named !== null &&
    led !== null &&
    looksLikeAddress(words) &&
    named.username === '' &&
    led.username === '' &&
    named.host === led.host &&
    named.pathname.replace(/\/$/, '') === led.pathname.replace(/\/$/, '') &&
    named.search === led.search &&
    named.hash === led.hash
  );
};

const looksLikeAddress = (words: string): boolean =>
  /[a-z][a-z0-9+.-]*:\/\/|\bwww\.|[\p{L}\p{N}-]\.[\p{L}]{2,}(?:[/:?#\s]|$)/iu.test(words);

/** Addresses that lead nowhere else: a place on the same page or beside it, written so plainly that nothing can be in it. */
const beside = (address: string): boolean => !address.startsWith('//') && /^[A-Za-z0-9_./#?=~%-]*$/.test(address);

type Piece = { code: boolean; text: string };

/** Lines, and blocks of code between fences that begin in the first column; every other fence is looked at as text. */
function pieces(markdown: string): Piece[] {
  const all: Piece[] = [];
  let text: string[] = [];
  let code: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    if (fence !== undefined) {
      code.push(line);
      const [end] = /^(?:`{3,}|~{3,})(?=[ \t]*$)/.exec(line) ?? [];
      if (end !== undefined && end[0] === fence[0] && end.length >= fence.length) {
        all.push({ code: true, text: code.join('\n') });
        [fence, code] = [undefined, []];
      }
      continue;
    }
    const [begin] = /^(?:`{3,}(?=[^`]*$)|~{3,})/.exec(line) ?? [];
    if (begin === undefined) text.push(line);
    else {
      if (text.length > 0) all.push({ code: false, text: text.join('\n') });
      [text, fence, code] = [[], begin, [line]];
    }
  }
  // A block that nothing ends is code to the end (CommonMark §4.5); not every renderer thinks so.
  if (fence !== undefined) text = code;
  if (text.length > 0) all.push({ code: false, text: text.join('\n') });
  return all;
}

/** `(address "title")` after the words; the address may be in angle brackets or have one pair of brackets in it. */
const target = String.raw`\(\s{0,9}(?:<([^<>\n]{0,2000})>|((?:[^\s()<>]|\([^\s()<>]{0,500}\)){0,2000}))(?:\s{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'|\([^()]{0,500}\)))?\s{0,9}\)`;
const image = new RegExp(String.raw`!\[((?:\\.|[^\]\\]){0,500})\]${target}`, 'gs');
const link = new RegExp(String.raw`\[((?:\\.|[^\]\\[]){0,1000})\]${target}`, 'gs');
const html =
  /<(?=\/?(?:a|area|audio|base|body|button|details|embed|form|frame|frameset|iframe|image|img|input|link|math|meta|object|picture|pre|script|source|style|svg|table|td|textarea|th|title|track|video|xmp)\b|[!?])/gi;
/** HTML that begins a line begins a block, in which Markdown is read by other rules. An address in brackets is none. */
const htmlBlock = /^([ \t>*+\-\d.)]*)<(?=[a-z/!?])(?![a-z][a-z0-9+.-]{1,31}:)/gim;

const MAX_LINKS_IN_LINKS = 10;

// Stand for the two signs of a picture or link that stays, so that all others of these signs can be taken for what was not understood.
const bang = '\u{f0000}';
const joint = '\u{f0001}';

/** INVARIANT (understood or broken): a picture or link that stays was read by us; the signs of every other are taken apart. */
function visiblePiece(text: string, ownHosts: readonly string[], seen: () => void): string {
  const noted = (instead: string): string => {
    seen();
    return instead;
  };
  let now = text
    .replaceAll(bang, '')
    .replaceAll(joint, '')
    .replace(htmlBlock, (_, before: string) => noted(`${before}&lt;`))
    .replace(html, () => noted('&lt;'))
    .replace(image, (whole: string, alt: string, a: string | undefined, b: string | undefined) => {
      const address = a ?? b ?? '';
      if (beside(address) || isOwn(address, ownHosts))
        return whole.replace('!', bang).replace(`[${alt}](`, `[${alt}]${joint}(`);
      return noted(`picture ${alt === '' ? '' : `"${alt.replace(/[[\]!\\]/g, '')}" `}at \`${shownAddress(address)}\``);
    })
    .replace(/!(?=\[)/g, () => noted('\\!'));
  // Links in the words of links: from the inside out. Nobody means deeper ones, and what is left of them is taken apart below.
  for (let before = '', pass = 0; before !== now && pass < MAX_LINKS_IN_LINKS; pass++) {
    before = now;
    now = before.replace(link, (whole: string, words: string, a: string | undefined, b: string | undefined) => {
      const address = a ?? b ?? '';
      const { also } = beside(address) ? { also: undefined } : visibleLink(words, address, ownHosts);
      return also === undefined ? whole.replace(`[${words}](`, `[${words}]${joint}(`) : noted(`${words} (${also})`);
    });
  }
  return now
    .replaceAll('](', () => noted('] ('))
    .replaceAll(']:', () => noted(']\\:'))
    .replaceAll(bang, '!')
    .replaceAll(joint, '');
}
