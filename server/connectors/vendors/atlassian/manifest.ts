import { z } from 'zod';
import { Secret } from '#kernel/secret.ts';
import { greetMcp } from '../../kit/greet-mcp.ts';
import type { Manifest } from '../../kit/manifest.ts';

const ServiceAccountKey = z.strictObject({
  api_key: z
    .string()
    .min(8)
    .describe('An API key of a service account, from admin.atlassian.com > Directory > Service accounts; shown once'),
});

/**
 * Jira and Confluence by Atlassian's own MCP server. Follows developer.atlassian.com/cloud/rovo-mcp (getting started; authentication via API token).
 * People consent there by dynamic registration only, which we do not do, so there is the organization's service account.
 */
export const atlassianManifest: Manifest = {
  type: 'atlassian',
  name: 'Atlassian',
  says: 'Issues and pages in Jira and Confluence, by Atlassian’s own MCP server.',
  origins: { mcp: 'https://mcp.atlassian.com' },
  settings: z.strictObject({}),
  remote: {
    url: '{mcp}/v1/mcp',
    note: 'An organization admin must allow API tokens for the Rovo MCP server. What the service account may do in Jira and Confluence is what everyone may do here.',
  },
  organization: [
    {
      kind: 'service_account_key',
      name: 'Service account API key',
      fields: ServiceAccountKey,
      shown: () => ({}),
      actsAs: ['organization'],
      mint: (m) => Promise.resolve({ token: new Secret(ServiceAccountKey.parse(m.fields).api_key) }),
    },
  ],
  async whoami(vendor) {
    await greetMcp(vendor, 'mcp', '/v1/mcp');
    return { subject: 'service-account', label: 'the service account' };
  },
};
