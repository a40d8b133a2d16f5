import type { PageEntry } from '../page.ts';

export const connectorsPages: readonly PageEntry[] = [
  {
    at: 'connectors',
    title: 'Connectors',
    can: 'policy.read',
    words: 'systems mcp servers',
    load: () => import('./connectors.tsx'),
  },
  {
    at: 'connectors/catalogue',
    title: 'Catalogue',
    can: 'policy.read',
    words: 'types enable switch on off groups',
    load: () => import('./catalogue.tsx'),
  },
  {
    at: 'connectors/connections',
    title: 'Connections',
    can: 'connector.manage',
    words: 'accounts health tokens who connected',
    load: () => import('./connections.tsx'),
  },
  {
    at: 'connectors/tools',
    title: 'Tool review',
    can: 'policy.read',
    words: 'quarantine definitions pins changed',
    load: () => import('./waiting.tsx'),
  },
  {
    at: 'connectors/limits',
    title: 'Limits',
    can: 'policy.read',
    words: 'rate calls per minute',
    load: () => import('./limits.tsx'),
  },
  {
    at: 'connectors/add',
    title: 'Add a connector',
    can: 'connector.manage',
    nav: false,
    words: 'new custom mcp server',
    load: () => import('./add.tsx'),
  },
  {
    at: 'connectors/tools/$con/$tool',
    title: 'Tool review',
    can: 'policy.read',
    load: () => import('./sheet.tsx'),
  },
  { at: 'connectors/$con', title: 'Connector', can: 'policy.read', load: () => import('./connector.tsx') },
];
