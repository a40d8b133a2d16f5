import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { newSigningSecret, openCredentials, parseCredentials } from './credentials.ts';
import { noScanner, secretAad, type Scanner, type SealedSecrets } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { findScanner, lockScanner, saveScannerSecrets } from './scanner.sql.ts';
import { meanwhile } from './settings.ts';

export type Rotation = {
  /** What changes; the rest of the credentials stays. A webhook gets a new signing secret unless one is brought. */
  credentials?: Record<string, unknown> | undefined;
  /** How long the ones before count too. 0: not at all, for a secret that has leaked. */
  overlapMinutes: number;
};

/** New credentials beside the old ones for a while: what is signed is signed with both, so no receiver refuses anything meanwhile. */
export async function rotateScannerSecret(
  ctx: OrgCtx,
  id: Id<'scn'>,
  { credentials: given, overlapMinutes }: Rotation,
): Promise<{ scanner: Scanner; signingSecret: string | undefined }> {
  const before = await ctx.db.read(scopeOf(ctx), (db) => findScanner(db, id));
  if (!before) throw noScanner(id);
  const { kind } = before.config;
  const made = kind === 'webhook' && given?.['signingSecret'] === undefined ? newSigningSecret() : undefined;
  // Another way to prove who we are replaces the one before; of a webhook and of headers, what is not given stays.
  const kept =
    kind === 'webhook' || given === undefined
      ? (await openCredentials(ctx.seal, ctx.org, before, kind, ctx.now)).current
      : {};
  const credentials = parseCredentials(kind, {
    ...kept,
    ...given,
    ...(made === undefined ? {} : { signingSecret: made }),
  });
  const generation = before.secrets.generation + 1;
  const sealed = await ctx.seal.seal(secretAad(ctx.org, id, generation), Buffer.from(JSON.stringify(credentials)));
  return change(ctx, async (tx) => {
    const now = await lockScanner(tx, id);
    if (!now) throw noScanner(id);
    if (now.secrets.generation !== before.secrets.generation) throw meanwhile();
    const until = new Date(ctx.now.getTime() + overlapMinutes * 60_000);
    const { current } = now.secrets;
    const secrets: SealedSecrets = {
      generation,
      current: { sealed, since: ctx.now },
      previous: current && overlapMinutes > 0 ? { sealed: current.sealed, until } : undefined,
    };
    await saveScannerSecrets(tx, id, secrets);
    return {
      value: { scanner: { ...now, secrets }, signingSecret: made },
      events: [
        event(scannerEvents, 'dlp.scanner_secret_rotated', {
          scanner: id,
          generation,
          previousUntil: secrets.previous?.until.toISOString() ?? null,
        }),
      ],
    };
  });
}
