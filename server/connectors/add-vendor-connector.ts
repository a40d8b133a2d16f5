import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { acceptBuiltin, catalogueReviewer, sightedOf } from './builtin-tools.ts';
import type { Connector } from './connector.ts';
import { insertConnector } from './connector.sql.ts';
import { connectorEvents } from './connectors.events.ts';
import { discoverAuthorization } from './discovery/discover-authorization.ts';
import { refuseFound } from './discovery/found-authorization.ts';
import { asked } from './discovery/fresh-authorization.ts';
import { keepAuthorization } from './discovery/keep-authorization.ts';
import type { Manifest } from './kit/manifest.ts';
import { observeTools } from './observe-tools.ts';
import type { Settings } from '#vault/vendor-auth.ts';
import { chosenFor, type VendorChoice } from './vendor-choice.ts';
import { vendorOf, vendors } from './vendors/all-vendors.ts';

export type NewVendorConnector = VendorChoice & {
  type: string;
  /** Default: the type. */
  slug?: string | undefined;
  /** Default: what the vendor is called. */
  name?: string | undefined;
};

/**
 * Makes a system of the catalogue available. Tools of ours come with their review and can be used as soon as a rule and a connection let
 * somebody; those of a vendor's own MCP server are seen when the first person who is connected lists them, and wait for a review.
 */
export async function addVendorConnector(ctx: OrgCtx, n: NewVendorConnector): Promise<Connector> {
  const manifest = manifestOf(n.type);
  const connector: Connector = {
    ...chosenFor(manifest, n),
    id: newId('con', ctx.now.getTime()),
    type: n.type,
    slug: n.slug ?? n.type,
    name: n.name ?? manifest.name,
    privateHost: undefined,
    tunnel: undefined,
    auth: { kind: 'none' },
    state: 'on',
    created: ctx.now,
  };
  const found = manifest.discovers && (await discoverAuthorization(ctx.egress, asked(connector, undefined)));
  if (found) refuseFound({ name: connector.name, found });
  return change(ctx, async (tx) => {
    if ((await insertConnector(tx, connector)) === 0) throw slugTaken(connector.slug);
    const added = event(connectorEvents, 'connector.added', {
      connector: connector.id,
      slug: connector.slug,
      host: new URL(connector.url).host,
      auth: 'none',
      privateHost: connector.originsPrivate,
      type: connector.type,
      mode: connector.mode,
      actAs: connector.actAs,
      access: connector.access,
    });
    const told = found && (await keepAuthorization(tx, connector.id, found, ctx.now));
    const offered = await offerBuiltin(tx, connector, manifest, ctx.now);
    return { value: connector, events: [added, ...offered, ...(told ? [told] : [])] };
  });
}

export const slugTaken = (slug: string): Problem =>
  new Problem('conflict', 'connectors/slug-taken', {
    says: `there is a connector ${slug} in this organization already`,
    fix: 'choose another slug',
  });

/** The manifest of a type that is to be used now. */
export function manifestOf(type: string, settings?: Settings): Manifest {
  const manifest = vendorOf(type, settings);
  if (manifest) return manifest;
  throw new Problem('invalid', 'connectors/no-such-type', {
    says: `${JSON.stringify(type.slice(0, 60))} is no kind of system that this version of Gatehouse knows`,
    fix: `choose from: ${vendors.map((v) => v.type).join(', ')}; or add an MCP server by its url`,
  });
}

/** Writes down what the connector offers as its access is now, seen and reviewed. The caller holds the connector's lock or has just made it. */
export async function offerBuiltin(tx: Tx, c: Connector, manifest: Manifest, now: Date): Promise<AuditEvent[]> {
  const { builtin } = manifest;
  if (c.mode !== 'builtin' || !builtin) return [];
  const observed = await observeTools(tx, c.id, sightedOf(builtin, c.access), now);
  const accepted = await acceptBuiltin(tx, c.id, { type: c.type, builtin, access: c.access }, true, now);
  return [...(observed?.events ?? []), ...reviewedBy(c, catalogueReviewer(c.type, builtin), accepted)];
}

/** What the log says of a review that the catalogue brought. */
export const reviewedBy = (
  c: Pick<Connector, 'id'>,
  by: string,
  accepted: Awaited<ReturnType<typeof acceptBuiltin>>,
): AuditEvent[] =>
  accepted.length === 0
    ? []
    : [
        event(connectorEvents, 'tools.reviewed', {
          connector: c.id,
          by,
          tools: accepted.flatMap((a) => (a.class === undefined ? [] : [{ name: a.name, pin: a.pin, class: a.class }])),
        }),
      ];
