import type { Context } from 'hono';
import type { Problem } from './problem.ts';
import { status } from './problem.ts';
import { visible } from './visible.ts';

/** Text that is HTML already. Made only by `html`, which escapes everything else. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Text from others, made safe and honest: HTML is escaped, and characters that reorder or hide text are printed by their code point,
 * so that a client's name cannot show as another's (design language §6).
 */
export const escape = (s: string): string => visible(s).replace(/[&<>"']/g, (c) => escapes[c] ?? c);

type Part = Html | string | number | undefined | false | readonly Part[];

const shown = (p: Part): string => {
  if (p === undefined || p === false) return '';
  if (p instanceof Html) return p.text;
  return typeof p === 'object' ? p.map(shown).join('') : escape(String(p));
};

/** HTML with everything put into it escaped. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html =>
  new Html(strings.reduce((all, s, i) => all + shown(parts[i - 1]) + s));

const arch = (size: number, path: string): Html =>
  new Html(
    `<svg width="${size}" height="${size}" viewBox="0 0 16 16" fill="currentColor" fill-rule="evenodd" aria-hidden="true"><path d="${path}"/></svg>`,
  );
const half =
  'M1 15V8a7 7 0 0 1 14 0v7h-2V9h-2v2.5l-1 2-1-2V9H7v2.5l-1 2-1-2V9H3v6zM3.1 7H5V4a5 5 0 0 0-1.9 3zM7 7h2V3.1a5 5 0 0 0-2 0zm4 0h1.9A5 5 0 0 0 11 4z';
const down =
  'M1 15V8a7 7 0 0 1 14 0v7h-2v-2h-2v2H9v-2H7v2H5v-2H3v2zM3.1 7H5V4a5 5 0 0 0-1.9 3zM7 7h2V3.1a5 5 0 0 0-2 0zm4 0h1.9A5 5 0 0 0 11 4zM3 9v2h2V9zm4 0v2h2V9zm4 0v2h2V9z';
/** The mark: half raised in the header, down on a page that refuses. */
export const mark = { brand: arch(20, half), open: arch(48, half), refused: arch(48, down) };

export type Page = {
  title: string;
  body: Html;
  /** Name in the header; the organization's where it is known. */
  name?: string;
  foot?: string;
  status?: number;
  /** Style sheets beside the common one. */
  styles?: readonly string[];
  /** Scripts of our own origin that the page runs. Absent, as nearly everywhere: the page may run none. */
  scripts?: readonly string[];
  /** Further form-action sources of the CSP, e.g. the origin of a redirect URI. */
  formAction?: readonly string[];
};

/** A whole page: no script but where it names its own, no frame, no referrer to others, nothing from elsewhere. */
export function render(p: Page): Response {
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${p.title} · Gatehouse</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/gatehouse.css" />
        ${(p.styles ?? []).map((s) => html`<link rel="stylesheet" href="${s}" />`)}
        ${(p.scripts ?? []).map((s) => html`<script src="${s}" defer></script>`)}
      </head>
      <body>
        <header class="top">${mark.brand}${p.name ?? 'Gatehouse'}</header>
        <main>${p.body}</main>
        <footer>${p.foot ?? ''}</footer>
      </body>
    </html> `.text;
  return new Response(text, {
    status: p.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; ${p.scripts ? "script-src 'self'; connect-src 'self'; " : ''}form-action ${["'self'", ...(p.formAction ?? [])].join(' ')}; frame-ancestors 'none'; base-uri 'none'`,
      // Our own forms must show where they come from (the gate compares Origin); other sites learn nothing.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    },
  });
}

/** A clause of a problem as a heading: problems are written to be joined, pages to be read. */
export const heading = (clause: string): string => clause.slice(0, 1).toUpperCase() + clause.slice(1);
/** And as a sentence. */
export const sentence = (clause: string): string => `${heading(clause)}${/[.?)]$/.test(clause) ? '' : '.'}`;

/** What to do next, as a sentence in which the pages that it names are links: whoever reads it is in a browser. */
export const nextStep = (fix: string): Html =>
  html`${sentence(fix)
    .split(/(\/sign-in|\/connections)\b/)
    .map((part, i) => (i % 2 === 1 ? html`<a class="path" href="${part}">${part}</a>` : part))}`;

/** The dialect of doors that people see: a refusal is a page with what happened, what to do and the number to quote. */
export const htmlDialect = (_c: Context, p: Problem, request: string): Response =>
  render({
    title: 'Refused',
    status: status[p.kind],
    body: html`${mark.refused}
      <h1>${heading(p.says)}</h1>
      ${p.fix && html`<p>${nextStep(p.fix)}</p>`}
      <section class="box">
        <h2>Whoever runs this deployment finds it by this number</h2>
        <code class="id">${request}</code>
        <p class="note"><code>${p.code}</code></p>
      </section>`,
  });
