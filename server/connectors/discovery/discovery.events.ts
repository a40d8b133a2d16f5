import { z } from 'zod';
import { declare } from '#audit/events.ts';

const which = { connector: z.string() };
const address = z.string().max(300);

/** What is found of how MCP servers want to be authorized at, and what they ask for later. */
export const discoveryEvents = {
  'connector.authorization_found': declare({
    data: z.object({ ...which, issuer: address }),
    says: (d) => `found the authorization server of a connector: ${d.issuer}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector.authorization_moved': declare({
    data: z.object({ ...which, issuer: address, before: address }),
    says: (d) =>
      `found that a connector went from the authorization server ${d.before} to ${d.issuer}; what the old one gave is not used there`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connection.scope_asked': declare({
    data: z.object({ ...which, connection: z.string(), scopes: z.number().int(), tries: z.number().int() }),
    says: (d) => `was asked by an MCP server for more than its connection has (${d.scopes} scopes)`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.connection }),
  }),
} as const;
