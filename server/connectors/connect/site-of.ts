import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { Settings } from '#vault/vendor-auth.ts';
import type { SiteOf, VendorSite } from '#vault/vendor-site.ts';
import { egressRules, type Connector } from '../connector.ts';
import { findConnector } from '../connector.sql.ts';
import type { Manifest } from '../kit/manifest.ts';

/** The manifest of a type of connector, with what was chosen for it; undefined: it is no vendor of ours. */
export type VendorOf = (type: string, settings?: Settings) => Manifest | undefined;

/** A connector as the vault must know it. */
export const siteOfConnector = (c: Connector, manifest: Manifest): VendorSite => ({
  connector: c.id,
  on: c.state === 'on',
  name: c.name,
  auth: manifest,
  settings: c.settings,
  origins: originsOf(manifest, c.settings, c.origins),
  rules: egressRules(c),
  access: c.access,
  actAs: c.actAs,
});

/** What the vault asks of this room. */
export const siteOf =
  (vendorOf: VendorOf): SiteOf =>
  async (db: Reader, id: Id<'con'>) => {
    const connector = await findConnector(db, id);
    const manifest = connector && vendorOf(connector.type, connector.settings);
    return connector && manifest ? siteOfConnector(connector, manifest) : undefined;
  };

/** One connector whose settings are no address must not hide the others. */
export function siteOrNone(connector: Connector, manifest: Manifest): VendorSite | undefined {
  try {
    return siteOfConnector(connector, manifest);
  } catch (e) {
    if (e instanceof Problem && e.kind === 'invalid') return undefined;
    throw e;
  }
}
