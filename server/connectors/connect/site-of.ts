import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { Settings } from '#vault/vendor-auth.ts';
import type { SiteOf, VendorSite } from '#vault/vendor-site.ts';
import { egressRules, type Connector } from '../connector.ts';
import { findConnector } from '../connector.sql.ts';
import { findAuthorization } from '../discovery/authorization.sql.ts';
import { discoveredManifest } from '../discovery/discovered-manifest.ts';
import type { FoundAuthorization } from '../discovery/found-authorization.ts';
import type { Manifest } from '../kit/manifest.ts';

/** The manifest of a type of connector, with what was chosen for it; undefined: it is no vendor of ours. */
export type VendorOf = (type: string, settings?: Settings) => Manifest | undefined;

/** What is known of a connector's kind: of the catalogue, or as its server says itself. Undefined: it takes no accounts. */
export function manifestOf(
  c: Connector,
  vendorOf: VendorOf,
  found: FoundAuthorization | undefined,
): Manifest | undefined {
  const manifest = vendorOf(c.type, c.settings);
  return found && (!manifest || manifest.discovers) ? discoveredManifest(c, found, manifest) : manifest;
}

/** The same, read. */
export async function findManifest(
  db: Reader,
  c: Connector,
  vendorOf: VendorOf,
): Promise<{ manifest: Manifest | undefined; found: FoundAuthorization | undefined }> {
  const manifest = vendorOf(c.type, c.settings);
  const found = !manifest || manifest.discovers ? (await findAuthorization(db, c.id))?.found : undefined;
  return { manifest: manifestOf(c, vendorOf, found), found };
}

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
    const manifest = connector && (await findManifest(db, connector, vendorOf)).manifest;
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
