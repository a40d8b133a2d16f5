import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { accessEvents } from './access.events.ts';
import { letsIn, MAX_RANGES, readRanges, refuseLength, usualAccess, type OrgAccess } from './org-access.ts';
import { findOrgAccess, saveOrgAccess } from './org-access.sql.ts';

/**
 * Sets how an organization's people come in. INVARIANT (no lock-out by accident): a list that leaves out the address of the one who sets it
 * is refused, unless they say that they mean it.
 */
export async function changeOrgAccess(
  ctx: OrgCtx,
  wanted: Partial<OrgAccess>,
  confirm: { evenIfItShutsMeOut: boolean },
): Promise<OrgAccess> {
  if ((wanted.addresses?.length ?? 0) > MAX_RANGES)
    throw new Problem('invalid', 'identity/too-many-ranges', {
      says: `these are ${wanted.addresses?.length} ranges; ${MAX_RANGES} are possible`,
      fix: 'join ranges that lie side by side, or let a firewall decide',
    });
  const given = wanted.addresses ? { addresses: readRanges(wanted.addresses) } : {};
  return change(ctx, async (tx) => {
    const before = (await findOrgAccess(tx)) ?? usualAccess;
    const next: OrgAccess = { ...before, ...wanted, ...given };
    refuseLength(next);
    const shutsOut = !letsIn(next.addresses, ctx.address);
    // Only a list that is new here needs the word: who could set it before is in already.
    if (shutsOut && given.addresses && !confirm.evenIfItShutsMeOut)
      throw new Problem('conflict', 'identity/would-shut-you-out', {
        says: `your own address, ${ctx.address ?? 'which we cannot see'}, is not in these ranges, so your next request would be refused`,
        fix: 'add it, or repeat the request with "evenIfItShutsMeOut": true',
        more: ctx.address === undefined ? {} : { address: ctx.address },
      });
    if ((await saveOrgAccess(tx, next, ctx.now)) === 0) return { value: next, unchanged: true };
    return {
      value: next,
      events: [
        event(accessEvents, 'access.changed', {
          sessionIdleS: next.sessionIdleS,
          sessionMaxS: next.sessionMaxS,
          ranges: next.addresses.length,
          passkeys: next.passkeys,
          mailLinks: next.mailLinks,
          shutsOutWhoSet: shutsOut,
        }),
      ],
    };
  });
}
