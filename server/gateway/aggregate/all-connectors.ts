import type { Id } from '#kernel/id.ts';
import type { ConnectorView, OrgView } from '../org-view.ts';

/** Stands for all connectors at once where an exchange has one: what is asked of it is answered by `send-all.ts`, and calls go to a real one. */
export const ALL = 'all connectors' as Id<'con'>;

export const isAll = (c: Pick<ConnectorView, 'id'>): boolean => c.id === ALL;

export const allConnectors = (): ConnectorView => ({
  id: ALL,
  type: 'mcp',
  slug: '',
  name: 'Gatehouse',
  actAs: 'none',
  builtin: undefined,
  state: 'on',
  origin: 'http://localhost',
  path: '/',
  rules: {},
  tools: new Map(),
  instructions: undefined,
  bearer: () => Promise.resolve(undefined),
});

/** Those that can be used now, in the order of their names. */
export const connectorsOn = (view: OrgView): ConnectorView[] =>
  [...view.connectors.values()].filter((c) => c.state === 'on').toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
