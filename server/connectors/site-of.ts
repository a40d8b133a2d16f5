import { egressRules } from './connector.ts';
import { findConnector } from './connector.sql.ts';
import { vendorOf } from './vendors/all-vendors.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { SiteOf } from '#vault/vendor-site.ts';

/** What the vault must know of a connector; undefined for a server of one's own, whose bearer is its own. */
export const siteOf: SiteOf = async (db, id) => {
  const c = await findConnector(db, id);
  const auth = c && vendorOf(c.type);
  return (
    auth && {
      connector: c.id,
      on: c.state === 'on',
      name: c.name,
      auth,
      settings: c.settings,
      origins: originsOf(auth, c.settings, c.origins),
      rules: egressRules(c),
      access: c.access,
      actAs: c.actAs,
    }
  );
};
