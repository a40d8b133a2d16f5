import type { Ctx } from '#kernel/ctx.ts';
import { Secret } from '#kernel/secret.ts';
import { secretPlace, type SsoConnection } from '../sso-connection.ts';
import { clientKey, type ClientKey } from './client-key.ts';

/** How a connection proves at its provider that it is us; undefined: a public client, which only PKCE protects. */
export type ClientCredential = Secret | ClientKey | undefined;

/** Opens or derives it. Never inside a transaction. */
export async function openCredential(ctx: Ctx, c: SsoConnection): Promise<ClientCredential> {
  if (c.authMethod === 'private_key_jwt') return clientKey(ctx.seal, c.id, c.secretGeneration);
  if (!c.secretSealed) return undefined;
  return new Secret(await ctx.seal.open(secretPlace(ctx.parent, c.id, c.secretGeneration), c.secretSealed));
}
