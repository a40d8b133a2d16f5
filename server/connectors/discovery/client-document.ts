import { z } from 'zod';
import { parseId, type Id } from '#kernel/id.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { redirectUri } from '../connect/consent.ts';

/** Where a connector's client document is: its client id at authorization servers that read such documents. */
export const clientDocumentUrl = (origin: string, connector: Id<'con'>): string =>
  `${origin}/connections/client/${connector}`;

/** What we say of ourselves wherever we register: one client for each connector, so that no answer for one is taken at the address of another. */
export function clientMetadata(origin: string, connector: Id<'con'>, method: string): Record<string, unknown> {
  const { hostname, protocol } = new URL(origin);
  const local = protocol !== 'https:' || hostname === 'localhost';
  return {
    client_name: 'Gatehouse',
    ...(local ? {} : { client_uri: origin }),
    redirect_uris: [redirectUri(origin, connector)],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: method,
    // A deployment on somebody's own machine is native to servers that know only the two (SEP-837).
    application_type: local ? 'native' : 'web',
  };
}

/** The document itself (OAuth Client ID Metadata Document). It follows from the address alone, so it tells nobody which connectors there are. */
export const clientDocumentPages: readonly Operation[] = [
  page({
    id: 'connections.client_document',
    at: 'GET /connections/client/:con',
    can: 'public',
    says: 'Tells an authorization server who Gatehouse is for one connector: its client id metadata document.',
    params: z.object({ con: z.string() }),
    handle(ctx, { params }) {
      const connector = parseId('con', params.con);
      if (!connector)
        throw new Problem('missing', 'connectors/no-client-document', { says: 'there is no client of this name' });
      const document = {
        client_id: clientDocumentUrl(ctx.origin, connector),
        ...clientMetadata(ctx.origin, connector, 'none'),
      };
      return Promise.resolve(
        new Response(JSON.stringify(document), {
          headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' },
        }),
      );
    },
  }),
];
