import { randomBytes } from 'node:crypto';
import type { Id } from '#kernel/id.ts';

/** What proves a domain: a TXT record with this value, at this name or on the domain itself. */
export type Challenge = { name: string; token: string; parent: Id<'par'> };

export const CHALLENGE_LABEL = '_gatehouse-challenge';
const KEY = 'gatehouse-domain-verification=';

/** 128 random bits. Not a secret once it is in DNS: what counts is that only the domain's owner could put it there. It never expires. */
export const newToken = (): string => randomBytes(16).toString('hex');

export const challengeHost = (name: string): string => `${CHALLENGE_LABEL}.${name}`;

export const challengeValue = (c: Pick<Challenge, 'parent' | 'token'>): string => `${KEY}${c.parent}.${c.token}`;

/**
 * What one TXT value is to a challenge. `quoted`: ours inside quotation marks that DNS took for part of the value. `old`: of this parent,
 * with another token: from before the domain was removed and added again. `foreign`: of another parent. `none`: about something else.
 */
export type TxtMeans = 'token' | 'quoted' | 'old' | 'foreign' | 'none';

/** A pair of straight quotes around the whole value makes no difference: many panels show values so, and people paste what they see. */
const PLAIN_QUOTES = /^"(.*)"$/s;
const ANY_QUOTES = /["'`\\\u00ab\u00bb\u2018-\u201f]/gu;

export function readTxt(c: Challenge, value: string): TxtMeans {
  const trimmed = value.trim();
  const bare = trimmed.replace(PLAIN_QUOTES, '$1').trim();
  const wanted = challengeValue(c);
  if (bare === wanted) return 'token';
  const unquoted = trimmed.replace(ANY_QUOTES, '');
  if (unquoted !== trimmed && unquoted.trim() === wanted) return 'quoted';
  const [, parent] = /^gatehouse-domain-verification=(par_[0-9a-f]{32})\.[0-9a-f]{32}$/i.exec(bare) ?? [];
  if (parent === undefined) return 'none';
  return parent.toLowerCase() === c.parent ? 'old' : 'foreign';
}

/** Names where people put the record by mistake. Looked at only when the right ones do not have it, to say so. */
export function wrongHosts(name: string, registrable: string): string[] {
  const label = CHALLENGE_LABEL.slice(1);
  return [
    // Panels that add the zone by themselves make it twice.
    `${CHALLENGE_LABEL}.${name}.${name}`,
    `${CHALLENGE_LABEL}.${CHALLENGE_LABEL}.${name}`,
    `${label}.${name}`,
    `${CHALLENGE_LABEL}.www.${name}`,
    `www.${name}`,
    // The apex of the zone, where a subdomain was meant.
    ...(registrable === name
      ? []
      : [`${CHALLENGE_LABEL}.${registrable}`, registrable, `${CHALLENGE_LABEL}.${name}.${registrable}`]),
  ].filter((host) => host.length <= 253);
}
