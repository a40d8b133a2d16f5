import { shownAddress, visibleLink, type OutgoingText } from '../../kit/outgoing-text.ts';

/** What is sent with every message: Slack fetches no page and no picture for it, and takes no word of it for a mention. */
export const quiet = { unfurl_links: false, unfurl_media: false, parse: 'none', link_names: false } as const;

export type Outgoing = OutgoingText & {
  /** Mentions of everybody in it that were taken for plain words. */
  silenced: number;
};

/**
 * Text in Slack's markup as it may be posted. Every `<…>` is read by us and written anew: addresses are in sight, people and channels may be
 * named, everybody at once only where the caller says so; what is none of these is plain text. INVARIANT (nothing passes unread): no `<` of the
 * caller's is left as one.
 */
export function outgoingText(text: string, o: { ownHosts: readonly string[]; notifyEveryone: boolean }): Outgoing {
  let madeVisible = 0;
  let silenced = 0;
  const parts = text.split(/(<[^<>]*>)/);
  const written = parts.map((part, i) => {
    if (i % 2 === 0) return escaped(part);
    const inside = part.slice(1, -1);
    if (/^[@#][A-Z][A-Z0-9]{2,30}(\|[^|]*)?$/.test(inside)) return `<${inside.split('|')[0] ?? ''}>`;
    const all = /^!(channel|here|everyone)(\|.*)?$/.exec(inside);
    const group = /^!subteam\^([A-Z0-9]{3,30})(\|.*)?$/.exec(inside);
    if (all || group) {
      if (o.notifyEveryone) return all ? `<!${all[1] ?? ''}>` : `<!subteam^${group?.[1] ?? ''}>`;
      silenced++;
      return all ? `@${all[1] ?? ''}` : escaped(group?.[2]?.slice(1) ?? '@group');
    }
    // A date can have a link of its own; its words in plain are what it stands for.
    if (inside.startsWith('!date^')) return escaped(inside.slice(inside.indexOf('|') + 1));
    return address(inside, o.ownHosts, () => madeVisible++);
  });
  return { text: written.join(''), madeVisible, silenced };
}

function address(inside: string, ownHosts: readonly string[], seen: () => void): string {
  const at = inside.indexOf('|');
  const to = at < 0 ? inside : inside.slice(0, at);
  const words = at < 0 ? '' : inside.slice(at + 1).trim();
  const url = /^(?:https?:\/\/|mailto:)/i.test(to) ? URL.parse(to.replaceAll('&amp;', '&')) : null;
  if (!url || url.username !== '' || url.password !== '') return escaped(`<${inside}>`);
  const link = shownAddress(url.href).replaceAll('&', '&amp;');
  if (words === '') return `<${link}>`;
  if (visibleLink(words, url.href, ownHosts).also === undefined) return `<${link}|${escaped(words)}>`;
  seen();
  return `${escaped(words)} (<${link}>)`;
}

/** The three characters that Slack reads; what is written as an entity already stays one. */
const escaped = (text: string): string =>
  text
    .replace(/&(?!(?:amp|lt|gt);)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
