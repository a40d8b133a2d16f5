import { foldView } from './fold.ts';
import { matchesAt } from './signs.ts';
import type { Layer, View } from './view.ts';

/** What is replaced where; `layer` is what it was. */
type Edit = { from: number; to: number; put: string; layer: Layer };

const named = new Map(
  Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    nbsp: ' ',
    ensp: ' ',
    emsp: ' ',
    thinsp: ' ',
    shy: '',
    zwj: '',
    zwnj: '',
    hyphen: '-',
    dash: '-',
    ndash: '-',
    mdash: '-',
    minus: '-',
    period: '.',
    commat: '@',
    lowbar: '_',
    colon: ':',
    sol: '/',
    plus: '+',
    equals: '=',
    num: '#',
    Tab: '\t',
    NewLine: '\n',
    lpar: '(',
    rpar: ')',
  }),
);

// One alternative for each way of writing a character differently, and for each sign that formats text from inside a word or number.
const url = '(?:%[0-9A-Fa-f]{2})+';
const entity = '&(?:#\\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});?';
const escape = '\\\\(?:u[0-9A-Fa-f]{4}|u\\{[0-9A-Fa-f]{1,6}\\}|x[0-9A-Fa-f]{2})';
const soft = '=\\r?\\n';
const markup = '<!--[^<>]{0,200}-->|</?[A-Za-z][^<>]{0,200}>|\\*{1,3}|`{1,3}|~~|__|\\\\(?=[-_.@+*#])';
/** The patterns begin as signs.ts says. */
export const rewritten = new RegExp(`(${url})|(${entity})|(${escape})|(${soft})|(${markup})|(?<=\\d)\\+(?=\\d)`, 'y');
/** Whether there is anything of it that could matter: what formats only matters inside, between two letters or digits. */
export const mattering = new RegExp(
  `%[0-9A-Fa-f]{2}|&(?:#[0-9xX]|[A-Za-z]{2,8};)|\\\\[ux][0-9A-Fa-f{]|(?<=[A-Za-z0-9])(?:${soft}|(?:${markup}) ?(?:${markup})?[A-Za-z0-9])|(?<=\\d)\\+\\d`,
  'y',
);

/** Characters around a change that are looked at again. */
const NEAR = 256;

/**
 * The places of the view where characters are written as something else (URL, HTML and string escapes) or broken up by formatting, each with its
 * surroundings, as they read without it. What is not near a change is not repeated.
 */
export function unescaped(view: View, signs: readonly number[]): View[] {
  const { text } = view;
  if (matchesAt(signs, mattering, text).next().done) return [];
  const edits: Edit[] = [];
  for (const m of matchesAt(signs, rewritten, text)) {
    const e = editOf(m);
    if (e) edits.push(e);
  }
  const views: View[] = [];
  for (let i = 0; i < edits.length;) {
    let k = i + 1;
    while (k < edits.length && (edits[k]?.from ?? 0) - (edits[k - 1]?.to ?? 0) < 2 * NEAR) k++;
    const near = edits.slice(i, k);
    views.push(
      spliced(
        view,
        wordEdge(text, (near[0]?.from ?? 0) - NEAR, -1),
        wordEdge(text, (near.at(-1)?.to ?? 0) + NEAR, 1),
        near,
      ),
    );
    i = k;
  }
  return views;
}

/** The nearest end of a word in this direction, so that no number is cut; not farther than a word is long. */
function wordEdge(text: string, at: number, step: 1 | -1): number {
  if (at <= 0) return 0;
  if (at >= text.length) return text.length;
  for (let i = 0; i < 64 && at > 0 && at < text.length && /\S/.test(text.charAt(step < 0 ? at - 1 : at)); i++)
    at += step;
  return at;
}

function editOf(m: RegExpExecArray): Edit | undefined {
  const [whole, isUrl, isEntity, isEscape, isSoft, isMarkup] = m;
  const at = { from: m.index, to: m.index + whole.length };
  if (isUrl !== undefined) return { ...at, put: percent(isUrl), layer: 'url' };
  if (isEntity !== undefined) {
    const put = entityOf(isEntity);
    return put === undefined ? undefined : { ...at, put, layer: 'entities' };
  }
  if (isEscape !== undefined)
    return { ...at, put: point(Number.parseInt(isEscape.replace(/[^0-9A-Fa-f]/g, ''), 16)), layer: 'escapes' };
  if (isSoft !== undefined) return { ...at, put: '', layer: 'escapes' };
  if (isMarkup !== undefined) return { ...at, put: '', layer: 'markup' };
  return { ...at, put: ' ', layer: 'url' };
}

const point = (n: number): string =>
  n <= 0x10ffff && !(n >= 0xd800 && n <= 0xdfff) ? String.fromCodePoint(n) : '\uFFFD';

function entityOf(entity: string): string | undefined {
  const name = entity.replace(/^&|;$/g, '');
  if (name.startsWith('#x') || name.startsWith('#X')) return point(Number.parseInt(name.slice(2), 16));
  if (name.startsWith('#')) return point(Number(name.slice(1)));
  return entity.endsWith(';') ? named.get(name) : undefined;
}

/** Percent-encoded bytes: UTF-8, or one character each. */
const percent = (run: string): string => {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
  const text = bytes.toString();
  return text.includes('\uFFFD') ? bytes.toString('latin1') : text;
};

/** The view from `from` to `to` with these changes, folded again; each of its characters knows where it stood in the text as given. */
function spliced(view: View, from: number, to: number, edits: readonly Edit[]): View {
  let text = '';
  const length = edits.reduce((n, e) => n + e.put.length - (e.to - e.from), to - from);
  const origin = new Uint32Array(length + 1);
  let n = 0;
  let at = from;
  const keep = (end: number): void => {
    text += view.text.slice(at, end);
    for (; at < end; at++) origin[n++] = at;
  };
  const layers = new Set(view.layers);
  for (const e of edits) {
    keep(e.from);
    layers.add(e.layer);
    text += e.put;
    // Of a run of bytes, each character has its own three where all are ASCII.
    const each = e.put.length > 0 && (e.to - e.from) % e.put.length === 0 ? (e.to - e.from) / e.put.length : 0;
    for (let i = 0; i < e.put.length; i++) origin[n++] = e.from + i * each;
    at = e.to;
  }
  keep(to);
  origin[n] = to;
  return within(view, text, origin, [...layers]);
}

/** A view of a view: `origin` leads back into `view`, and is ours to change. */
function within(view: View, text: string, origin: Uint32Array, layers: readonly Layer[]): View {
  const folded = foldView(text, layers);
  if (view.run) return { text: folded.text, layers, run: view.run };
  const back = folded.origin?.map((there) => origin[there] ?? 0) ?? origin;
  const { origin: before } = view;
  if (before) for (let i = 0; i < back.length; i++) back[i] = before[back[i] ?? 0] ?? 0;
  return { text: folded.text, layers, origin: back };
}

/** Single characters with one sign between any two, as in `g h p _ A b …`: each such row without the signs. */
const row = /(?<![A-Za-z0-9])(?:[A-Za-z0-9_+/=.@-][ .\-_*|,]){14,}[A-Za-z0-9=](?![A-Za-z0-9])/g;
export function closedUp(view: View): View[] {
  return Array.from(view.text.matchAll(row), (m) => {
    const origin: number[] = [];
    let text = '';
    for (let i = 0; i < m[0].length; i += 2) {
      text += m[0].charAt(i);
      origin.push(m.index + i);
    }
    origin.push(m.index + m[0].length);
    return within(view, text, Uint32Array.from(origin), [...new Set([...view.layers, 'spaced' as const])]);
  });
}
