import { z } from 'zod';
import type { Manifest } from '../../kit/manifest.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';

const Viewer = z.looseObject({
  data: z.looseObject({
    viewer: z.looseObject({
      id: z.string(),
      email: z.string(),
      organization: z.looseObject({ urlKey: z.string() }),
    }),
  }),
});

/**
 * Linear by its own MCP server, with tokens of an OAuth application that the organization registers. Follows linear.app/docs/mcp and
 * linear.app/developers (OAuth 2.0 authentication: comma-separated scopes, tokens of 24 hours with rotating refresh tokens, revocation).
 */
export const linearManifest: Manifest = {
  type: 'linear',
  name: 'Linear',
  says: 'Issues, projects and comments, by Linear’s own MCP server.',
  origins: { mcp: 'https://mcp.linear.app', login: 'https://linear.app', api: 'https://api.linear.app' },
  settings: z.strictObject({
    workspace: z
      .string()
      .regex(/^[a-z0-9-]{1,60}$/)
      .describe('The workspace’s name in its addresses: linear.app/<workspace>'),
  }),
  oauth: {
    authorize: '{login}/oauth/authorize',
    token: '{api}/oauth/token',
    revoke: { url: '{api}/oauth/revoke', how: 'rfc7009' },
    scopes: { read_only: ['read'], read_write: ['read', 'write'] },
    scopeSeparator: ',',
    // Asks every time, so that the person sees which workspace it is for.
    authorizeParameters: { prompt: 'consent' },
    clientAuth: 'client_secret_post',
    readToken: (answer) => {
      const scope = answer['scope'];
      const names =
        typeof scope === 'string' ? scope.split(/[ ,]+/) : Array.isArray(scope) ? scope.map(String) : undefined;
      const { access_token, refresh_token, expires_in } = Token.parse(answer);
      return { accessToken: access_token, refreshToken: refresh_token, expiresIn: expires_in, scopes: names };
    },
    lifetimes: { access: 86_400, rotation: 'single_use' },
  },
  remote: { url: '{mcp}/mcp' },
  organization: [],
  async whoami(vendor) {
    const answer = await vendor.send({
      method: 'POST',
      path: '/graphql',
      safe: true,
      json: { query: 'query { viewer { id email organization { urlKey } } }' },
    });
    const read = Viewer.safeParse(answer.json());
    if (!read.success) throw new VendorRefusal(answer.status, 'no_viewer', 'Linear does not say whose account it is');
    const { id, email, organization } = read.data.data.viewer;
    return { subject: id, label: email, email, tenant: organization.urlKey };
  },
  foreign: (account, settings) =>
    account.tenant === settings['workspace']
      ? undefined
      : `it is an account of the workspace ${account.tenant ?? 'of nobody'}, not of ${String(settings['workspace'])}`,
};

const Token = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number().optional(),
});
