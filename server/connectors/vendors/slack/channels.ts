import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { Settings } from '#vault/vendor-auth.ts';
import { maybe, NextCursor, slack, type SlackCall } from './slack-api.ts';
import { slackSettings, type SlackSettings } from './settings.ts';

export const Channel = z.looseObject({
  id: z.string(),
  name: maybe(z.string()),
  name_normalized: maybe(z.string()),
  is_private: maybe(z.boolean()),
  is_group: maybe(z.boolean()),
  is_im: maybe(z.boolean()),
  is_mpim: maybe(z.boolean()),
  is_archived: maybe(z.boolean()),
  is_member: maybe(z.boolean()),
  is_ext_shared: maybe(z.boolean()),
  is_pending_ext_shared: maybe(z.boolean()),
  num_members: maybe(z.number()),
  topic: maybe(z.looseObject({ value: z.string() })),
  purpose: maybe(z.looseObject({ value: z.string() })),
});
export type Channel = z.infer<typeof Channel>;

/** Pages of channels that are looked through for a name: 20 of 200. Above that, the id must be given. */
const MAX_NAME_PAGES = 20;
export const CHANNELS_A_PAGE = 200;

/** INVARIANT (unsaid is private): a channel is public only where Slack says that it is not private. */
const kindOf = (c: Channel): 'public' | 'private' | 'direct' => {
  if (c.is_im || c.is_mpim) return 'direct';
  return c.is_private === false && !c.is_group ? 'public' : 'private';
};

/** Whether people of other organizations are in it, or are invited. */
export const sharedOutside = (c: Channel): boolean => c.is_ext_shared === true || c.is_pending_ext_shared === true;

export const channelName = (c: Channel): string =>
  c.is_im ? 'a direct message' : c.is_mpim ? 'a group message' : `#${c.name ?? c.id}`;

/** Which kinds of conversation a connector lists. */
export const listedTypes = (s: SlackSettings): string =>
  ['public_channel', ...(s.private_channels ? ['private_channel'] : [])].join(',');

/** Why a channel is out of bounds, whatever the account may see; undefined: it is not. Said of its id and of its name, so that neither is a way around. */
export function outOfBounds(c: Channel, s: SlackSettings): string | undefined {
  const named = (list: readonly string[]): boolean =>
    list.some((entry) => {
      const e = entry.replace(/^#/, '').toLowerCase();
      return [c.id, c.name, c.name_normalized].some((n) => n?.toLowerCase() === e);
    });
  const kind = kindOf(c);
  if (kind === 'direct' && !s.direct_messages) return 'direct messages are not open to this connector';
  if (kind === 'private' && !s.private_channels) return 'private channels are not open to this connector';
  if (s.never_channels && named(s.never_channels)) return 'this channel is closed to this connector';
  if (s.only_channels && !named(s.only_channels))
    return 'this channel is not among those that are open to this connector';
  return undefined;
}

/**
 * The channel that a caller names, by id or by name. INVARIANT (every channel is judged): its kind and its other name are asked of Slack before
 * anything is read from it or written to it.
 */
export async function findChannel(call: SlackCall & { settings: Settings }, named: string): Promise<Channel> {
  const s = slackSettings(call.settings);
  const given = named.trim();
  const id = /^[CDG][A-Z0-9]{7,30}$/.test(given)
    ? given
    : (await byName(call, s, given.replace(/^#/, '').toLowerCase())).id;
  const { channel } = await slack(
    call,
    'conversations.info',
    { channel: id, include_num_members: false },
    z.looseObject({ channel: Channel }),
  );
  const why = outOfBounds(channel, s);
  if (why !== undefined)
    throw new Problem('forbidden', 'connectors/slack-channel-closed', {
      says: `${given} cannot be used: ${why}`,
      fix: 'an administrator can open it in the settings of the Slack connector',
    });
  return channel;
}

async function byName(call: SlackCall, s: SlackSettings, name: string): Promise<Channel> {
  const found: Channel[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await listChannels(call, s, cursor);
    found.push(
      ...page.channels.filter((c) => c.name?.toLowerCase() === name || c.name_normalized?.toLowerCase() === name),
    );
    cursor = page.next;
  } while (cursor !== undefined && ++pages < MAX_NAME_PAGES);
  const [one, ...more] = found;
  if (one && more.length === 0 && cursor === undefined) return one;
  throw new Problem(one ? 'conflict' : 'missing', 'connectors/slack-channel-name', {
    says: one
      ? more.length > 0
        ? `${found.length} channels are called #${name}: ${found.map((c) => c.id).join(', ')}`
        : `there are more channels than are looked through, so another may be called #${name} too`
      : `no channel that this account may see is called #${name}${cursor === undefined ? '' : ', among the first thousands that are looked through'}`,
    fix: 'give the id of the channel as list_channels shows it',
  });
}

export async function listChannels(
  call: SlackCall,
  s: SlackSettings,
  cursor: string | undefined,
  limit = CHANNELS_A_PAGE,
): Promise<{ channels: Channel[]; next: string | undefined }> {
  const page = await slack(
    call,
    'conversations.list',
    { types: listedTypes(s), exclude_archived: true, limit, cursor, team_id: s.workspace },
    z.looseObject({ channels: z.array(Channel), response_metadata: NextCursor }),
  );
  return { channels: page.channels, next: page.response_metadata };
}
