import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { noSuchLink } from './link.ts';
import { lockLink, saveRevoked } from './link.sql.ts';

/** Takes a link back at once. What was connected through it stays; taking it back again changes nothing. */
export const revokeIdpSetupLink = (ctx: OrgCtx, id: Id<'isl'>): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await lockLink(tx, ctx.org, id))) throw noSuchLink();
    if ((await saveRevoked(tx, id, ctx.now)) === 0) return { value: undefined, unchanged: true };
    return { value: undefined, events: [event(idpSetupEvents, 'idp_setup.link_revoked', { link: id })] };
  });
