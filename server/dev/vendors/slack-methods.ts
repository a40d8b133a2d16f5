// The methods of Slack's Web API that Gatehouse uses, as docs.slack.dev/reference/methods describes each: scopes, token types, errors, cursors.
// More lenient than the real one in this: rate limits are given by tests, not counted.
import { channelObject, messageObject, type SlackChannel, type SlackWorld } from './slack-world.ts';

export type SlackToken = {
  token: string;
  kind: 'user' | 'bot';
  user: string;
  team: string;
  scopes: string[];
  /** On the stand-in's clock, in seconds. */
  ends?: number;
  ended?: 'token_revoked' | 'account_inactive';
  /** Installed for a whole Enterprise organization: methods that list need to know a workspace. */
  orgWide?: true;
};

export type MethodCall = { world: SlackWorld; token: SlackToken; args: URLSearchParams; now: number };
type Answer = Record<string, unknown>;
export type Method = {
  /** Any of them; by the kind of channel where it is a record. */
  scopes: readonly string[] | Readonly<Record<SlackChannel['kind'], string>>;
  persons?: true;
  /** Needs `team_id` with a token of a whole organization. */
  ofTeam?: true;
  run(c: MethodCall): Answer;
};

/** A no from the middle of a method. */
export class SaidNo extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(String(answer['error']));
    this.answer = answer;
  }
}
export const no = (error: string, more: Answer = {}): Answer => ({ ok: false, error, ...more });
export const missing = (needed: string, t: SlackToken): Answer =>
  no('missing_scope', { needed, provided: t.scopes.join(',') });

const readScopes = { public: 'channels:read', private: 'groups:read', im: 'im:read', mpim: 'mpim:read' } as const;
const historyScopes = {
  public: 'channels:history',
  private: 'groups:history',
  im: 'im:history',
  mpim: 'mpim:history',
} as const;

/** A channel that this account may see, for a method that needs the scope of its kind. */
function channelOf(
  { world, token, args }: MethodCall,
  scopes: Readonly<Record<SlackChannel['kind'], string>>,
): SlackChannel {
  const c = world.channels.find((x) => x.id === args.get('channel'));
  if (!c || (c.kind !== 'public' && !c.members.includes(token.user))) throw new SaidNo(no('channel_not_found'));
  if (!token.scopes.includes(scopes[c.kind])) throw new SaidNo(missing(scopes[c.kind], token));
  return c;
}

function paged<T>(all: readonly T[], args: URLSearchParams): { page: T[]; more: boolean; next: string } {
  const cursor = args.get('cursor') ?? '';
  const at = cursor === '' ? 0 : Number(/^at:(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]);
  if (!Number.isInteger(at)) throw new SaidNo(no('invalid_cursor'));
  const limit = Math.min(Number(args.get('limit') ?? 100), 999);
  const more = at + limit < all.length;
  return {
    page: all.slice(at, at + limit),
    more,
    next: more ? Buffer.from(`at:${at + limit}`).toString('base64url') : '',
  };
}

function post(c: MethodCall): SlackChannel {
  const channel = c.world.channels.find((x) => x.id === c.args.get('channel'));
  if (!channel || (channel.kind !== 'public' && !channel.members.includes(c.token.user)))
    throw new SaidNo(no('channel_not_found'));
  if (channel.archived) throw new SaidNo(no('is_archived'));
  if (!channel.members.includes(c.token.user)) throw new SaidNo(no('not_in_channel'));
  const text = c.args.get('text') ?? '';
  if (text === '') throw new SaidNo(no('no_text'));
  if (text.length > 40_000) throw new SaidNo(no('msg_too_long'));
  // What Slack does by itself unless it is told not to.
  if (c.args.get('unfurl_links') !== 'false' || c.args.get('unfurl_media') !== 'false')
    c.world.fetched.push(...[...text.matchAll(/https?:\/\/[^\s<>|)]+/g)].map((m) => m[0]));
  const named = c.args.get('link_names') === 'true' || (c.args.get('parse') ?? 'none') === 'full';
  if (/<!(channel|here|everyone)/.test(text) || (named && /@(channel|here|everyone)\b/.test(text)))
    c.world.alarmed.push(channel.id);
  return channel;
}

export const methods: Readonly<Record<string, Method>> = {
  'auth.test': {
    scopes: [],
    run: ({ world, token }) => {
      const me = world.users.find((u) => u.id === token.user);
      return {
        ok: true,
        url: 'https://acme.slack.com/',
        team: token.team === world.team.id ? world.team.name : token.team,
        user: me?.name,
        team_id: token.team,
        user_id: token.user,
        ...(world.team.enterprise && token.team === world.team.id ? { enterprise_id: world.team.enterprise } : {}),
        ...(token.kind === 'bot' ? { bot_id: 'B0GATE0001' } : {}),
        is_enterprise_install: token.orgWide === true,
      };
    },
  },
  'auth.revoke': {
    scopes: [],
    run: ({ token }) => {
      token.ended = 'token_revoked';
      return { ok: true, revoked: true };
    },
  },
  'users.info': {
    scopes: ['users:read'],
    run: ({ world, token, args }) => {
      const u = world.users.find((x) => x.id === args.get('user'));
      if (!u) return no('user_not_found');
      return {
        ok: true,
        user: {
          id: u.id,
          team_id: u.team,
          name: u.name,
          real_name: u.real,
          deleted: false,
          is_bot: u.kind === 'bot',
          is_restricted: u.kind === 'guest',
          is_stranger: u.kind === 'stranger',
          tz: 'Europe/London',
          profile: {
            display_name: '',
            real_name: u.real,
            title: '',
            ...(token.scopes.includes('users:read.email') ? { email: u.email } : {}),
          },
        },
      };
    },
  },
  'conversations.list': {
    scopes: ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
    ofTeam: true,
    run: (c) => {
      const kinds = (c.args.get('types') ?? 'public_channel')
        .split(',')
        .map((t) => t.replace('_channel', '') as SlackChannel['kind']);
      for (const k of kinds) if (!c.token.scopes.includes(readScopes[k])) return missing(readScopes[k], c.token);
      const all = c.world.channels.filter(
        (x) =>
          kinds.includes(x.kind) &&
          (x.kind === 'public' || x.members.includes(c.token.user)) &&
          !(c.args.get('exclude_archived') === 'true' && x.archived),
      );
      const p = paged(all, c.args);
      return {
        ok: true,
        channels: p.page.map((x) => channelObject(x, c.token.user)),
        response_metadata: { next_cursor: p.next },
      };
    },
  },
  'conversations.info': {
    scopes: readScopes,
    run: (c) => {
      const channel = channelOf(c, readScopes);
      return { ok: true, channel: channelObject(channel, c.token.user) };
    },
  },
  'conversations.history': {
    scopes: historyScopes,
    run: (c) => {
      const channel = channelOf(c, historyScopes);
      if (c.token.kind === 'bot' && !channel.members.includes(c.token.user)) return no('not_in_channel');
      const [oldest, latest] = [Number(c.args.get('oldest') ?? 0), Number(c.args.get('latest') ?? Infinity)];
      const all = channel.messages
        .filter(
          (m) => (m.thread_ts === undefined || m.thread_ts === m.ts) && Number(m.ts) > oldest && Number(m.ts) < latest,
        )
        .toReversed();
      const p = paged(all, c.args);
      return {
        ok: true,
        messages: p.page.map((m) => messageObject(m, channel)),
        has_more: p.more,
        ...(p.more ? { response_metadata: { next_cursor: p.next } } : {}),
      };
    },
  },
  'conversations.replies': {
    scopes: historyScopes,
    run: (c) => {
      const channel = channelOf(c, historyScopes);
      const all = channel.messages.filter((m) => m.ts === c.args.get('ts') || m.thread_ts === c.args.get('ts'));
      if (all.length === 0) return no('thread_not_found');
      const p = paged(all, c.args);
      return {
        ok: true,
        messages: p.page.map((m) => messageObject(m, channel)),
        has_more: p.more,
        ...(p.more ? { response_metadata: { next_cursor: p.next } } : {}),
      };
    },
  },
  'search.messages': {
    scopes: ['search:read'],
    persons: true,
    ofTeam: true,
    run: ({ world, token, args }) => {
      const query = args.get('query') ?? '';
      if (query === '') return no('missing_argument');
      const within = /in:#?(\S+)/.exec(query)?.[1];
      const words = query
        .replace(/\b(in|from|before|after|has):\S+/g, '')
        .trim()
        .toLowerCase();
      const all = world.channels
        .filter(
          (c) => (c.kind === 'public' || c.members.includes(token.user)) && (within === undefined || c.name === within),
        )
        .flatMap((c) => c.messages.filter((m) => m.text.toLowerCase().includes(words)).map((m) => ({ c, m })));
      const count = Number(args.get('count') ?? 20);
      const page = Number(args.get('page') ?? 1);
      return {
        ok: true,
        query,
        messages: {
          total: all.length,
          paging: { count, total: all.length, page, pages: Math.ceil(all.length / count) },
          matches: all.slice((page - 1) * count, page * count).map(({ c, m }) => ({
            ...messageObject(m, c),
            channel: channelObject(c, token.user),
            permalink: `https://acme.slack.com/archives/${c.id}/p${m.ts.replace('.', '')}`,
          })),
        },
      };
    },
  },
  'chat.postMessage': {
    scopes: ['chat:write'],
    run: (c) => {
      const channel = post(c);
      const ts = `${c.now}.${String(channel.messages.length + 1).padStart(6, '0')}`;
      const thread = c.args.get('thread_ts');
      if (thread !== null && !channel.messages.some((m) => m.ts === thread)) return no('thread_not_found');
      channel.messages.push({
        ts,
        user: c.token.user,
        text: c.args.get('text') ?? '',
        ...(thread === null ? {} : { thread_ts: thread }),
      });
      return { ok: true, channel: channel.id, ts, message: { type: 'message', ts, text: c.args.get('text') } };
    },
  },
  'chat.scheduleMessage': {
    scopes: ['chat:write'],
    run: (c) => {
      const at = Number(c.args.get('post_at'));
      if (!Number.isInteger(at)) return no('invalid_time');
      if (at <= c.now) return no('time_in_past');
      if (at > c.now + 120 * 86_400) return no('time_too_far');
      const channel = post(c);
      c.world.scheduled.push({ channel: channel.id, text: c.args.get('text') ?? '', post_at: at });
      return { ok: true, channel: channel.id, scheduled_message_id: `Q${c.world.scheduled.length}`, post_at: at };
    },
  },
  'canvases.create': {
    scopes: ['canvases:write'],
    run: ({ world, args }) => {
      const content = JSON.parse(args.get('document_content') ?? '{"type":"markdown","markdown":""}') as {
        type: string;
        markdown: string;
      };
      if (content.type !== 'markdown') return no('invalid_arguments');
      const id = `F0CANVAS${world.canvases.length + 1}`;
      const channel = args.get('channel_id');
      world.canvases.push({
        id,
        title: args.get('title') ?? '',
        markdown: content.markdown,
        ...(channel === null ? {} : { channel }),
      });
      return { ok: true, canvas_id: id };
    },
  },
};
