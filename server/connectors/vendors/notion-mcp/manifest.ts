import { discovering } from '../../kit/discovering.ts';

/** Notion by its own MCP server. Follows developers.notion.com (Notion MCP): people consent, clients register themselves, no account of an organization. */
export const notionMcpManifest = discovering({
  type: 'notion-mcp',
  name: 'Notion (its own MCP server)',
  says: 'A person’s pages and databases, by Notion’s own MCP server; nobody registers an app.',
  at: 'https://mcp.notion.com',
  path: '/mcp',
  note: 'Persons only, with all that the person may do in the workspace that they choose: what is only read is kept by the review of its tools here. For an account of the organization, and for rules on pages, use the type notion.',
});
