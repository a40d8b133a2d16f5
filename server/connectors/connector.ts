import type { Id } from '#kernel/id.ts';
import type { Access, ActAs, Settings } from '#vault/vendor-auth.ts';
import type { EgressRules } from '#kernel/egress.ts';
import type { Mode } from './kit/manifest.ts';

/** A server of the customer's own, of no vendor that we know. */
export const OWN_SERVER = 'mcp';

/** A system made available in an org. `privateHost` is the one host whose private addresses an administrator allowed. */
export type Connector = {
  id: Id<'con'>;
  /** Of the catalogue (kit/manifest.ts), or `mcp`. */
  type: string;
  mode: Mode;
  /** Whose account calls use. */
  actAs: ActAs;
  access: Access;
  settings: Settings;
  /** Addresses by role that stand in place of the manifest's, and whether they may be inside the network. */
  origins: Readonly<Record<string, string>>;
  originsPrivate: boolean;
  slug: string;
  name: string;
  url: string;
  privateHost: string | undefined;
  /** Through which tunnel it is reached: then only the tunnel's agents know what the host of its address means. */
  tunnel: Id<'tun'> | undefined;
  auth: ConnectorAuth;
  state: 'on' | 'off';
  created: Date;
};

export type ConnectorAuth = { kind: 'none' } | { kind: 'bearer'; sealed: Buffer; generation: number };

/** Part of `/mcp/{slug}`; later also of `slug__tool`, so no double hyphen and no underscore. */
export const slugForm = /^[a-z0-9](-?[a-z0-9])*$/;

/** What egress may do for this connector: its own host, and nothing else inside the network; or its tunnel, and nothing from here. */
export const egressRules = (
  c: Pick<Connector, 'privateHost'> & Partial<Pick<Connector, 'origins' | 'originsPrivate' | 'tunnel'>>,
): Pick<EgressRules, 'allowPrivate' | 'via'> => {
  if (c.tunnel !== undefined) return { via: c.tunnel };
  const own = c.originsPrivate ? Object.values(c.origins ?? {}).map((o) => new URL(o).host) : [];
  const hosts = c.privateHost === undefined ? own : [c.privateHost, ...own];
  return hosts.length === 0 ? {} : { allowPrivate: hosts };
};

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
