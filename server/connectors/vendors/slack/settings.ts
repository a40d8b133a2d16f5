import { z } from 'zod';
import type { Settings } from '#vault/vendor-auth.ts';

const ChannelNames = z
  .array(z.string().min(1).max(100))
  .max(200)
  .describe('Channels by id (C0123ABCDEF) or by name (#general)');

/** What an administrator says about a Slack connector. */
export const SlackSettings = z
  .strictObject({
    team: z
      .string()
      .regex(/^[TE][A-Z0-9]{2,30}$/, 'expected an id like T0123ABCDEF, or E0123ABCDEF for an Enterprise organization')
      .describe(
        'Whose accounts may be connected: the id of the workspace (T…), or of the Enterprise organization (E…)',
      ),
    workspace: z
      .string()
      .regex(/^T[A-Z0-9]{2,30}$/, 'expected an id like T0123ABCDEF')
      .optional()
      .describe(
        'For an app that is installed in a whole Enterprise organization: the workspace that lists and searches are of',
      ),
    private_channels: z.boolean().optional().describe('Private channels may be read and written; default no'),
    direct_messages: z.boolean().optional().describe('Direct and group messages may be read; default no'),
    post_to_shared: z
      .boolean()
      .optional()
      .describe('Posting to channels that are shared with other organizations (Slack Connect); default no'),
    only_channels: ChannelNames.optional().describe('If given, no other channel is read or written'),
    never_channels: ChannelNames.optional().describe('Channels that are never read or written, whoever is a member'),
    own_hosts: z
      .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected a host name in lower case'))
      .max(50)
      .optional()
      .describe('Host names of yours; only links to them may stand behind other words in what is posted'),
  })
  .refine((s) => !s.team.startsWith('E') || s.workspace !== undefined, {
    path: ['workspace'],
    error: 'an app of a whole Enterprise organization needs to know the workspace that lists and searches are of',
  });
export type SlackSettings = z.infer<typeof SlackSettings>;

/** They were checked when the connector was set up. */
export const slackSettings = (settings: Settings): SlackSettings => SlackSettings.parse(settings);
