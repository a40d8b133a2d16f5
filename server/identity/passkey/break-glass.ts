import type { Reader } from '#kernel/db.ts';
import { listBreakGlassRows, type BreakGlassRow } from './passkey.sql.ts';

/** Why a break-glass account would not get anybody in; each with what to do. */
export const breakGlassGaps = [
  'suspended',
  'not_local',
  'not_owner',
  'no_passkey',
  'never_proved',
  'proof_too_old',
] as const;
export type BreakGlassGap = (typeof breakGlassGaps)[number];

/** A proof counts for this long: people leave, phones break, and nobody notices a key that is lost until it is needed. */
export const PROOF_MS = 90 * 24 * 3600_000;

export type BreakGlass = BreakGlassRow & { gaps: readonly BreakGlassGap[] };

/** What is missing before the account is proved usable, in the order in which it can be mended. */
export function gapsOf(row: BreakGlassRow, now: Date): BreakGlassGap[] {
  const gaps: BreakGlassGap[] = [];
  if (!row.active) gaps.push('suspended');
  // An account that a directory owns is suspended by that directory: on the day that it goes wrong, of all days.
  if (!row.local) gaps.push('not_local');
  if (row.role !== 'owner' && row.role !== 'primary_owner') gaps.push('not_owner');
  if (!row.provedAt) gaps.push(row.passkeys === 0 ? 'no_passkey' : 'never_proved');
  else if (now.getTime() - row.provedAt.getTime() > PROOF_MS) gaps.push('proof_too_old');
  return gaps;
}

/**
 * The break-glass accounts of the transaction's organization, and what keeps each from being one. `gaps` empty: proved usable, by a sign-in
 * with its passkey, or with a set-up link, at `provedAt`. INVARIANT (a way back): enforcement begins only while one account is without gaps.
 */
export const listBreakGlass = async (db: Reader, now: Date): Promise<BreakGlass[]> =>
  (await listBreakGlassRows(db)).map((row) => ({ ...row, gaps: gapsOf(row, now) }));
