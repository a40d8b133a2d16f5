import { z } from 'zod';
import { greetMcp } from '../../kit/greet-mcp.ts';
import type { Manifest } from '../../kit/manifest.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { foreignToTenant, microsoftOAuth, microsoftOrigins, PERSONAL_TENANT } from '../microsoft/entra.ts';

const scopes = ['openid', 'profile', 'offline_access', 'api://workiq.svc.cloud.microsoft/WorkIQAgent.Ask'] as const;

/**
 * Microsoft 365 by Microsoft's own MCP server, whose tokens are of another resource than Graph. Follows learn.microsoft.com/microsoft-365/copilot/
 * extensibility/work-iq (mcp/overview, permissions): delegated only, one permission that needs an administrator's consent.
 */
export const workIq: Manifest = {
  type: 'work-iq',
  name: 'Microsoft Work IQ',
  says: 'Microsoft 365 with mail, files, meetings and Copilot, by Microsoft’s own MCP server.',
  origins: { mcp: 'https://workiq.svc.cloud.microsoft', login: microsoftOrigins.login },
  settings: z.strictObject({
    // The domain of a tenant could not be compared: nothing that this token opens says which tenant it is of.
    tenant: z
      .guid()
      .toLowerCase()
      .refine((t) => t !== PERSONAL_TENANT, { error: 'this is the tenant of personal Microsoft accounts' })
      .describe('Directory (tenant) id, as Entra shows it on the Overview page'),
  }),
  oauth: microsoftOAuth({ read_only: scopes, read_write: scopes }),
  organization: [],
  remote: {
    url: '{mcp}/mcp',
    note: 'For persons only, and an administrator has to enable Work IQ in the tenant. It has one permission for all, and its tools take any path: what is only read is kept by the review of its tools here, not by Microsoft.',
  },
  async whoami(vendor) {
    await greetMcp(vendor, 'mcp', '/mcp');
    const { oid, tid, upn } = vendor.facts;
    if (oid === undefined || tid === undefined)
      throw new VendorRefusal(200, 'no_account', 'Microsoft did not say whose account it is');
    return { subject: oid, label: upn ?? oid, tenant: tid, ...(upn === undefined ? {} : { email: upn.toLowerCase() }) };
  },
  foreign: foreignToTenant,
};
