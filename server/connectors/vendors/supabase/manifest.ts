import { z } from 'zod';
import { Secret } from '#kernel/secret.ts';
import type { Manifest } from '../../kit/manifest.ts';

const AccessToken = z.strictObject({
  access_token: z
    .string()
    .regex(/^sbp_[A-Za-z0-9_]+$/, 'expected a token that begins with sbp_')
    .describe(
      'A personal access token from supabase.com/dashboard/account/tokens, of an account made for this; shown once',
    ),
});
const Organizations = z.array(z.looseObject({ id: z.string(), name: z.string() }));

/**
 * One Supabase project by Supabase's own MCP server. Follows supabase.com/docs/guides/getting-started/mcp (manual authentication, `project_ref`,
 * `read_only`) and the Management API's reference. Always confined to a project; what is read there can have been written by anybody.
 */
export const supabaseManifest: Manifest = {
  type: 'supabase',
  name: 'Supabase',
  says: 'Tables, queries and logs of one Supabase project, by Supabase’s own MCP server.',
  origins: { mcp: 'https://mcp.supabase.com', api: 'https://api.supabase.com' },
  settings: z.strictObject({
    project_ref: z
      .string()
      .regex(/^[a-z0-9]{10,40}$/)
      .describe('The project’s id: Project settings > General'),
  }),
  remote: {
    url: '{mcp}/mcp?project_ref={project_ref}',
    readOnlyUrl: '{mcp}/mcp?project_ref={project_ref}&read_only=true',
    note: 'Read-only runs every query as a database user that can only read. Do not connect a production database for writing.',
  },
  organization: [
    {
      kind: 'access_token',
      name: 'Personal access token of an account made for this',
      fields: AccessToken,
      shown: () => ({}),
      actsAs: ['organization'],
      mint: (m) => Promise.resolve({ token: new Secret(AccessToken.parse(m.fields).access_token) }),
    },
  ],
  async whoami(vendor) {
    const [first] = Organizations.parse((await vendor.send({ method: 'GET', path: '/v1/organizations' })).json());
    return {
      subject: first?.id ?? 'no-organization',
      label: first?.name ?? 'an account without an organization',
      ...(first ? { tenant: first.id } : {}),
    };
  },
};
