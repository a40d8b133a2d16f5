import type { Reader } from '#kernel/db.ts';
import { inRanges, plainRange } from '#kernel/client-address.ts';
import { Problem } from '#kernel/problem.ts';
import { SESSION_IDLE_S, SESSION_MAX_S } from '../session.ts';
import { findOrgAccess } from './org-access.sql.ts';

/** How an organization wants its people to come in. */
export type OrgAccess = {
  /** Seconds; null: the usual. */
  sessionIdleS: number | null;
  sessionMaxS: number | null;
  /** CIDRs; empty lets every address in. */
  addresses: readonly string[];
  /** Whether its people may sign in with a passkey instead of the identity provider. */
  passkeys: boolean;
  /** Whether its people may sign in with a link that is mailed to them; counts when all organizations of a person allow it. */
  mailLinks: boolean;
};

/** Of an organization that never said anything. */
export const usualAccess: OrgAccess = {
  sessionIdleS: null,
  sessionMaxS: null,
  addresses: [],
  passkeys: false,
  mailLinks: false,
};

/** More is a firewall's configuration, not an organization's. */
export const MAX_RANGES = 200;

/** The ranges in one spelling, without doubles, or a refusal that names the first that is none. */
export function readRanges(texts: readonly string[]): string[] {
  const ranges = texts.map((text) => {
    const range = plainRange(text);
    if (range !== undefined) return range;
    throw new Problem('invalid', 'identity/not-a-range', {
      says: `"${text.slice(0, 60)}" is not a range of addresses`,
      fix: 'write it like 192.0.2.0/24 or 2001:db8::/32, with all bits behind the prefix zero, or give a single address',
    });
  });
  return [...new Set(ranges)].sort();
}

/** A length that means what it says. */
export function refuseLength(a: Pick<OrgAccess, 'sessionIdleS' | 'sessionMaxS'>): void {
  const outside = (s: number | null, range: { least: number; most: number }): boolean =>
    s !== null && (s < range.least || s > range.most);
  if (outside(a.sessionIdleS, SESSION_IDLE_S) || outside(a.sessionMaxS, SESSION_MAX_S))
    throw new Problem('invalid', 'identity/session-length', {
      says: `a session lasts ${SESSION_MAX_S.least} to ${SESSION_MAX_S.most} seconds, and ${SESSION_IDLE_S.least} to ${SESSION_IDLE_S.most} unused`,
      fix: 'choose a length within these, or null for the usual one',
    });
}

/** Whether an address is let in. */
export const letsIn = (addresses: readonly string[], address: string | undefined): boolean =>
  addresses.length === 0 || inRanges(address, addresses);

/**
 * Refuses a request from elsewhere. INVARIANT (every surface of an organization): the gate of the API and the gateway ask this for whoever
 * acts in an organization, with a session, a key or an agent's token. Identity providers that push through SCIM are not asked: their
 * addresses are theirs, and they have a token of their own.
 */
export async function refuseElsewhere(db: Reader, address: string | undefined): Promise<void> {
  const access = await findOrgAccess(db);
  if (access && !letsIn(access.addresses, address)) throw elsewhere(address);
}

/** The refusal, for doors that remember the ranges themselves. */
export const elsewhere = (address: string | undefined): Problem =>
  new Problem('forbidden', 'identity/address-not-allowed', {
    says: `this organization lets in some addresses only, and ${address ?? 'yours, which we cannot see,'} is not one of them`,
    fix: 'use the network of your organization; whoever owns the organization can see and change the list',
    more: address === undefined ? {} : { address },
  });
