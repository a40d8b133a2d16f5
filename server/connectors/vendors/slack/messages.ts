import { z } from 'zod';
import { visible } from '#kernel/visible.ts';
import { oneLine } from '../../kit/one-line.ts';
import { withoutPictures } from '../../kit/outgoing-text.ts';
import { namesOf } from './people.ts';
import { maybe, type SlackCall } from './slack-api.ts';

export const Message = z.looseObject({
  ts: z.string(),
  user: maybe(z.string()),
  username: maybe(z.string()),
  bot_profile: maybe(z.looseObject({ name: maybe(z.string()) })),
  text: maybe(z.string()),
  subtype: maybe(z.string()),
  thread_ts: maybe(z.string()),
  reply_count: maybe(z.number()),
  edited: maybe(z.looseObject({})),
  files: maybe(
    z.array(
      z.looseObject({
        id: z.string(),
        name: maybe(z.string()),
        mimetype: maybe(z.string()),
        size: maybe(z.number()),
      }),
    ),
  ),
  attachments: maybe(
    z.array(
      z.looseObject({
        fallback: maybe(z.string()),
        title: maybe(z.string()),
        text: maybe(z.string()),
        from_url: maybe(z.string()),
      }),
    ),
  ),
  reactions: maybe(z.array(z.looseObject({ name: z.string(), count: z.number() }))),
});
export type Message = z.infer<typeof Message>;

/** Messages as lines that a model can read: when, who, what. Names stand for ids, and links show where they lead. */
export async function messageLines(call: SlackCall, messages: readonly Message[]): Promise<string[]> {
  const people = messages.flatMap((m) => [
    ...(m.user === undefined ? [] : [m.user]),
    ...[...(m.text ?? '').matchAll(/<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g)].map((x) => x[1] ?? ''),
  ]);
  const names = await namesOf(call, people);
  return messages.map((m) => {
    const who = (m.user && (names.get(m.user) ?? m.user)) ?? m.bot_profile?.name ?? m.username ?? 'somebody';
    const parts = [
      plainText(m.text ?? '', names),
      ...(m.attachments ?? []).map((a) =>
        plainText([a.title, a.text ?? a.fallback, a.from_url].filter((t) => t).join(' - '), names),
      ),
      ...(m.files ?? []).map(
        (f) => `[file ${oneLine(f.name ?? f.id)}, ${f.mimetype ?? 'unknown type'}, ${f.size ?? '?'} bytes]`,
      ),
    ].filter((t) => t !== '');
    const marks = [
      ...(m.user === undefined ? ['an app'] : []),
      ...(m.edited ? ['edited'] : []),
      ...(m.reply_count ? [`${m.reply_count} replies in thread ${m.ts}`] : []),
      ...(m.reactions ?? []).map((r) => `:${r.name}: ${r.count}`),
    ];
    return `${timeOf(m.ts)} ${oneLine(who)}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}: ${visible(withoutPictures(parts.join('\n')).replaceAll('\n', '\n  '))}`;
  });
}

/** A message's id is its time in seconds. */
export const timeOf = (ts: string): string => {
  const seconds = Number(ts);
  return Number.isFinite(seconds) && seconds < 1e11
    ? new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
    : ts;
};

/** Slack's own markup as plain text (https://docs.slack.dev/messaging/formatting-message-text). */
export function plainText(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replace(/<([^<>]*)>/g, (_, inside: string) => {
      const [what = '', ...more] = inside.split('|');
      const label = more.join('|');
      if (what.startsWith('@')) return `@${names.get(what.slice(1)) ?? (label === '' ? what.slice(1) : label)}`;
      if (what.startsWith('#')) return `#${label === '' ? what.slice(1) : label}`;
      if (what.startsWith('!')) return label === '' ? `@${what.slice(1).split('^')[0] ?? ''}` : label;
      return label === '' || label === what ? what : `${label} (${what})`;
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
