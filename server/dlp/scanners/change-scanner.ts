import { isDeepStrictEqual } from 'node:util';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { parseCredentials } from './credentials.ts';
import { noScanner, scannerUrls, secretAad, type Scanner } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { findNamesake, findScanner, lockScanner, saveScanner, saveScannerSecrets } from './scanner.sql.ts';
import { checkAddresses, meanwhile, nameTaken, settingsOf } from './settings.ts';

type Settings = Omit<Scanner, 'id' | 'secrets' | 'created'>;
/** What is absent stays. */
export type ScannerEdit = { [K in keyof Settings]?: Settings[K] | undefined } & {
  /** Needed when an address moves to another host. */
  credentials?: unknown;
};

const origins = (s: Pick<Scanner, 'config'>): string[] => scannerUrls(s.config).map((u) => URL.parse(u)?.origin ?? u);

/**
 * Changes what is given. INVARIANT (credentials stay where they were given for): credentials that are sent never go to another host because an
 * address was changed; they are given again with the change. Of a webhook that concerns the headers too, and its secret with them.
 */
export async function changeScanner(
  ctx: OrgCtx,
  id: Id<'scn'>,
  { credentials: given, ...edit }: ScannerEdit,
): Promise<Scanner> {
  const before = await ctx.db.read(scopeOf(ctx), (db) => findScanner(db, id));
  if (!before) throw noScanner(id);
  const after = edited(before, edit);
  checkAddresses(after);
  const moved = !isDeepStrictEqual(origins(before), origins(after));
  if (moved && given === undefined)
    throw new Problem('invalid', 'dlp/scanner-moved', {
      says: 'the scanner would move to another host, and its credentials were given for the one before',
      fix: 'send the credentials again with the change',
    });
  if (!moved && given !== undefined)
    throw new Problem('invalid', 'dlp/scanner-not-moved', {
      says: 'credentials change with the host only; the host stays the same',
      fix: 'use rotate-secret, which lets the old credentials count for a while',
    });
  const generation = before.secrets.generation + 1;
  const sealed =
    given === undefined
      ? undefined
      : await ctx.seal.seal(
          secretAad(ctx.org, id, generation),
          Buffer.from(JSON.stringify(parseCredentials(after.config.kind, given))),
        );
  return change(ctx, async (tx) => {
    const now = await lockScanner(tx, id);
    if (!now) throw noScanner(id);
    if (now.secrets.generation !== before.secrets.generation || !isDeepStrictEqual(now.config, before.config))
      throw meanwhile();
    const next = edited(now, edit);
    if (sealed === undefined && isDeepStrictEqual(next, now)) return { value: now, unchanged: true };
    if (await findNamesake(tx, next.name, id)) throw nameTaken(next.name);
    await saveScanner(tx, next);
    const secrets = sealed && { generation, current: { sealed, since: ctx.now }, previous: undefined };
    if (secrets) await saveScannerSecrets(tx, id, secrets);
    const value = secrets ? { ...next, secrets } : next;
    return { value, events: [event(scannerEvents, 'dlp.scanner_changed', settingsOf(value))] };
  });
}

/** Refuses another kind: that is another scanner. */
function edited(s: Scanner, edit: Omit<ScannerEdit, 'credentials'>): Scanner {
  if (edit.config && edit.config.kind !== s.config.kind)
    throw new Problem('invalid', 'dlp/scanner-kind', {
      says: `this scanner is of the kind ${s.config.kind}, which it stays`,
      fix: `add another scanner of the kind ${edit.config.kind} and remove this one`,
    });
  return {
    ...s,
    name: edit.name ?? s.name,
    config: edit.config ?? s.config,
    allowPrivate: edit.allowPrivate ?? s.allowPrivate,
    phases: edit.phases ?? s.phases,
    mode: edit.mode ?? s.mode,
    percentage: edit.percentage ?? s.percentage,
    failMode: edit.failMode === undefined ? s.failMode : edit.failMode,
    timeoutMs: edit.timeoutMs ?? s.timeoutMs,
    excludedRoles: edit.excludedRoles ?? s.excludedRoles,
    excludedGroups: edit.excludedGroups ?? s.excludedGroups,
    state: edit.state ?? s.state,
  };
}
