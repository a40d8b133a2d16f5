import { z } from 'zod';
import type { Manifest } from '../../kit/manifest.ts';
import { greetMcp } from '../../kit/greet-mcp.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';

/** Whose token it is comes with the token; tokens of MCP apps open nothing but the MCP server. */
const Data = z.looseObject({ gid: z.string(), name: z.string(), email: z.string() });

/**
 * Asana by its own MCP server (V2), with an MCP app that the organization registers. Follows developers.asana.com/docs (integrating with Asana's MCP
 * server; OAuth): the resource is named when people consent, access tokens last an hour, refresh tokens stay.
 */
export const asanaManifest: Manifest = {
  type: 'asana',
  name: 'Asana',
  says: 'Tasks, projects and portfolios, by Asana’s own MCP server.',
  origins: { mcp: 'https://mcp.asana.com', login: 'https://app.asana.com' },
  settings: z.strictObject({
    domain: z
      .string()
      .regex(/^[a-z0-9.-]+\.[a-z]{2,}$/)
      .describe('The mail domain of your people in Asana; accounts of others are refused'),
  }),
  oauth: {
    authorize: '{login}/-/oauth_authorize',
    token: '{login}/-/oauth_token',
    revoke: { url: '{login}/-/oauth_revoke', how: 'rfc7009' },
    scopes: { read_only: ['default'], read_write: ['default'] },
    authorizeParameters: { resource: 'https://mcp.asana.com/v2' },
    clientAuth: 'client_secret_post',
    factsOf(answer) {
      const d = Data.safeParse(answer['data']).data;
      return d ? { gid: d.gid, name: d.name, email: d.email } : {};
    },
    lifetimes: { access: 3600, rotation: 'same' },
  },
  remote: {
    url: '{mcp}/v2/mcp',
    note: 'Asana has one scope for all: what is only read is kept by the review of its tools here, not by Asana.',
  },
  organization: [],
  async whoami(vendor) {
    await greetMcp(vendor, 'mcp', '/v2/mcp');
    const { gid, name, email } = vendor.facts;
    if (gid === undefined) throw new VendorRefusal(200, 'no_account', 'Asana did not say whose account it is');
    return { subject: gid, label: email ?? name ?? gid, ...(email === undefined ? {} : { email }) };
  },
  foreign: (account, settings) =>
    account.email?.toLowerCase().endsWith(`@${String(settings['domain'])}`)
      ? undefined
      : `its address is not one of ${String(settings['domain'])}`,
};
