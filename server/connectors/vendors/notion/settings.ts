import { z } from 'zod';
import type { Settings } from '#vault/vendor-auth.ts';
import { NotionId } from './notion-api.ts';

/** What an administrator says about a Notion connector. */
export const NotionSettings = z.strictObject({
  workspace_id: NotionId.describe(
    'Id of the workspace (Settings, Workspace settings); accounts of any other are refused',
  ),
  write_public: z
    .boolean()
    .optional()
    .describe('Writing to pages that are published to the web, where everybody can read; default no'),
  own_hosts: z
    .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected a host name in lower case'))
    .max(50)
    .optional()
    .describe('Host names of yours; only links to them may stand behind other words in what is written'),
});
export type NotionSettings = z.infer<typeof NotionSettings>;

/** They were checked when the connector was set up. */
export const notionSettings = (settings: Settings): NotionSettings => NotionSettings.parse(settings);
