import { html, type Html } from '#kernel/html.ts';
import type { Id } from '#kernel/id.ts';
import type { Letter } from './letter.ts';
import type { Mail } from './mailer.ts';

/** Mail clients know no stylesheet of ours, so the design tokens stand here by value: ground, surface, line, text-1, text-2, text-3, accent. */
const look = {
  ground: '#f2f5f2',
  surface: '#fdfefd',
  line: '#dce1dd',
  text1: '#18201e',
  text2: '#444e4b',
  text3: '#5e6763',
  accent: '#066174',
  font: "'Atkinson Hyperlegible Next', ui-sans-serif, system-ui, 'Segoe UI', sans-serif",
} as const;

/** One line without what could end a header or hide in one: controls, line and paragraph separators, bidi marks, zero-width characters. */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
    .slice(0, 180);

export type Addressed = { id: Id<'msg'>; to: string; name: string; orgName: string; origin: string };

/** The mail itself: plain text, and the same in a small HTML part. */
export function composeMail(l: Letter, a: Addressed): Mail {
  const url = a.origin + l.look.path;
  const foot = `${oneLine(a.orgName)} on Gatehouse (${a.origin}). ${l.foot ?? 'This mail decides nothing and needs no answer; whoever opens the link is asked who they are.'}`;
  const says = l.says.map(oneParagraph);
  return {
    id: a.id,
    to: a.to,
    name: oneLine(a.name),
    subject: oneLine(l.subject),
    text: [...says, `${l.look.label}:\n${url}`, `--\n${foot}`].join('\n\n') + '\n',
    html: page(l, says, url, foot).text,
  };
}

const oneParagraph = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim();

const page = (l: Letter, says: readonly string[], url: string, foot: string): Html => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${oneLine(l.subject)}</title></head>
<body style="margin:0;padding:24px;background:${look.ground};font:14px/20px ${look.font};color:${look.text1}">
<div style="max-width:560px;margin:0 auto;padding:24px;background:${look.surface};border:1px solid ${look.line};border-radius:6px">
<h1 style="margin:0 0 16px;font-size:18px;line-height:24px;font-weight:600">${oneLine(l.subject)}</h1>
${says.map((s) => html`<p style="margin:0 0 12px;color:${look.text2}">${s}</p>`)}
<p style="margin:16px 0 0"><a href="${url}" style="color:${look.accent}">${l.look.label}</a></p>
</div>
<p style="max-width:560px;margin:16px auto 0;font-size:12px;line-height:16px;color:${look.text3}">${foot}</p>
</body></html>
`;
