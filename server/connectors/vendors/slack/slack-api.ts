import { z } from 'zod';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';

/** What a call to Slack needs of a tool's call. */
export type SlackCall = Pick<BuiltinCall, 'vendor'>;

/**
 * Calls a method of the Web API and reads its answer. Arguments go as a form, which every method takes; what writes is sent once.
 */
export async function slack<S extends z.ZodType>(
  { vendor }: SlackCall,
  method: string,
  args: Readonly<Record<string, string | number | boolean | undefined>>,
  answer: S,
  kind: 'reads' | 'writes' = 'reads',
): Promise<z.output<S>> {
  const form: Record<string, string> = {};
  for (const [name, value] of Object.entries(args)) if (value !== undefined) form[name] = String(value);
  const got = await vendor.send({ method: 'POST', path: `/api/${method}`, form, safe: kind === 'reads' });
  const read = answer.safeParse(got.json());
  if (read.success) return read.data;
  throw new VendorRefusal(
    got.status,
    'unexpected_answer',
    `Slack answers ${method} in a form that is not documented: ${read.error.issues[0]?.path.join('.') ?? ''}`,
  );
}

/** A member that may be missing or null: of messages that were taken back and files that are gone, Slack leaves either. */
export const maybe = <S extends z.ZodType>(schema: S) => schema.nullish().transform((v) => v ?? undefined);

/** The cursor of the next page; Slack says "none" with an empty one. */
export const NextCursor = z
  .looseObject({ next_cursor: z.string().optional() })
  .optional()
  .transform((m) => (m?.next_cursor === '' ? undefined : m?.next_cursor));

const No = z.looseObject({
  ok: z.literal(false),
  error: z.string(),
  needed: z.string().optional(),
  provided: z.string().optional(),
});

/** Codes that mean that the token is not good (any more). */
const ended = new Set([
  'invalid_auth',
  'not_authed',
  'token_expired',
  'token_revoked',
  'account_inactive',
  'user_removed_from_team',
]);

/** Slack says no with status 200 and `ok: false`. */
export function readSlackError({ status, headers, body }: ErrorAnswer): VendorError | undefined {
  const no = No.safeParse(body);
  if (!no.success) return status < 300 ? undefined : {};
  const { error: code, needed, provided } = no.data;
  if (ended.has(code)) return { code, says: words[code], means: 'credential' };
  if (code === 'ratelimited' || code === 'rate_limited') {
    const after = Number(headers.get('retry-after'));
    return {
      code,
      says: 'this method may be called only so often each minute',
      means: 'throttled',
      ...(after > 0 ? { afterSeconds: after } : {}),
    };
  }
  if (code === 'missing_scope' || code === 'no_permission')
    return {
      code,
      says: `the app lacks the scope ${needed ?? '(not said which)'}; it has ${provided ?? 'none that Slack names'}. An administrator adds it to the Slack app, then the account is connected again`,
    };
  return { code, says: words[code] };
}

/** What a caller can do about it, where the code does not say it. */
const words: Readonly<Record<string, string>> = {
  token_expired: 'the token has expired',
  token_revoked: 'the token was revoked in Slack',
  account_inactive: 'the account or the app was deactivated in Slack',
  channel_not_found: 'no such channel, or one that this account may not see; list_channels shows those that it may',
  not_in_channel: 'this account is not a member of the channel; somebody there must invite it',
  is_archived: 'the channel is archived',
  thread_not_found: 'there is no such thread in this channel; take thread_ts as read_channel shows it',
  user_not_found: 'no such person; take the id as another tool shows it',
  user_not_visible: 'this account may not see that person',
  invalid_cursor: 'the cursor is not of this list; begin without one',
  restricted_action: 'a preference of the workspace does not let this account do that',
  restricted_action_read_only_channel: 'only some people may post in this channel',
  restricted_action_thread_only_channel: 'in this channel one may only answer in threads',
  msg_too_long: 'the text is too long for one message',
  no_text: 'there is no text',
  time_in_past: 'the time is in the past',
  time_too_far: 'Slack takes messages for the next 120 days',
  restricted_too_many: 'too many messages are scheduled for this channel around that time',
  not_allowed_token_type: 'Slack lets only persons do this, not an app',
  team_access_not_granted:
    'the app is not installed in that workspace; an owner of the Slack organization adds it there',
  missing_argument:
    'an argument is missing; in an organization with several workspaces, the connector needs the setting "workspace"',
  org_login_required: 'the workspace is being moved to another Slack organization',
  ekm_access_denied: 'the Slack organization has suspended access with its own keys',
  access_denied: 'this account has no access to it',
  enterprise_is_restricted: 'this works only in a workspace, not for the whole Slack organization; set "workspace"',
  team_added_to_org: 'the workspace is being moved to another Slack organization',
  two_factor_setup_required: 'the person must set up two-factor authentication in Slack first',
  free_teams_cannot_create_non_tabbed_canvases:
    'workspaces on the free plan take canvases in a channel only; name a channel',
  free_team_canvas_tab_already_exists: 'the channel has a canvas already, and this plan allows one',
  canvas_disabled_user_team: 'canvases are switched off in this workspace',
};
