import { z } from 'zod';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { Channel, channelName, findChannel, listChannels, outOfBounds, sharedOutside } from './channels.ts';
import { Message, messageLines, timeOf } from './messages.ts';
import { findPerson, personName } from './people.ts';
import { slackSettings } from './settings.ts';
import { NextCursor, slack } from './slack-api.ts';

const ChannelArg = z
  .string()
  .min(1)
  .max(100)
  .describe('The channel, by id (C0123ABCDEF) or by name (#general). Names are looked up; ids are sure.');
const Ts = z
  .string()
  .regex(/^\d{1,12}\.\d{1,6}$/, 'expected a ts like 1700000000.000100')
  .describe('Id of a message as another tool shows it, like 1700000000.000100');
const Cursor = z.string().min(1).max(1000).optional().describe('From the answer before, for the next page');
const Time = z.iso.datetime({ offset: true }).optional();

const seconds = (time: string | undefined): string | undefined =>
  time === undefined ? undefined : (Date.parse(time) / 1000).toFixed(6);

/** Said before what people of other organizations can have written. */
const outside = (c: Channel): string =>
  sharedOutside(c) ? ' (shared with another organization: outsiders read and write here)' : '';

export const listChannelsTool = builtinTool({
  name: 'list_channels',
  title: 'List channels',
  description:
    'Channels that this account may see, with ids, topics and numbers of members; 200 a page. Archived channels are left out. Channels shared with other organizations are marked.',
  input: z.strictObject({
    name_contains: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe('Only channels of this page whose name has this in it'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [],
  scopes: ['channels:read', 'groups:read'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { name_contains, cursor }) {
    const s = slackSettings(call.settings);
    const page = await listChannels(call, s, cursor);
    const wanted = page.channels.filter(
      (c) =>
        outOfBounds(c, s) === undefined &&
        (name_contains === undefined || c.name?.toLowerCase().includes(name_contains.toLowerCase())),
    );
    const lines = wanted.map((c) => {
      const about = oneLine([c.topic?.value, c.purpose?.value].find((t) => t !== undefined && t !== '') ?? '');
      return `${channelName(c)} ${c.id}${c.is_private ? ', private' : ''}${outside(c)}${c.num_members === undefined ? '' : `, ${c.num_members} members`}${about === '' ? '' : `: ${about}`}`;
    });
    if (lines.length === 0)
      lines.push(page.next === undefined ? 'no such channels' : 'none on this page; there are more pages');
    return textAnswer(lines, {
      channels: wanted.map((c) => ({ id: c.id, name: c.name, shared_outside: sharedOutside(c) })),
      ...(page.next === undefined ? {} : { cursor: page.next }),
    });
  },
});

const Page = z.looseObject({
  messages: z.array(Message),
  has_more: z.boolean().optional(),
  response_metadata: NextCursor,
});

async function page(
  call: BuiltinCall,
  method: 'conversations.history' | 'conversations.replies',
  channel: Channel,
  args: Record<string, string | number | boolean | undefined>,
) {
  const got = await slack(call, method, { channel: channel.id, ...args }, Page);
  // History comes newest first, a thread oldest first; both are read from the top.
  const messages = method === 'conversations.history' ? got.messages.toReversed() : got.messages;
  const lines = await messageLines(call, messages);
  if (lines.length === 0) lines.push('no messages');
  const more = got.response_metadata;
  return textAnswer(
    [
      `${channelName(channel)} ${channel.id}${outside(channel)}; times are UTC`,
      ...lines,
      ...(more === undefined ? [] : ['(there are more; ask again with the cursor)']),
    ],
    {
      channel: channel.id,
      messages: messages.map((m) => ({ ts: m.ts, user: m.user, ...(m.thread_ts ? { thread_ts: m.thread_ts } : {}) })),
      ...(more === undefined ? {} : { cursor: more }),
    },
    { ask: 'ask with a smaller limit' },
  );
}

export const readChannelTool = builtinTool({
  name: 'read_channel',
  title: 'Read a channel',
  description:
    'Messages of one channel, newest page first and within the page from old to new; replies in threads are not among them (read_thread). At most 100 a page.',
  input: z.strictObject({
    channel: ChannelArg,
    limit: z.int().min(1).max(100).optional().describe('Messages a page; default 50'),
    oldest: Time.describe('Only messages after this time (ISO 8601 with zone)'),
    latest: Time.describe('Only messages before this time (ISO 8601 with zone)'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'channel', at: '/channel' }],
  scopes: ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { channel, limit, oldest, latest, cursor }) {
    return page(call, 'conversations.history', await findChannel(call, channel), {
      limit: limit ?? 50,
      oldest: seconds(oldest),
      latest: seconds(latest),
      cursor,
    });
  },
});

export const readThreadTool = builtinTool({
  name: 'read_thread',
  title: 'Read a thread',
  description: 'A message and its replies, from old to new; at most 200 a page.',
  input: z.strictObject({
    channel: ChannelArg,
    thread_ts: Ts.describe('ts of the message that began the thread'),
    limit: z.int().min(1).max(200).optional().describe('Messages a page; default 100'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'channel', at: '/channel' }],
  scopes: ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { channel, thread_ts, limit, cursor }) {
    return page(call, 'conversations.replies', await findChannel(call, channel), {
      ts: thread_ts,
      limit: limit ?? 100,
      cursor,
    });
  },
});

const Match = Message.extend({ channel: Channel, permalink: z.string().optional() });

export const searchMessagesTool = builtinTool({
  name: 'search_messages',
  title: 'Search messages',
  description:
    "Messages that the person may see, by words and by Slack's own modifiers (from:@name, in:#channel, before:2026-01-31, has:link). Only with a person's own connection: Slack does not let apps search.",
  input: z.strictObject({
    query: z.string().min(1).max(500).describe('Words to look for, with modifiers if wanted'),
    sort: z.enum(['score', 'timestamp']).optional().describe('Best first (default) or newest first'),
    count: z.int().min(1).max(50).optional().describe('Messages a page; default 20'),
    page: z.int().min(1).max(100).optional().describe('Which page; default 1'),
  }),
  class: 'read',
  projection: [{ kind: 'text', at: '/query' }],
  scopes: ['search:read'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { query, sort, count, page }) {
    if (call.actAs !== 'person')
      throw new VendorRefusal(
        403,
        'not_allowed_token_type',
        'Slack lets only persons search, not an app: with this connector, read channels instead, or ask for one that acts as the person',
      );
    const s = slackSettings(call.settings);
    const { messages } = await slack(
      call,
      'search.messages',
      {
        query,
        sort: sort ?? 'score',
        sort_dir: 'desc',
        count: count ?? 20,
        page: page ?? 1,
        highlight: false,
        team_id: s.workspace,
      },
      z.looseObject({
        messages: z.looseObject({
          matches: z.array(Match),
          total: z.number(),
          paging: z.looseObject({ page: z.number(), pages: z.number() }).optional(),
        }),
      }),
    );
    // The person sees more than this connector may: what is closed to it is left out here, whatever the query says.
    const open = messages.matches.filter((m) => outOfBounds(m.channel, s) === undefined);
    const lines = await messageLines(call, open);
    const withheld = messages.matches.length - open.length;
    const { pages = 1 } = messages.paging ?? {};
    return textAnswer(
      [
        ...(lines.length === 0 ? ['nothing found that is open to this connector'] : []),
        ...open.map(
          (m, i) => `${channelName(m.channel)} ${m.channel.id}${outside(m.channel)}, ts ${m.ts}\n${lines[i] ?? ''}`,
        ),
        ...(withheld > 0
          ? [`(${withheld} of this page withheld: they are in conversations that are closed to this connector)`]
          : []),
        `(page ${page ?? 1} of ${pages}; times are UTC)`,
      ],
      {
        messages: open.map((m) => ({ channel: m.channel.id, ts: m.ts, ...(m.permalink ? { link: m.permalink } : {}) })),
        withheld,
        page: page ?? 1,
        pages,
      },
      { ask: 'ask with a smaller count' },
    );
  },
});

export const userInfoTool = builtinTool({
  name: 'user_info',
  title: 'Show a person',
  description: 'Name, title, time zone and kind of account of one person, by the id that messages show.',
  input: z.strictObject({
    user: z
      .string()
      .regex(/^[UW][A-Z0-9]{5,30}$/, 'expected an id like U0123ABCDEF')
      .describe('Id of the person, like U0123ABCDEF'),
  }),
  class: 'read',
  projection: [],
  scopes: ['users:read'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { user }) {
    const p = await findPerson(call, user);
    const kind = p.deleted
      ? 'deactivated'
      : p.is_bot
        ? 'app'
        : p.is_stranger
          ? 'of another organization'
          : p.is_restricted || p.is_ultra_restricted
            ? 'guest'
            : 'member';
    const lines = [
      `${personName(p)} (${p.id}), ${kind}`,
      ...(p.profile?.title ? [`title: ${p.profile.title}`] : []),
      ...(p.profile?.email ? [`e-mail: ${p.profile.email}`] : []),
      ...(p.tz ? [`time zone: ${p.tz}`] : []),
      ...(p.profile?.status_text ? [`status: ${p.profile.status_text}`] : []),
    ];
    return textAnswer(lines.map(oneLine), { id: p.id, name: personName(p), kind });
  },
});

export { ChannelArg, Ts, timeOf };
