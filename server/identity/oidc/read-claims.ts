import type { IDToken } from 'openid-client';
import { CLOCK_TOLERANCE_S, type IdClaims } from '../relying-party.ts';
import { refusal } from '../sign-in-refusal.ts';

/** Step-up: a provider that was asked for a fresh proof says when it had one (OIDC Core §3.1.2.1), or has not done what was asked. */
export function refuseStaleProof(claims: IDToken, since: Date | undefined): void {
  if (!since) return;
  const { auth_time: at } = claims;
  if (typeof at === 'number' && at + CLOCK_TOLERANCE_S >= since.getTime() / 1000) return;
  throw refusal('claims', 'identity/stale-proof', {
    says: 'the identity provider vouches for an earlier sign-in, and this step needs a new one',
    fix: 'sign out at the identity provider and begin again',
    found: `auth_time ${typeof at === 'number' ? new Date(at * 1000).toISOString() : 'missing'}`,
    expected: `auth_time after ${since.toISOString()}`,
  });
}

/** A text that says something. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

/** Name, address and groups as providers spell them. An address that the provider has not verified is none. */
export function saidOf(claims: IDToken, otherId: string | undefined): IdClaims['said'] {
  const {
    email,
    email_verified: verified,
    name,
    given_name: given,
    family_name: family,
    groups,
    department,
    _claim_names: away,
  } = claims;
  const full = [textOf(given), textOf(family)].filter((p) => p !== undefined).join(' ');
  return {
    subject: claims.sub,
    otherId,
    // Some say "false" in quotes.
    email: verified === false || verified === 'false' ? undefined : textOf(email),
    displayName: textOf(name) ?? (full === '' ? undefined : full),
    // Entra leaves groups out above 200 and says so here; some providers send a single group as a text.
    groups:
      typeof away === 'object' && away !== null && 'groups' in away
        ? 'too_many'
        : (Array.isArray(groups) ? groups : [groups]).filter((g): g is string => typeof g === 'string'),
    department: textOf(department),
  };
}
