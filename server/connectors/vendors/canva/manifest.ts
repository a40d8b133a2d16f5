import { discovering } from '../../kit/discovering.ts';

/** Canva by its own MCP server. Follows canva.dev/docs/mcp. */
export const canvaManifest = discovering({
  type: 'canva',
  name: 'Canva',
  says: 'Designs, assets and folders, by Canva’s own MCP server.',
  at: 'https://mcp.canva.com',
  path: '/mcp',
  note: 'Persons only; Canva can keep clients that are not on its list from registering, which a check of the connector tells.',
});
