import { createHash, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { pemOf, selfSigned } from '#kernel/self-signed.ts';
import { appAad, type AppProof, type ConnectorApp } from '#vault/connector-app.ts';
import { findApp, findSealedApp, saveApp, type NewApp } from '#vault/connector-app.sql.ts';
import { saveRetryNow } from '#vault/connection.sql.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { oauthOf } from '#vault/vendor-site.ts';
import type { AtConnector } from './place.ts';

const DAY_MS = 86_400_000;
/** As long as vendors let a certificate be good without a warning. */
const CERTIFICATE_DAYS = 730;

export type AppWish = {
  clientId: string;
  /** What the vendor made; `key`: a new key pair of ours, whose certificate goes to the vendor; absent: what is there stays. */
  proof: { kind: 'secret'; secret: Secret } | { kind: 'key' } | undefined;
  ends: Date | undefined;
  sameAddress: boolean | undefined;
};

/** Registers the app of a connector, or goes over to another. What was there before is gone with it: nobody is asked for it any more. */
export async function setApp({ ctx, connector, site, found }: AtConnector, wish: AppWish): Promise<ConnectorApp> {
  const facts = oauthOf(site);
  const there = await ctx.db.read(scopeOf(ctx), (db) => findSealedApp(db, connector.id));
  const issuer = site.auth.boundTo?.issuer;
  // What stays is what an administrator entered, for the same authorization server.
  const before = there?.app.way === 'given' && there.app.issuer === issuer ? there : undefined;
  const generation = (there?.app.generation ?? 0) + 1;
  const proof = wish.proof && (await sealedProof(wish.proof));
  if (!proof && !before && facts.clientAuth !== 'none' && facts.clientAuth !== 'registered')
    throw new Problem('invalid', 'connectors/app-secret', {
      says: `${site.name} wants the app to prove itself, and there is neither a secret nor a key`,
      fix:
        facts.clientAuth === 'private_key_jwt'
          ? 'ask for a key with `key: true`, or give clientSecret'
          : 'give clientSecret',
    });
  if (wish.proof?.kind === 'key' && facts.clientAuth !== 'private_key_jwt' && !takesKey(found))
    throw new Problem('invalid', 'connectors/app-key', {
      says: `${site.name} takes a secret and no key`,
      fix: 'give clientSecret',
    });

  async function sealedProof(
    p: NonNullable<AppWish['proof']>,
  ): Promise<{ proof: AppProof; sealed: Buffer; ends?: Date }> {
    const plain =
      p.kind === 'secret' ? { secret: Buffer.from(p.secret.reveal()) } : await newKey(ctx.now, connector.id);
    const sealed = await ctx.seal.seal(appAad(ctx.org, connector.id, generation), plain.secret);
    plain.secret.fill(0);
    return 'key' in plain ? { proof: plain.key, sealed, ends: plain.ends } : { proof: { kind: 'secret' }, sealed };
  }

  const next: NewApp = {
    connector: connector.id,
    clientId: wish.clientId,
    // What stays was sealed for its own generation.
    generation: proof || !before ? generation : before.app.generation,
    proof: proof?.proof ?? before?.app.proof ?? { kind: 'none' },
    sealed: proof ? proof.sealed : before?.sealed,
    sameAddress: wish.sameAddress ?? before?.app.sameAddress ?? true,
    ends: wish.ends ?? proof?.ends ?? (proof ? undefined : before?.app.ends),
    set: { by: ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id, at: ctx.now },
    way: 'given',
    issuer,
    method: undefined,
  };
  return change(ctx, async (tx) => {
    if ((await saveApp(tx, next, there?.app.generation ?? 0)) === 0)
      throw new Problem('stale', 'connectors/app-changed', {
        says: 'somebody else has changed this app at the same moment',
        fix: 'look at it and try again',
      });
    await saveRetryNow(tx, connector.id);
    const app = await findApp(tx, connector.id);
    if (!app) throw new Problem('bug', 'connectors/no-app', { says: 'the app is not there after it was saved' });
    const { kind } = next.proof;
    const data = {
      connector: connector.id,
      kind,
      generation: next.generation,
      sameAddress: next.sameAddress,
      ends: next.ends?.toISOString() ?? null,
    };
    return { value: app, events: [event(vaultEvents, 'connector_app.set', data)] };
  });
}

/** Ours sign with PS256. */
const takesKey = (f: AtConnector['found']): boolean =>
  f?.auths.includes('private_key_jwt') === true && (f.algorithms.length === 0 || f.algorithms.includes('PS256'));

/** A key that never leaves: sealed as PKCS #8, its certificate is what the vendor is given. */
async function newKey(now: Date, name: string): Promise<{ secret: Buffer; key: AppProof; ends: Date }> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
  const ends = new Date(now.getTime() + CERTIFICATE_DAYS * DAY_MS);
  const der = selfSigned(privateKey, {
    name: `Gatehouse ${name}`,
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: ends,
  });
  return {
    secret: privateKey.export({ format: 'der', type: 'pkcs8' }),
    key: { kind: 'key', certificate: pemOf(der), keyId: createHash('sha256').update(der).digest('base64url') },
    ends,
  };
}
