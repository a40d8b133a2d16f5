import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { actorId } from '../actor-id.ts';
import { newSigningSecret, parseCredentials } from './credentials.ts';
import { secretAad, type Scanner } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { insertScanner } from './scanner.sql.ts';
import { checkAddresses, nameTaken, settingsOf } from './settings.ts';

export type NewScanner = Omit<Scanner, 'id' | 'secrets' | 'created'> & {
  /** By kind, see credentials.ts; a webhook's signing secret is made here unless one is brought. */
  credentials: unknown;
};
/** `signingSecret` is shown this once, and only if it was made here. */
export type Added = { scanner: Scanner; signingSecret: string | undefined };

/** Makes a scanner known. Its addresses are checked for their form; `testScanner` says whether it answers. */
export async function addScanner(ctx: OrgCtx, { credentials: given, ...n }: NewScanner): Promise<Added> {
  checkAddresses(n);
  const made = n.config.kind === 'webhook' && !hasSigningSecret(given) ? newSigningSecret() : undefined;
  const credentials = parseCredentials(
    n.config.kind,
    made === undefined ? (given ?? {}) : { ...(isRecord(given) ? given : {}), signingSecret: made },
  );
  const id = newId('scn', ctx.now.getTime());
  const sealed = await ctx.seal.seal(secretAad(ctx.org, id, 1), Buffer.from(JSON.stringify(credentials)));
  const scanner: Scanner = {
    ...n,
    id,
    secrets: { generation: 1, current: { sealed, since: ctx.now }, previous: undefined },
    created: ctx.now,
  };
  return change(ctx, async (tx) => {
    if ((await insertScanner(tx, scanner, actorId(ctx.actor))) === 0) throw nameTaken(n.name);
    return {
      value: { scanner, signingSecret: made },
      events: [event(scannerEvents, 'dlp.scanner_added', settingsOf(scanner))],
    };
  });
}

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const hasSigningSecret = (given: unknown): boolean => isRecord(given) && given['signingSecret'] !== undefined;
