import { withoutEntities } from './html-entities.ts';
import type { TextOut } from './text-out.ts';

/** Elements whose content nobody reads. */
const raw = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'title',
  'svg',
  'math',
  'object',
  'iframe',
  'textarea',
]);
const blocks = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);
/** Blocks with an empty line around them. */
const apart = new Set('blockquote dl figure h1 h2 h3 h4 h5 h6 ol p pre table ul'.split(' '));
const voids = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
/** What a reader of the page would not see is what a stranger hides in it for a model. */
const hides =
  /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|mso-hide\s*:\s*all)/i;

const MAX_LISTS = 32;
const MAX_LINK = 500;

/** Text with as many line breaks between its parts as the page has, and one blank where there are some. */
class Lines {
  readonly #out: TextOut;
  #breaks = 0;
  #blank = false;
  #begun = false;

  constructor(out: TextOut) {
    this.#out = out;
  }

  break(lines: number): void {
    this.#breaks = Math.max(this.#breaks, lines);
    this.#blank = false;
  }

  text(text: string, kept = false): void {
    if (kept) return this.#put(text);
    const one = text.replace(/[\s\u00a0]+/g, ' ');
    if (one === ' ' || one === '') {
      this.#blank ||= one === ' ';
      return;
    }
    this.#blank ||= one.startsWith(' ');
    this.#put(one.trim());
    this.#blank = one.endsWith(' ');
  }

  #put(text: string): void {
    if (this.#begun && this.#breaks > 0) this.#out.add('\n'.repeat(this.#breaks));
    else if (this.#blank && this.#begun) this.#out.add(' ');
    this.#out.add(text);
    this.#breaks = 0;
    this.#blank = false;
    this.#begun = true;
  }

  /** Whether the next text begins a line. */
  get fresh(): boolean {
    return !this.#begun || this.#breaks > 0;
  }
}

const tagBegin = /<(\/?)([A-Za-z][A-Za-z0-9:-]*)/y;
/** More attributes than any program writes. */
const MAX_QUOTED = 500;

/** Where a tag ends that begins before; undefined: it does not end before the next one begins, so it is none. */
function tagEnd(html: string, from: number): number | undefined {
  const mark = /[<>"']/g;
  mark.lastIndex = from;
  for (let quoted = 0; quoted < MAX_QUOTED;) {
    const m = mark.exec(html);
    if (!m || m[0] === '<') return undefined;
    if (m[0] === '>') return m.index;
    // A quote begins a value only behind a sign of equality; anywhere else it is a character of a name.
    if (!/=\s{0,20}$/.test(html.slice(Math.max(0, m.index - 21), m.index))) continue;
    const close = html.indexOf(m[0], m.index + 1);
    if (close < 0) return undefined;
    quoted++;
    mark.lastIndex = close + 1;
  }
  return undefined;
}

/**
 * HTML as text: headings, lists and rows of tables as Markdown writes them, a link's address behind its text, a picture's description in place of
 * the picture. Nothing is fetched. Says what a reader of the page would not have seen and was left out. `cells`: what is in a cell is one line.
 */
export function htmlToText(html: string, out: TextOut, cells = false): { notes: string[] } {
  const lines = new Lines(out);
  const lists: { ordered: boolean; count: number }[] = [];
  const links: { href: string; text: string }[] = [];
  let hidden: { name: string; depth: number } | undefined;
  let anyHidden = false;
  let pre = 0;
  let row = 0;
  let inCell = 0;
  let at = 0;

  const say = (text: string): void => {
    if (hidden) {
      anyHidden ||= text.trim() !== '';
      return;
    }
    const last = links.at(-1);
    if (last && last.text.length < MAX_LINK) last.text += text;
    lines.text(text, pre > 0 && text.trim() !== '');
  };
  const breaks = (n: number): void => {
    if (cells && inCell > 0) say(' ');
    else lines.break(n);
  };

  while (at < html.length && !out.full) {
    const next = html.indexOf('<', at);
    if (next !== at) say(withoutEntities(html.slice(at, next < 0 ? undefined : next)));
    if (next < 0) break;
    if (html.startsWith('<!--', next)) {
      const end = html.indexOf('-->', next + 4);
      at = end < 0 ? html.length : end + 3;
      continue;
    }
    if (html[next + 1] === '!' || html[next + 1] === '?') {
      const end = html.indexOf('>', next);
      at = end < 0 ? html.length : end + 1;
      continue;
    }
    tagBegin.lastIndex = next;
    const m = tagBegin.exec(html);
    const end = m?.[2] === undefined ? undefined : tagEnd(html, tagBegin.lastIndex);
    if (!m?.[2] || end === undefined) {
      say('<');
      at = next + 1;
      continue;
    }
    at = end + 1;
    const closes = m[1] === '/';
    const name = m[2].toLowerCase();
    const attributes = html.slice(next + m[0].length, end);
    if (hidden) {
      if (name === hidden.name && !voids.has(name) && !attributes.endsWith('/')) hidden.depth += closes ? -1 : 1;
      if (hidden.depth === 0) hidden = undefined;
      continue;
    }
    if (!closes && raw.has(name)) {
      if (!attributes.endsWith('/')) at = endOf(html, name, at);
      continue;
    }
    if (!closes && !voids.has(name) && isHidden(attributes)) {
      hidden = { name, depth: 1 };
      continue;
    }
    if (blocks.has(name)) breaks(apart.has(name) && !(lists.length > 1 && (name === 'ul' || name === 'ol')) ? 2 : 1);
    switch (name) {
      case 'br':
        breaks(1);
        break;
      case 'pre':
        pre = Math.max(0, pre + (closes ? -1 : 1));
        break;
      case 'h1':
      case 'h2':
      case 'h3':
      case 'h4':
      case 'h5':
      case 'h6':
        if (!closes) lines.text(`${'#'.repeat(Number(name[1]))} `, true);
        break;
      case 'ul':
      case 'ol':
        if (closes) lists.pop();
        else if (lists.length < MAX_LISTS) lists.push({ ordered: name === 'ol', count: 0 });
        break;
      case 'li':
        if (!closes) {
          const list = lists.at(-1);
          if (list) list.count++;
          lines.text(`${'  '.repeat(Math.max(0, lists.length - 1))}${list?.ordered ? `${list.count}. ` : '- '}`, true);
        }
        break;
      case 'tr':
        row = 0;
        break;
      case 'td':
      case 'th':
        inCell = Math.max(0, inCell + (closes ? -1 : 1));
        if (!closes && row++ > 0 && (cells || !lines.fresh)) lines.text(' | ');
        break;
      case 'img': {
        const alt = withoutEntities(attributeOf(attributes, 'alt') ?? '').trim();
        if (alt !== '') say(` [picture: ${alt.slice(0, 300)}] `);
        break;
      }
      case 'a':
        if (!closes) {
          if (links.length < MAX_LISTS)
            links.push({ href: withoutEntities(attributeOf(attributes, 'href') ?? '').trim(), text: '' });
        } else {
          const link = links.pop();
          if (
            link &&
            /^(?:https?|mailto):/i.test(link.href) &&
            link.text.trim() !== '' &&
            bare(link.href) !== bare(link.text.trim())
          )
            say(` <${link.href.length > MAX_LINK ? `${link.href.slice(0, MAX_LINK)}…` : link.href}>`);
        }
        break;
    }
  }
  return { notes: anyHidden ? ['text that the page hides from its readers was left out'] : [] };
}

/** An address without what people leave out of it. */
const bare = (address: string): string => address.replace(/^(?:https?:\/\/|mailto:)/i, '').replace(/\/$/, '');

function endOf(html: string, name: string, from: number): number {
  const close = new RegExp(`</${name}[\\s/>]`, 'gi');
  close.lastIndex = from;
  if (!close.exec(html)) return html.length;
  const end = html.indexOf('>', close.lastIndex - 1);
  return end < 0 ? html.length : end + 1;
}

const attributePattern = (name: string): RegExp =>
  new RegExp(`(?:^|[\\s"'])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i');
const patterns: Readonly<Record<'href' | 'alt' | 'style', RegExp>> = {
  href: attributePattern('href'),
  alt: attributePattern('alt'),
  style: attributePattern('style'),
};

function attributeOf(attributes: string, name: 'href' | 'alt' | 'style'): string | undefined {
  const m = patterns[name].exec(attributes);
  return m ? (m[1] ?? m[2] ?? m[3]) : undefined;
}

const isHidden = (attributes: string): boolean =>
  attributes !== '' &&
  (/(?:^|\s)hidden(?=[\s/=]|$)/i.test(attributes.replace(/"[^"]*"|'[^']*'/g, '""')) ||
    hides.test(attributeOf(attributes, 'style') ?? ''));
