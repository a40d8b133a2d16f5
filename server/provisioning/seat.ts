import { Problem } from '#kernel/problem.ts';

/** The limit of the whole organization, beside those of single tiers. */
export const ALL_TIERS = '*';

/** How many seats are left for somebody of a tier: the whole organization's and the tier's limit both count. */
export function seatsLeft(
  limits: readonly { tier: string; seats: number; taken: number }[],
  tier: string | null,
): number | 'no_limit' {
  const left = limits.filter((l) => l.tier === ALL_TIERS || l.tier === tier).map((l) => Math.max(0, l.seats - l.taken));
  return left.length === 0 ? 'no_limit' : Math.min(...left);
}

/** What a member reads who has no seat. */
export const noSeat = (): Problem =>
  new Problem('forbidden', 'provisioning/no-seat', {
    says: 'you are a member of this organization, but every seat of it is taken',
    fix: 'ask whoever manages people there to free a seat or to raise the limit, then sign in again',
  });
