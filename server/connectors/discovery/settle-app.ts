import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { appAad, type AppProof, type ConnectorApp } from '#vault/connector-app.ts';
import { findApp, saveApp, type NewApp } from '#vault/connector-app.sql.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { redirectUri } from '../connect/consent.ts';
import type { AtConnector } from '../connect/place.ts';
import { clientDocumentUrl } from './client-document.ts';
import { waysOf, type FoundAuthorization } from './found-authorization.ts';
import { registerClient } from './register-client.ts';

/**
 * Who we are at the authorization server of a connector: what an administrator entered, else our own document, else a registration that is made
 * when it is first needed and kept as long as it is good (MCP 2026-07-28, Client Registration). INVARIANT (one issuer): each is of one
 * authorization server; at another one it is made anew, and what an administrator entered waits for an administrator.
 */
export async function settleApp(at: AtConnector, found: FoundAuthorization): Promise<ConnectorApp> {
  const { ctx, connector } = at;
  const known = await ctx.db.read(scopeOf(ctx), (db) => findApp(db, connector.id));
  if (known?.way === 'given') {
    if (known.issuer === found.issuer) return known;
    throw new Problem('conflict', 'connectors/app-other-issuer', {
      says: `${connector.name} names the authorization server ${found.issuer} now, and the app that an administrator entered belongs to ${known.issuer ?? 'none that is known'}`,
      fix: 'an administrator enters an app of that authorization server, or removes the old one',
    });
  }
  const [way] = waysOf(found, ctx.origin);
  if (known && known.issuer === found.issuer && known.way === way && !over(known, ctx.now)) {
    if (way === 'registered' || known.clientId === clientDocumentUrl(ctx.origin, connector.id)) return known;
  }
  if (way === undefined)
    throw new Problem('conflict', 'connectors/no-app', {
      says: `nobody has registered an app for ${connector.name} yet, and its authorization server ${new URL(found.issuer).host} lets nobody register himself`,
      fix: `an administrator registers one there with the redirect address ${redirectUri(ctx.origin, connector.id)} and enters it for this connector`,
    });
  const next = await made(at, found, way, (known?.generation ?? 0) + 1);
  return change(ctx, async (tx) => {
    // Somebody was faster: theirs is as good.
    if ((await saveApp(tx, next, known?.generation ?? 0)) === 0) {
      const theirs = await findApp(tx, connector.id);
      if (theirs?.issuer === found.issuer) return { value: theirs, unchanged: true };
      throw new Problem('stale', 'connectors/app-changed', {
        says: 'somebody else has changed this app at the same moment',
        fix: 'begin again',
      });
    }
    const value: ConnectorApp = { ...next, failingSince: undefined };
    const data = { connector: connector.id, way, issuer: found.issuer.slice(0, 300) };
    return { value, events: [event(vaultEvents, 'connector_app.registered', data)] };
  });
}

/** A secret that ends within the time that a consent may take is no use for it. */
const over = (app: ConnectorApp, now: Date): boolean =>
  app.ends !== undefined && app.ends.getTime() - now.getTime() < 15 * 60_000;

async function made(
  { ctx, connector, site }: AtConnector,
  found: FoundAuthorization,
  way: 'document' | 'registered',
  generation: number,
): Promise<NewApp> {
  const common = {
    connector: connector.id,
    generation,
    sameAddress: false,
    set: { by: ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id, at: ctx.now },
    way,
    issuer: found.issuer,
  };
  const none: AppProof = { kind: 'none' };
  if (way === 'document' || found.register === null)
    return {
      ...common,
      clientId: clientDocumentUrl(ctx.origin, connector.id),
      proof: none,
      sealed: undefined,
      ends: undefined,
      method: 'none',
    };
  const { clientId, secret, method, ends } = await registerClient(ctx.egress, {
    found,
    endpoint: found.register,
    origin: ctx.origin,
    connector: connector.id,
    rules: site.rules,
  });
  if (secret === undefined || method === 'none')
    return { ...common, clientId, proof: none, sealed: undefined, ends: undefined, method: 'none' };
  const plain = Buffer.from(secret.reveal());
  const sealed = await ctx.seal.seal(appAad(ctx.org, connector.id, generation), plain);
  plain.fill(0);
  return { ...common, clientId, proof: { kind: 'secret' }, sealed, ends, method };
}
