import { z } from 'zod';
import { shownAddress, visibleLink } from '../../kit/outgoing-text.ts';

/** A run of text as Notion gives it. */
export const RichText = z.looseObject({
  plain_text: z.string(),
  href: z.string().nullish(),
  annotations: z.looseObject({ code: z.boolean().optional() }).optional(),
});
export type RichText = z.infer<typeof RichText>;

/** Text in which every link shows where it leads; nothing is fetched. */
export const plainOf = (runs: readonly RichText[]): string =>
  runs
    .map((r) => {
      const text = r.annotations?.code ? `\`${r.plain_text}\`` : r.plain_text;
      return r.href && !r.plain_text.includes(r.href) ? `${text} (${r.href})` : text;
    })
    .join('');

/** A run of text as Notion takes it. */
export type Run = {
  type: 'text';
  text: { content: string; link?: { url: string } };
  annotations?: { bold?: true; italic?: true; strikethrough?: true; code?: true };
};

/** Notion takes no longer content of a run, and no longer list of runs. */
const MAX_CONTENT = 2000;
export const MAX_RUNS = 100;

export type Writing = { ownHosts: readonly string[]; seen: () => void };

const inline =
  /`([^`\n]+)`|\*\*([^*\n]+)\*\*|~~([^~\n]+)~~|\*([^*\s][^*\n]*)\*|(!?)\[([^\]\n]{0,1000})\]\(\s{0,9}<?([^)\s>]{1,2000})>?(?:\s{1,9}"[^"\n]{0,500}")?\s{0,9}\)|<(https?:\/\/[^\s<>]+)>|(https?:\/\/[^\s<>()]+)/g;

/**
 * Markdown of one line as runs. Notion reads no markup in them, so an address is a link only where we make it one: with the address in sight, or
 * to the organization's own. A picture becomes its address in words.
 */
export function runsOf(markdown: string, w: Writing): Run[] {
  const runs: Run[] = [];
  const add = (
    content: string,
    more: Omit<Run['text'], 'content'> & { annotations?: Run['annotations'] } = {},
  ): void => {
    const { annotations, ...text } = more;
    for (const part of parts(content))
      runs.push({ type: 'text', text: { content: part, ...text }, ...(annotations ? { annotations } : {}) });
  };
  let at = 0;
  for (const m of markdown.matchAll(inline)) {
    add(markdown.slice(at, m.index));
    at = m.index + m[0].length;
    const [, code, bold, struck, italic, picture, words, address, angled, bare] = m;
    if (code !== undefined) add(code, { annotations: { code: true } });
    else if (bold !== undefined) add(bold, { annotations: { bold: true } });
    else if (struck !== undefined) add(struck, { annotations: { strikethrough: true } });
    else if (italic !== undefined) add(italic, { annotations: { italic: true } });
    else if (address !== undefined) link(words ?? '', address, picture === '!');
    else {
      const url = linkable(angled ?? bare ?? '');
      // As it leads and not as it looks: a host in other letters is shown in plain ones.
      add(url ?? angled ?? bare ?? '', url === undefined ? {} : { link: { url } });
    }
  }
  add(markdown.slice(at));
  return runs;

  function link(words: string, address: string, picture: boolean): void {
    const url = linkable(address);
    const { also } = picture ? { also: shownAddress(address) } : visibleLink(words, address, w.ownHosts);
    if (picture) add(`picture ${words === '' ? '' : `"${words}" `}at `);
    else if (also === undefined && url !== undefined) return add(words, { link: { url } });
    else add(`${words} (`);
    w.seen();
    const shown = also ?? shownAddress(address);
    // A picture's address is no link: somebody's reader may show links as what they lead to.
    add(shown, picture || url === undefined ? {} : { link: { url: shown } });
    if (!picture) add(')');
  }
}

/** An address that Notion may make a link of. */
function linkable(address: string): string | undefined {
  const url = /^(?:https?:\/\/|mailto:)/i.test(address) ? URL.parse(address) : null;
  return url && url.username === '' && url.password === '' && url.href.length <= MAX_CONTENT ? url.href : undefined;
}

/** Text of which nothing is markup: titles, properties and code. */
export const textRuns = (text: string): Run[] => parts(text).map((content) => ({ type: 'text', text: { content } }));

/** Text in pieces that fit, cut between two characters and not in the middle of one. */
function parts(text: string): string[] {
  const all: string[] = [];
  for (let i = 0; i < text.length;) {
    let end = Math.min(i + MAX_CONTENT, text.length);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1] ?? '')) end--;
    all.push(text.slice(i, end));
    i = end;
  }
  return all;
}
