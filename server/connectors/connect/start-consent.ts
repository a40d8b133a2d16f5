import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { signedId } from '#kernel/signed-id.ts';
import type { ConnectorApp } from '#vault/connector-app.ts';
import { findApp } from '#vault/connector-app.sql.ts';
import type { Access } from '#vault/vendor-auth.ts';
import { oauthOf, scopesFor, siteAddress } from '#vault/vendor-site.ts';
import { findScopesToKeep } from '../discovery/asked-scopes.sql.ts';
import { refuseFound, scopesToAsk } from '../discovery/found-authorization.ts';
import { freshAuthorization } from '../discovery/fresh-authorization.ts';
import { settleApp } from '../discovery/settle-app.ts';
import { connectEvents } from './connect.events.ts';
import { CONSENT_MS, redirectUri, stateKeys, verifierAad, type BegunAt, type Consent } from './consent.ts';
import { deleteOldConsents, insertConsent } from './consent.sql.ts';
import { memberOf, visitorOf, type AtConnector } from './place.ts';
import { refuseType } from './refuse-type.ts';
import { manifestOf, siteOfConnector } from './site-of.ts';

const DAY_MS = 86_400_000;

/** Where a person goes to consent. The verifier stays here, sealed; the state in the address is worth one answer to this person's session. */
export async function startConsent(before: AtConnector, access: Access, from: BegunAt): Promise<URL> {
  const visitor = visitorOf(before.ctx);
  refuseStart(before, access);
  const at = await readAnew(before);
  const { ctx, connector, site } = at;
  const facts = oauthOf(site);
  const app = await appOf(at);
  const scopes = await scopesOf(at, access, visitor.user);
  const id = newId('cns', ctx.now.getTime());
  const verifier = generateRandomCodeVerifier();
  const sealed = await ctx.seal.seal(verifierAad(ctx.org, id), Buffer.from(verifier));
  await change(ctx, async (tx) => {
    await refuseType(tx, visitor.user, connector);
    const member = await memberOf(tx, visitor.user);
    const consent: Consent = {
      ...visitor,
      id,
      connector: connector.id,
      member: member.id,
      access,
      scopes,
      issuer: site.auth.boundTo?.issuer,
      expires: new Date(ctx.now.getTime() + CONSENT_MS),
      answered: undefined,
    };
    await deleteOldConsents(tx, new Date(ctx.now.getTime() - DAY_MS));
    await insertConsent(tx, consent, sealed, ctx.now);
    const data = { consent: id, connector: connector.id, access };
    return { value: undefined, events: [event(connectEvents, 'connection.consent_started', data)] };
  });

  const url = new URL(siteAddress(site, facts.authorize));
  // The manifest's first: what binds the answer to us cannot be replaced by it.
  for (const [name, value] of Object.entries(facts.authorizeParameters ?? {})) url.searchParams.set(name, value);
  if (scopes.length > 0)
    url.searchParams.set(facts.scopeParameter ?? 'scope', scopes.join(facts.scopeSeparator ?? ' '));
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('client_id', app.clientId);
  url.searchParams.set('redirect_uri', redirectUri(ctx.origin, connector.id));
  if (facts.resource !== undefined) url.searchParams.set('resource', facts.resource);
  url.searchParams.set('state', signedId(ctx.seal.derive(stateKeys[from]), id));
  if (facts.pkce !== false) {
    url.searchParams.set('code_challenge', await calculatePKCECodeChallenge(verifier));
    url.searchParams.set('code_challenge_method', 'S256');
  }
  return url;
}

/** Where a server says itself how to be authorized at, it is asked again before anybody is sent there: what it said before may be over. */
async function readAnew(at: AtConnector): Promise<AtConnector> {
  if (!at.found) return at;
  const found = await freshAuthorization(at.ctx, at.connector);
  const manifest = manifestOf(at.connector, () => at.base, found);
  if (!manifest) return at;
  const next = { ...at, manifest, site: siteOfConnector(at.connector, manifest), found };
  refuseFound({ name: at.connector.name, found });
  return next;
}

async function appOf(at: AtConnector): Promise<ConnectorApp> {
  const { ctx, connector, found } = at;
  if (found) return settleApp(at, found);
  const app = await ctx.db.read(scopeOf(ctx), (db) => findApp(db, connector.id));
  if (app) return app;
  throw new Problem('conflict', 'connectors/no-app', {
    says: `nobody has registered an app for ${connector.name} yet`,
    fix: 'an administrator registers one at the vendor and enters it for this connector',
  });
}

/** What a person is asked for at an access level: as its manifest says; or as its server says, with what there was and what it asked for since. */
export async function scopesOf(
  { ctx, connector, site, found }: AtConnector,
  access: Access,
  user: Id<'usr'>,
): Promise<readonly string[]> {
  if (!found) return scopesFor(site, access);
  const more = await ctx.db.read(scopeOf(ctx), async (db) =>
    findScopesToKeep(db, { connector: connector.id, member: (await memberOf(db, user)).id, issuer: found.issuer }),
  );
  return scopesToAsk(found, more);
}

/** What nobody need go to the vendor for. */
export function refuseStart({ connector, site, found }: AtConnector, access: Access): void {
  if (connector.state !== 'on')
    throw new Problem('conflict', 'connectors/switched-off', {
      says: `${connector.name} is switched off for everyone in this organization`,
      fix: 'ask an administrator',
    });
  if (connector.actAs !== 'person')
    throw new Problem('conflict', 'connectors/not-by-person', {
      says: `${connector.name} uses an account of the organization; nobody connects their own`,
      fix: 'there is nothing to do: an administrator has set it up',
    });
  if (access === 'read_write' && connector.access === 'read_only')
    throw new Problem('forbidden', 'connectors/access-above', {
      says: `${connector.name} is for reading only in this organization`,
      fix: 'connect it to read, or ask an administrator',
    });
  // What a server says itself is asked for anew.
  if (!found) oauthOf(site);
}
