import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { readSignedId } from '#kernel/signed-id.ts';
import { lockMember } from '#org/member.sql.ts';
import { lockUser } from '#org/user.sql.ts';
import { askToken } from '#vault/ask-token.ts';
import { findSealedApp } from '#vault/connector-app.sql.ts';
import type { Connection } from '#vault/connection.ts';
import { findLiveConnection, insertConnection } from '#vault/connection.sql.ts';
import { sealKept, type KeptTokens } from '#vault/kept.ts';
import { openApp } from '#vault/open-app.ts';
import { forgetRegistration } from '#vault/forget-registration.ts';
import { keepGrant } from '#vault/keep-grant.ts';
import { vaultRefusals } from '#vault/refusals.ts';
import { TELL_VENDOR, tellVendor } from '#vault/tell-vendor.ts';
import { cleaned, expiryOf, type TokenOutcome } from '#vault/token-answer.ts';
import type { Access, Account } from '#vault/vendor-auth.ts';
import { oauthOf, scopesFor, siteAddress } from '#vault/vendor-site.ts';
import { checkAccount } from './check-account.ts';
import { connectEvents } from './connect.events.ts';
import {
  missingScopes,
  redirectUri,
  refuseReturn,
  returned,
  stateKeys,
  verifierAad,
  type BegunAt,
  type Consent,
} from './consent.ts';
import { lockConsent, saveAnswered } from './consent.sql.ts';
import { memberOf, visitorOf, type AtConnector } from './place.ts';
import { refuseType } from './refuse-type.ts';
import { refuseStart } from './start-consent.ts';

/** What came with a browser from the vendor. */
export type Returned = Readonly<Record<string, string>>;
export type Finished = { connection: Connection; missing: readonly string[]; from: BegunAt };

/**
 * Makes a connection of what a vendor sent back. INVARIANT (once, and by whom it was begun): the answer is taken away before the code is used, for
 * this connector, person and session only. What the vendor then gave and we must not have is ended there.
 */
export async function finishConsent(at: AtConnector, query: Returned): Promise<Finished> {
  const { ctx, connector, site } = at;
  const { consent, sealed, from } = await takeAnswer(at, query);
  const member = await ctx.db.read(scopeOf(ctx), (db) => memberOf(db, consent.user));
  refuseStart(at, consent.access);
  refuseMixUp(at, consent, query);
  const code = codeOf(at, query);

  const facts = oauthOf(site);
  const found = await ctx.db.read(scopeOf(ctx), (db) => findSealedApp(db, connector.id));
  const app = await openApp(ctx.seal, ctx.org, facts, found, site.name);
  const verifier = await ctx.seal.open(verifierAad(ctx.org, consent.id), sealed);
  const outcome = await askToken(ctx.egress, site, app, {
    grantType: 'authorization_code',
    parameters: {
      code,
      redirect_uri: redirectUri(ctx.origin, connector.id),
      ...(facts.pkce === false ? {} : { code_verifier: verifier.toString('utf8') }),
    },
    now: ctx.now,
  });
  verifier.fill(0);
  if (outcome.kind === 'refused') {
    if (outcome.code === 'invalid_client' && (await forgetRegistration(ctx, found?.app)))
      throw new Problem('conflict', 'connectors/client-forgotten', {
        says: `${site.name} has forgotten that Gatehouse registered there; the next time it registers anew`,
        fix: 'begin again at /connections',
      });
    throw notGiven(site.name, outcome);
  }

  // Of a consent that began before this was written down, what its access means.
  const wanted = consent.scopes.length > 0 ? consent.scopes : scopesFor(site, consent.access);
  const scopes = outcome.grant.scopes ?? wanted;
  const tokens: KeptTokens = {
    access: new Secret(outcome.grant.accessToken),
    refresh: outcome.grant.refreshToken === undefined ? undefined : new Secret(outcome.grant.refreshToken),
  };
  const made: Connection = {
    id: newId('cnn', ctx.now.getTime()),
    connector: connector.id,
    owner: { kind: 'person', member: consent.member, user: consent.user },
    grantKind: 'oauth',
    access: consent.access,
    account: undefined,
    scopes,
    shown: {},
    facts: { ...outcome.facts, ...site.auth.boundTo },
    standing: { state: 'active' },
    generation: 1,
    expiry: expiryOf(facts, outcome.grant, ctx.now, undefined),
    lastRefreshed: undefined,
    lastUsed: undefined,
    made: { at: ctx.now, by: consent.user },
  };

  const checked = await checkAccount(
    { egress: ctx.egress, now: () => ctx.now },
    at.manifest,
    site,
    { token: tokens.access, scopes, facts: outcome.facts },
    { person: member.person, sameAddress: found?.app.sameAddress ?? true },
  );
  if (!('account' in checked)) return refuseGrant(at, consent, made, tokens, checked);
  const { account } = checked;
  const before = await ctx.db.read(scopeOf(ctx), (db) => findLiveConnection(db, connector.id, consent.member));
  const missing = missingScopes(wanted, scopes);
  const access = facts.partial ? consent.access : accessOf(at, scopes, consent.access);
  const raise = before?.standing.state === 'active' && before.access === access && access !== consent.access;
  if (access === undefined || raise) {
    const refusal: Refusal = {
      why: 'scopes_missing',
      says: `${site.name} did not give what was asked for: ${missing.join(', ')}`,
    };
    // INVARIANT (raising costs nothing): at most vendors the end of a grant is the end of all that this person gave this app, so what a raise
    // did not get is dropped and the connection stays as it is.
    if (before && sameAccount(before, account)) {
      await tellRefused(ctx, consent, refusal.why);
      throw refused(site.name, refusal);
    }
    return refuseGrant(at, consent, { ...made, account }, tokens, refusal);
  }
  const connection = await keepGrant(ctx, { ...made, access, account }, tokens, (tx) => stillHere(tx, consent)).catch(
    (e: unknown) => {
      if (e instanceof Gone)
        return refuseGrant(at, consent, { ...made, account }, tokens, { why: 'not_here', says: e.message });
      throw e;
    },
  );
  return { connection, missing, from };
}

class Gone extends Error {}

/** INVARIANT (who is out has no credentials): whoever left or was suspended while the vendor was asked gets none after what they had was ended. */
async function stillHere(tx: Tx, { user, member }: Consent): Promise<void> {
  const [account, membership] = [await lockUser(tx, user), await lockMember(tx, member)];
  if (account?.state !== 'active' || !membership) throw new Gone('you are not in this organization any more');
}

async function takeAnswer(
  at: AtConnector,
  query: Returned,
): Promise<{ consent: Consent; sealed: Buffer; from: BegunAt }> {
  const { ctx, connector } = at;
  const visitor = visitorOf(ctx);
  const signed = (from: BegunAt): Id<'cns'> | undefined =>
    readSignedId(ctx.seal.derive(stateKeys[from]), 'cns', query['state'] ?? '');
  const from = signed('portal') ? 'portal' : 'connections';
  const id = signed(from);
  return change(ctx, async (tx) => {
    const found = id && (await lockConsent(tx, id));
    const consent = found?.consent;
    refuseReturn(consent, { ...visitor, connector: connector.id, now: ctx.now });
    await refuseType(tx, visitor.user, connector);
    await saveAnswered(tx, consent.id, ctx.now);
    const error = query['error'];
    const answer =
      error === undefined ? 'code' : /^[A-Za-z0-9_.-]{1,60}$/.test(error) && error !== 'code' ? error : 'unknown_error';
    return {
      value: { consent, sealed: found?.sealed ?? Buffer.alloc(0), from },
      events: [
        event(connectEvents, 'connection.consent_returned', { consent: consent.id, connector: connector.id, answer }),
      ],
    };
  });
}

/**
 * Whether the answer comes from the vendor that was asked (RFC 9207). One that names itself always must here; one that does not, but did, must at
 * least be at the address that was asked.
 */
function refuseMixUp({ site }: AtConnector, consent: Consent, query: Returned): void {
  const facts = oauthOf(site);
  const iss = query['iss'];
  // INVARIANT (asked and answered by one): who was asked stands with the consent; what the server names by now may be another.
  const other = consent.issuer !== site.auth.boundTo?.issuer;
  const expected = facts.issuer === undefined ? undefined : siteAddress(site, facts.issuer);
  const fits =
    expected === undefined
      ? iss === undefined || URL.parse(iss)?.origin === new URL(siteAddress(site, facts.authorize)).origin
      : iss === expected || (iss === undefined && facts.namesItself === 'perhaps');
  if (!fits || other)
    throw returned('connectors/consent-other-issuer', `this answer does not come from ${site.name}`, {
      iss: iss?.slice(0, 200),
    });
}

function codeOf({ site }: AtConnector, query: Returned): string {
  const error = query['error'];
  if (error !== undefined) {
    const explained = oauthOf(site).explain?.(query, site.settings);
    const said = [error, query['error_description']].filter((s) => s !== undefined && s !== '').join(': ');
    throw new Problem('forbidden', 'connectors/consent-not-agreed', {
      says:
        error === 'access_denied' && explained === undefined
          ? `you did not agree at ${site.name}, or its administrators do not let people agree`
          : `${site.name} did not let you connect: ${cleaned(explained ?? said, [])}`,
      fix: 'begin again at /connections, or ask an administrator',
    });
  }
  const code = query['code'];
  if (code === undefined || code === '' || code.length > 8000)
    throw returned('connectors/consent-no-code', `${site.name} sent neither an answer nor a reason`);
  return code;
}

function notGiven(name: string, outcome: Extract<TokenOutcome, { kind: 'refused' }>): Problem {
  if (outcome.because === 'app') return vaultRefusals.app(name, outcome.code, outcome.says);
  return new Problem('upstream', 'connectors/consent-no-token', {
    says: `${name} gave no token for your consent (${outcome.says})`,
    fix: 'begin again at /connections',
  });
}

/** The most that all scopes are there for, up to what was asked for. */
function accessOf({ site }: AtConnector, scopes: readonly string[], asked: Access): Access | undefined {
  const covers = (a: Access): boolean => missingScopes(scopesFor(site, a), scopes).length === 0;
  if (asked === 'read_write' && covers('read_write')) return 'read_write';
  return covers('read_only') ? 'read_only' : undefined;
}

const sameAccount = (c: Connection, account: Account): boolean =>
  c.account?.subject === account.subject && c.account.tenant === account.tenant;

/** Keeps what came only for as long as it takes to end it at the vendor, and says no. */
async function refuseGrant(
  at: AtConnector,
  consent: Consent,
  made: Connection,
  tokens: KeptTokens,
  why: Refusal,
): Promise<never> {
  const { ctx, site } = at;
  const ended: Connection = {
    ...made,
    standing: { state: 'revoked', at: ctx.now, by: consent.user, why: 'refused', vendor: 'waiting' },
  };
  const sealed = await sealKept(ctx.seal, ctx.org, ended, tokens);
  await change(ctx, async (tx) => {
    await insertConnection(tx, ended, sealed);
    await enqueue(
      tx,
      TELL_VENDOR,
      { parent: ctx.parent, org: ctx.org, connection: ended.id },
      { key: `${TELL_VENDOR} ${ended.id}` },
    );
    return { value: undefined, events: [refusedEvent(consent, why.why, ended.id)] };
  });
  // At once; should it fail, the job goes on.
  await tellVendor({ ...ctx, now: () => ctx.now }, () => Promise.resolve(site), ctx, ended.id);
  throw refused(site.name, why);
}

const refusedEvent = (consent: Consent, why: string, connection: Id<'cnn'> | null) =>
  event(connectEvents, 'connection.consent_refused', {
    consent: consent.id,
    connector: consent.connector,
    why,
    connection,
  });

const tellRefused = (ctx: OrgCtx, consent: Consent, why: string): Promise<void> =>
  change(ctx, () => Promise.resolve({ value: undefined, events: [refusedEvent(consent, why, null)] }));

const refusalCodes = {
  unknown_account: 'connectors/unknown-account',
  foreign_account: 'connectors/foreign-account',
  other_address: 'connectors/other-address',
  scopes_missing: 'connectors/scopes-missing',
  not_here: 'connectors/not-here',
} as const;
type Refusal = { why: keyof typeof refusalCodes; says: string };

const refused = (name: string, why: Refusal): Problem =>
  new Problem('forbidden', refusalCodes[why.why], {
    says: `this account of ${name} was not connected: ${why.says}`,
    fix:
      why.why === 'scopes_missing'
        ? 'begin again at /connections and agree to all of it'
        : why.why === 'not_here'
          ? 'ask an administrator'
          : 'begin again at /connections with the account that your organization gave you there',
  });
