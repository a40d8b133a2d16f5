import type { Id } from '#kernel/id.ts';

/** A system made available in an org. `privateHost` is the one host whose private addresses an administrator allowed. */
export type Connector = {
  id: Id<'con'>;
  slug: string;
  name: string;
  url: string;
  privateHost: string | undefined;
  auth: ConnectorAuth;
  state: 'on' | 'off';
  created: Date;
};

export type ConnectorAuth = { kind: 'none' } | { kind: 'bearer'; sealed: Buffer; generation: number };

/** Part of `/mcp/{slug}`; later also of `slug__tool`, so no double hyphen and no underscore. */
export const slugForm = /^[a-z0-9](-?[a-z0-9])*$/;

/** What egress may do for this connector: its own host, and nothing else inside the network. */
export const egressRules = (c: Pick<Connector, 'privateHost'>): { allowPrivate?: string[] } =>
  c.privateHost === undefined ? {} : { allowPrivate: [c.privateHost] };

/** Where the sealed bearer belongs; see kernel/seal.ts. */
export const bearerAad = (
  org: Id<'org'>,
  connector: Id<'con'>,
  generation: number,
): { table: string; scope: string; row: string; generation: number } => ({
  table: 'connector',
  scope: org,
  row: connector,
  generation,
});
