import { discovering } from '../../kit/discovering.ts';

/** HubSpot by its own MCP server. Follows developers.hubspot.com (integrate with the HubSpot MCP server): an MCP auth app that the organization makes. */
export const hubspotManifest = discovering({
  type: 'hubspot',
  name: 'HubSpot',
  says: 'Contacts, companies, deals and tickets, by HubSpot’s own MCP server.',
  at: 'https://mcp.hubspot.com',
  path: '/',
  note: 'Persons only. Nobody can register himself there: make an MCP auth app in HubSpot (Development > MCP Auth Apps) with the redirect address of this connector, and enter its client id and secret.',
});
