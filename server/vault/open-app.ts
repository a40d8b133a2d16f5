import type { CryptoKey } from 'oauth4webapi';
import type { Id } from '#kernel/id.ts';
import type { Seal } from '#kernel/seal.ts';
import { Secret } from '#kernel/secret.ts';
import { appAad, type ConnectorApp } from './connector-app.ts';
import type { SealedApp } from './connector-app.sql.ts';
import type { ClientAuthMethod, OAuthFacts } from './oauth-facts.ts';
import { vaultRefusals } from './refusals.ts';

/** An app with what proves at the vendor that it is us, for the length of one question. */
export type OpenedApp = { clientId: string } & (
  | { method: 'none'; secret?: undefined }
  | { method: 'client_secret_basic' | 'client_secret_post'; secret: Secret }
  | { method: 'private_key_jwt'; key: CryptoKey; keyId: string; secret?: undefined }
);

/** Opens it as the vendor wants it; an app that has a secret where the vendor wants a key is no use (`vault/app`). */
export async function openApp(
  seal: Pick<Seal, 'open'>,
  org: Id<'org'>,
  facts: Pick<OAuthFacts, 'clientAuth' | 'clientAuths' | 'issuer'>,
  found: SealedApp | undefined,
  name: string,
): Promise<OpenedApp> {
  if (!found) throw vaultRefusals.app(name, 'no_app', 'no app is registered for this connector');
  const { app, sealed } = found;
  const { clientId } = app;
  // INVARIANT (one issuer): what proves us at one authorization server is not shown to another.
  if (facts.clientAuth === 'registered' && app.issuer !== facts.issuer)
    throw vaultRefusals.app(name, 'other_issuer', 'the app belongs to another authorization server than it names now');
  const clientAuth = facts.clientAuth === 'registered' ? methodOf(app, facts.clientAuths ?? []) : facts.clientAuth;
  if (clientAuth === 'none') return { clientId, method: 'none' };
  if (!sealed) throw vaultRefusals.app(name, 'no_secret', 'the app has no secret');
  const opened = await seal.open(appAad(org, app.connector, app.generation), sealed);
  try {
    if (clientAuth !== 'private_key_jwt' && app.proof.kind === 'secret')
      return { clientId, method: clientAuth, secret: new Secret(opened) };
    // A vendor that takes signed assertions takes secrets too (RFC 7591 §2), so an app that has only one still works.
    if (app.proof.kind === 'secret') return { clientId, method: 'client_secret_post', secret: new Secret(opened) };
    if (clientAuth !== 'private_key_jwt' || app.proof.kind !== 'key')
      throw vaultRefusals.app(name, 'wrong_proof', 'the app has a key, and this vendor wants a secret');
    const key = await crypto.subtle.importKey(
      'pkcs8',
      new Uint8Array(opened),
      { name: 'RSA-PSS', hash: 'SHA-256' },
      false,
      ['sign'],
    );
    return { clientId, method: 'private_key_jwt', key, keyId: app.proof.keyId };
  } finally {
    opened.fill(0);
  }
}

/** How an app proves itself that does not follow from its vendor: as its registration said, else as it can and as is taken there. */
export function methodOf(app: Pick<ConnectorApp, 'proof' | 'method'>, taken: readonly string[]): ClientAuthMethod {
  if (app.method) return app.method;
  if (app.proof.kind === 'none') return 'none';
  if (app.proof.kind === 'key') return 'private_key_jwt';
  return taken.includes('client_secret_post') && !taken.includes('client_secret_basic')
    ? 'client_secret_post'
    : 'client_secret_basic';
}
