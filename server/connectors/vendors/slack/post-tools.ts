import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { visibleMarkdown } from '../../kit/outgoing-text.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { channelName, findChannel, sharedOutside, type Channel } from './channels.ts';
import { outgoingText, quiet, type Outgoing } from './outgoing.ts';
import { ChannelArg, Ts } from './read-tools.ts';
import { slackSettings } from './settings.ts';
import { slack } from './slack-api.ts';

/** What Slack advises for one message; it cuts at ten times as much. */
const MAX_TEXT = 4000;

const Text = z
  .string()
  .min(1)
  .max(MAX_TEXT)
  .describe(
    "The message, at most 4,000 characters, in Slack's markup: *bold*, _italic_, `code`, <https://address|words>, <@U0123ABCDEF>. No pictures; nothing of an address is fetched.",
  );
const NotifyEveryone = z
  .boolean()
  .optional()
  .describe(
    'Whether <!channel>, <!here>, <!everyone> and groups in the text notify everybody; else they are plain words',
  );

/** The channel as one that may be posted to. */
async function openForPosting(call: BuiltinCall, named: string): Promise<Channel> {
  const channel = await findChannel(call, named);
  if (channel.is_im || channel.is_mpim)
    throw new Problem('forbidden', 'connectors/slack-direct-message', {
      says: 'this connector posts to channels, not to direct messages',
      fix: 'name a channel',
    });
  if (sharedOutside(channel) && !slackSettings(call.settings).post_to_shared)
    throw new Problem('forbidden', 'connectors/slack-shared-channel', {
      says: `${channelName(channel)} is shared with another organization (Slack Connect), and this connector posts only inside`,
      fix: 'an administrator can set post_to_shared of the Slack connector',
    });
  return channel;
}

const written = (call: BuiltinCall, text: string, notifyEveryone: boolean | undefined): Outgoing =>
  outgoingText(text, {
    ownHosts: slackSettings(call.settings).own_hosts ?? [],
    notifyEveryone: notifyEveryone === true,
  });

const changes = (o: Outgoing): string[] => [
  ...(o.madeVisible > 0 ? [`(${o.madeVisible} links were posted with their addresses in sight)`] : []),
  ...(o.silenced > 0
    ? [`(${o.silenced} mentions of everybody were posted as plain words; set notify_everyone to notify)`]
    : []),
];

export const postMessageTool = builtinTool({
  name: 'post_message',
  title: 'Post a message',
  description:
    'Posts to a channel, or answers in a thread, as the connected account. Everybody in the channel sees it at once. Links are shown with their addresses; nothing is unfurled.',
  input: z.strictObject({
    channel: ChannelArg,
    text: Text,
    thread_ts: Ts.optional().describe('To answer in a thread: ts of the message that began it'),
    notify_everyone: NotifyEveryone,
  }),
  class: 'destructive',
  projection: [
    { kind: 'channel', at: '/channel' },
    { kind: 'text', at: '/text' },
  ],
  scopes: ['chat:write'],
  brings: [],
  outward: true,
  async run(call, args) {
    const channel = await openForPosting(call, args.channel);
    const text = written(call, args.text, args.notify_everyone);
    const posted = await slack(
      call,
      'chat.postMessage',
      { channel: channel.id, text: text.text, thread_ts: args.thread_ts, ...quiet },
      z.looseObject({ ts: z.string(), channel: z.string() }),
      'writes',
    );
    return textAnswer(
      [`posted in ${channelName(channel)}${sharedOutside(channel) ? ', which outsiders read' : ''}`, ...changes(text)],
      {
        channel: posted.channel,
        ts: posted.ts,
      },
    );
  },
});

export const scheduleMessageTool = builtinTool({
  name: 'schedule_message',
  title: 'Schedule a message',
  description: 'As post_message, but at a time in the next 120 days. It can be taken back in Slack until then.',
  input: z.strictObject({
    channel: ChannelArg,
    text: Text,
    post_at: z.iso.datetime({ offset: true }).describe('When, in ISO 8601 with zone'),
    thread_ts: Ts.optional().describe('To answer in a thread: ts of the message that began it'),
    notify_everyone: NotifyEveryone,
  }),
  class: 'destructive',
  projection: [
    { kind: 'channel', at: '/channel' },
    { kind: 'text', at: '/text' },
  ],
  scopes: ['chat:write'],
  brings: [],
  outward: true,
  async run(call, args) {
    const channel = await openForPosting(call, args.channel);
    const text = written(call, args.text, args.notify_everyone);
    const planned = await slack(
      call,
      'chat.scheduleMessage',
      {
        channel: channel.id,
        text: text.text,
        post_at: Math.floor(Date.parse(args.post_at) / 1000),
        thread_ts: args.thread_ts,
        ...quiet,
      },
      z.looseObject({ scheduled_message_id: z.string(), channel: z.string(), post_at: z.number() }),
      'writes',
    );
    return textAnswer(
      [
        `will be posted in ${channelName(channel)} at ${new Date(planned.post_at * 1000).toISOString()}`,
        ...changes(text),
      ],
      {
        channel: planned.channel,
        scheduled_message_id: planned.scheduled_message_id,
      },
    );
  },
});

export const createCanvasTool = builtinTool({
  name: 'create_canvas',
  title: 'Create a canvas',
  description:
    'A document in Slack, in Markdown. With a channel it becomes a tab there, and everybody in the channel sees it; without, only the connected account does.',
  input: z.strictObject({
    title: z.string().min(1).max(255).describe('Title of the canvas'),
    markdown: z
      .string()
      .max(50_000)
      .describe('Content in Markdown: headings, lists, tables, code, links. Pictures become their addresses.'),
    channel: ChannelArg.optional(),
  }),
  class: 'write',
  projection: [
    { kind: 'channel', at: '/channel' },
    { kind: 'text', at: '/title' },
    { kind: 'text', at: '/markdown' },
  ],
  scopes: ['canvases:write'],
  brings: [],
  outward: true,
  async run(call, { title, markdown, channel: named }) {
    const channel = named === undefined ? undefined : await openForPosting(call, named);
    const text = visibleMarkdown(markdown, slackSettings(call.settings).own_hosts ?? []);
    const made = await slack(
      call,
      'canvases.create',
      { title, channel_id: channel?.id, document_content: JSON.stringify({ type: 'markdown', markdown: text.text }) },
      z.looseObject({ canvas_id: z.string() }),
      'writes',
    );
    return textAnswer(
      [
        `created canvas ${made.canvas_id}${channel ? ` in ${channelName(channel)}` : ''}`,
        ...(text.madeVisible > 0
          ? [`(${text.madeVisible} links and pictures were written with their addresses in sight)`]
          : []),
      ],
      { canvas_id: made.canvas_id },
    );
  },
});
