import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Access, ActAs } from '#vault/vendor-auth.ts';
import { tunnelTo } from './add-connector.ts';
import { manifestOf, offerBuiltin } from './add-vendor-connector.ts';
import { OWN_SERVER, type Connector } from './connector.ts';
import { findConnector, lockConnector, saveConnectorChoice, saveConnectorState } from './connector.sql.ts';
import { connectorEvents } from './connectors.events.ts';
import { findAuthorization } from './discovery/authorization.sql.ts';
import { refuseFound, type FoundAuthorization } from './discovery/found-authorization.ts';
import { OPENAPI } from './openapi/openapi-manifest.ts';
import { offerOperations } from './openapi/offered-operations.ts';
import { noConnector } from './refresh-tools.ts';
import { chosenFor } from './vendor-choice.ts';

export type ConnectorEdit = {
  state?: Connector['state'] | undefined;
  name?: string | undefined;
  access?: Access | undefined;
  actAs?: ActAs | undefined;
  settings?: unknown;
  /** Another tunnel to a server that is reached through one. */
  tunnel?: string | undefined;
};

/**
 * Switches a connector or changes what was chosen for it. Off: nobody lists or calls its tools, calls under way are cut; reviews and rules stay.
 * With another access, tools of ours come or go at once; what people had agreed to at the vendor does not grow by it, so they connect again.
 */
export async function editConnector(ctx: OrgCtx, id: Id<'con'>, e: ConnectorEdit): Promise<Connector> {
  const { known, found } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    known: await findConnector(db, id),
    found: (await findAuthorization(db, id))?.found,
  }));
  if (!known) throw noConnector(id);
  if (known.type === OWN_SERVER) refuseOwn(known, e, found);
  if (e.tunnel !== undefined && known.tunnel === undefined)
    throw new Problem('conflict', 'connectors/no-tunnel', {
      says: `${known.slug} is reached from here, and ${known.url} may be something else inside another network`,
      fix: 'add the server that is behind the tunnel as a connector of its own',
    });
  const tunnel = e.tunnel === undefined ? known.tunnel : await tunnelTo(ctx, e.tunnel, known);
  return change(ctx, async (tx) => {
    const before = await lockConnector(tx, id);
    if (!before) throw noConnector(id);
    const after = { ...edited(before, e), tunnel };
    const events: AuditEvent[] = [];
    if (after.state !== before.state) {
      await saveConnectorState(tx, id, after.state);
      const what = after.state === 'on' ? 'connector.enabled' : 'connector.disabled';
      events.push(event(connectorEvents, what, { connector: id, slug: before.slug }));
    }
    if (after.tunnel !== undefined && after.tunnel !== before.tunnel) {
      await saveConnectorChoice(tx, after);
      const { slug, tunnel: led } = after;
      events.push(event(connectorEvents, 'connector.tunnel_changed', { connector: id, slug, tunnel: led }));
    }
    const changed = (['name', 'access', 'actAs', 'settings'] as const).filter(
      (f) => JSON.stringify(after[f]) !== JSON.stringify(before[f]),
    );
    if (changed.length > 0) {
      await saveConnectorChoice(tx, after);
      const { slug, access, actAs } = after;
      events.push(event(connectorEvents, 'connector.changed', { connector: id, slug, changed, access, actAs }));
      if (after.type === OPENAPI) events.push(...(await offerOperations(tx, after, ctx.now)));
      else if (after.type !== OWN_SERVER)
        events.push(...(await offerBuiltin(tx, after, manifestOf(after.type), ctx.now)));
    }
    const [first, ...rest] = events;
    return first ? { value: after, events: [first, ...rest] } : { value: before, unchanged: true };
  });
}

/** Of a server of one's own only that can be chosen which it says itself that it has: persons' accounts or one of the organization. */
function refuseOwn(c: Connector, e: ConnectorEdit, found: FoundAuthorization | undefined): void {
  const organization = found?.grants.includes('client_credentials') === true;
  if (
    e.access !== undefined ||
    e.settings !== undefined ||
    (e.actAs !== undefined && !(found && (e.actAs === 'person' || (e.actAs === 'organization' && organization))))
  )
    throw new Problem('conflict', 'connectors/own-server', {
      says: `${c.slug} is an MCP server of your own; access, actAs and settings are of systems of the catalogue`,
      fix: 'say in rules who may use which of its tools',
    });
  if (e.actAs === 'person' && found) refuseFound({ name: c.name, found });
}

function edited(c: Connector, e: ConnectorEdit): Connector {
  const kept = { ...c, state: e.state ?? c.state, name: e.name ?? c.name };
  if (c.type === OWN_SERVER) return { ...kept, actAs: e.actAs ?? c.actAs };
  if (e.access === undefined && e.actAs === undefined && e.settings === undefined) return kept;
  return {
    ...kept,
    ...chosenFor(manifestOf(c.type, c.settings), {
      mode: c.mode,
      actAs: e.actAs ?? c.actAs,
      access: e.access ?? c.access,
      settings: e.settings ?? c.settings,
      origins: c.origins,
      originsPrivate: c.originsPrivate,
      tunnel: c.tunnel,
    }),
  };
}
