import { allowInsecureRequests, customFetch, revocationRequest } from 'oauth4webapi';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { audienceOf, clientAuth } from './ask-token.ts';
import { findSealedApp } from './connector-app.sql.ts';
import { findToTell, saveVendorLater, saveVendorTold } from './connection.sql.ts';
import { openTokens, type KeptTokens } from './kept.ts';
import { openApp, type OpenedApp } from './open-app.ts';
import { backoffMs, vaultCtx, type Place } from './renewal.ts';
import { vaultEvents } from './vault.events.ts';
import { belongs, oauthOf, siteAddress, siteFetch, type SiteOf, type VendorSite } from './vendor-site.ts';

export const TELL_VENDOR = 'vault.tell_vendor';
/** Over about three hours. */
const MAX_TRIES = 12;

/** How a vendor took it that a grant ends. `later`: nobody knows, so it is told again. */
export type VendorTold = 'confirmed' | 'impossible' | 'later';

/** Tells the vendor of one ended connection; what is still sealed of it goes as soon as it confirmed, refused for long, or cannot be told. */
export async function tellVendor(world: World, siteOf: SiteOf, at: Place, id: Id<'cnn'>): Promise<void> {
  const found = await world.db.read(at, async (db) => {
    const row = await findToTell(db, id);
    if (!row) return undefined;
    const { connector } = row.connection;
    return { ...row, site: await siteOf(db, connector).catch(unfit), app: await findSealedApp(db, connector) };
  });
  // INVARIANT (no token outlives the end): while a renewal is under way, what it will bring is to be ended too; the sweep comes again.
  if (!found || found.renewing) return;
  const { connection: c, sealed, site } = found;
  // INVARIANT (one issuer): the end is told to whom gave the token, and to nobody who came after.
  const told =
    site === 'unfit'
      ? 'later'
      : !sealed || !site?.auth.oauth?.revoke || !belongs(site, c)
        ? 'impossible'
        : await toldWith(world, at, site, async () => ({
            tokens: await openTokens(world.seal, at.org, c, sealed),
            app: await openApp(world.seal, at.org, { clientAuth: 'none', ...site.auth.oauth }, found.app, site.name),
          }));
  const tries = found.tries + 1;
  const how = told === 'later' && tries >= MAX_TRIES ? 'refused' : told;
  const ctx = vaultCtx(world, at);
  await change(ctx, async (tx) => {
    const saved =
      how === 'later'
        ? await saveVendorLater(tx, id, tries, new Date(ctx.now.getTime() + backoffMs(tries)))
        : await saveVendorTold(tx, c, how, tries);
    if (saved === 0) return { value: undefined, unchanged: true };
    return {
      value: undefined,
      events: [
        event(vaultEvents, 'connection.ended_at_vendor', { connection: id, connector: c.connector, how, tries }),
      ],
    };
  });
}

/** A connector whose settings are no address any more: somebody may mend it within the time that there is. */
function unfit(e: unknown): 'unfit' {
  if (e instanceof Problem && e.kind === 'invalid') return 'unfit';
  throw e;
}

async function toldWith(
  world: World,
  at: Place,
  site: VendorSite,
  open: () => Promise<{ tokens: KeptTokens; app: OpenedApp }>,
): Promise<VendorTold> {
  try {
    const { tokens, app } = await open();
    return await endAtVendor(world, site, app, tokens);
  } catch (e) {
    // Only the name and a Problem's code: what a manifest's function throws may carry a token.
    const err = e instanceof Problem ? e.code : e instanceof Error ? e.name : 'error';
    world.log.warn({ org: at.org, connector: site.connector, err }, 'a vendor was not told of the end of a connection');
    return 'later';
  }
}

/** Ends a grant at its vendor now: one that a person gave up, or one that we must not have. */
export async function endAtVendor(
  world: Pick<World, 'egress'>,
  site: VendorSite,
  app: OpenedApp,
  tokens: KeptTokens,
): Promise<VendorTold> {
  const revoke = site.auth.oauth?.revoke;
  if (!revoke) return 'impossible';
  const url = siteAddress(site, revoke.url);
  const send = siteFetch(world.egress, site);
  if (revoke.how !== 'rfc7009') {
    await revoke.how({
      url,
      token: tokens.access.reveal(),
      refreshToken: tokens.refresh?.reveal(),
      clientId: app.clientId,
      clientSecret: app.secret?.reveal(),
      settings: site.settings,
      fetch: send,
    });
    return 'confirmed';
  }
  const response = await revocationRequest(
    { issuer: new URL(url).origin, revocation_endpoint: url },
    { client_id: app.clientId },
    clientAuth(app, audienceOf(site, siteAddress(site, oauthOf(site).token))),
    // The refresh token: its end is the end of the access tokens that came of it (RFC 7009 §2.1).
    (tokens.refresh ?? tokens.access).reveal(),
    {
      [allowInsecureRequests]: true,
      [customFetch]: (to, o) =>
        send(to, {
          method: 'POST',
          headers: o.headers,
          body: o.body instanceof URLSearchParams ? o.body.toString() : '',
        }),
      additionalParameters: { token_type_hint: tokens.refresh ? 'refresh_token' : 'access_token' },
    },
  );
  const text = (await response.text()).slice(0, 2000);
  // A token that the vendor does not know has ended (RFC 7009 §2.2), though some say so with an error.
  return response.ok || /"error"\s*:\s*"(invalid_token|token_revoked)"/.test(text) ? 'confirmed' : 'later';
}
