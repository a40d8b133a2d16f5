import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchMember } from '#org/member.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import type { VendorSite } from '#vault/vendor-site.ts';
import { findConnector } from '../connector.sql.ts';
import type { Connector } from '../connector.ts';
import type { FoundAuthorization } from '../discovery/found-authorization.ts';
import type { Manifest } from '../kit/manifest.ts';
import { noConnector } from '../refresh-tools.ts';
import { lookupConnector } from './consent.sql.ts';
import { findManifest, siteOfConnector, type VendorOf } from './site-of.ts';

/** What this folder asks of rooms above and beside it. */
export type Connecting = {
  vendorOf: VendorOf;
  /** The same checks as at a path with the organization in it: member, seat, network. */
  enter(ctx: Ctx, org: Id<'org'>): Promise<OrgCtx>;
};

/** A signed-in member before a connector. */
export type AtConnector = {
  ctx: OrgCtx;
  connector: Connector;
  manifest: Manifest;
  site: VendorSite;
  /** What its server says itself of how to be authorized at; undefined: the manifest says it. */
  found: FoundAuthorization | undefined;
  /** Its entry in the catalogue, where it has one. */
  base: Manifest | undefined;
};

/** Who is there as a person with a browser; a key consents to nothing. */
export function visitorOf(ctx: Ctx): { user: Id<'usr'>; session: Id<'ses'> } {
  if (ctx.actor.kind === 'user') return { user: ctx.actor.id, session: ctx.actor.session };
  throw new Problem('forbidden', 'connectors/persons-only', {
    says: 'only a person who is signed in can connect an account of theirs',
    fix: 'sign in and go to /connections',
  });
}

/** Leads into the organization of the connector that a path names. Somebody else's is not there. */
export async function atConnector(ctx: Ctx, how: Connecting, id: Id<'con'>): Promise<AtConnector> {
  const place = await ctx.db.lookup(lookupConnector(id));
  if (!place || place.parent !== ctx.parent) throw noConnector(id);
  const within = await how.enter(ctx, place.org).catch((e: unknown) => {
    // Whoever is no member there learns as little as about an id that nobody has.
    throw e instanceof Problem && e.kind === 'missing' ? noConnector(id) : e;
  });
  return withinOrg(within, how.vendorOf, id);
}

/** The same where the organization is known. */
export async function withinOrg(ctx: OrgCtx, vendorOf: VendorOf, id: Id<'con'>): Promise<AtConnector> {
  const read = await ctx.db.read(scopeOf(ctx), async (db) => {
    const connector = await findConnector(db, id);
    return connector && { connector, ...(await findManifest(db, connector, vendorOf)) };
  });
  if (!read) throw noConnector(id);
  const { connector, manifest, found } = read;
  if (!manifest)
    throw new Problem('conflict', 'connectors/no-vendor', {
      says: `${connector.name} is a server of your own, which takes no accounts`,
      fix: 'give it a bearer where it needs one',
    });
  return {
    ctx,
    connector,
    manifest,
    site: siteOfConnector(connector, manifest),
    found,
    base: vendorOf(connector.type, connector.settings),
  };
}

export async function memberOf(
  db: Reader,
  user: Id<'usr'>,
): Promise<{ id: Id<'mem'>; person: { email: string; name: string } }> {
  const [member, account] = [await findMemberByUser(db, user), await findUser(db, user)];
  if (!member || !account) throw noSuchMember();
  return { id: member.id, person: { email: account.email, name: account.displayName } };
}
