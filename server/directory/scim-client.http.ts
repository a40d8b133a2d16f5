import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import { listOf } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { inOrg } from '#org/org.http.ts';
import { createScimClient } from './create-scim-client.ts';
import { findDirectory } from './directory.sql.ts';
import { MAX_TOKEN_DAYS } from './directory.ts';
import { directoryId } from './journal.http.ts';
import { noDirectory } from './no-directory.ts';
import { revokeScimClient } from './revoke-scim-client.ts';
import { listScimClients } from './scim-client.sql.ts';

const OfDirectory = z.object({ org: z.string(), directory: z.string() });

/** OAuth clients of a directory, for providers that want client credentials in place of a long-lived token; door `/api`. */
export const scimClientOperations: readonly Operation[] = [
  operation({
    id: 'directory.create_scim_client',
    at: 'POST /orgs/:org/directories/:directory/clients',
    can: 'directory.manage',
    says: 'Makes an OAuth client for a directory. Its secret is shown this once.',
    params: OfDirectory,
    body: z.strictObject({ days: z.number().int().min(1).max(MAX_TOKEN_DAYS).default(MAX_TOKEN_DAYS) }),
    reply: z.object({ id: z.string(), secret: z.string(), expires: z.string(), tokenUrl: z.string() }),
    status: 201,
    async handle(ctx, { params, body }) {
      const directory = directoryId(params.directory);
      const made = await createScimClient(inOrg(ctx), directory, body.days);
      return {
        ...made,
        expires: made.expires.toISOString(),
        tokenUrl: `${ctx.origin}/scim/v2/${directory}/token`,
      };
    },
  }),
  operation({
    id: 'directory.list_scim_clients',
    at: 'GET /orgs/:org/directories/:directory/clients',
    can: 'directory.manage',
    says: 'Lists the OAuth clients of a directory, without their secrets.',
    params: OfDirectory,
    reply: listOf(
      z.object({
        id: z.string(),
        created: z.string(),
        createdBy: z.string(),
        expires: z.string(),
        revoked: z.string().nullable(),
        lastUsed: z.string().nullable(),
      }),
    ),
    handle: (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const id = directoryId(params.directory);
        if (!(await findDirectory(db, id))) throw noDirectory(id);
        const items = (await listScimClients(db, id)).map((c) => ({
          ...c,
          created: c.created.toISOString(),
          expires: c.expires.toISOString(),
          revoked: c.revoked?.toISOString() ?? null,
          lastUsed: c.lastUsed?.toISOString() ?? null,
        }));
        return { items, next: null };
      }),
  }),
  operation({
    id: 'directory.revoke_scim_client',
    at: 'DELETE /orgs/:org/directories/:directory/clients/:client',
    can: 'directory.manage',
    says: 'Ends an OAuth client of a directory and all tokens that it got, at once.',
    params: z.object({ org: z.string(), directory: z.string(), client: z.string() }),
    reply: z.undefined(),
    status: 204,
    async handle(ctx, { params }) {
      const client = parseId('scc', params.client);
      if (!client)
        throw new Problem('missing', 'directory/no-client', {
          says: 'there is no such OAuth client of this directory',
        });
      await revokeScimClient(inOrg(ctx), directoryId(params.directory), client);
      return undefined;
    },
  }),
];
