import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findOrg } from '#org/org.sql.ts';
import { can } from '#org/roles.ts';
import { findUser } from '#org/user.sql.ts';
import { hashSecret, isSecret } from '../cookies.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import {
  linkEnded,
  linkUnbacked,
  neededFor,
  notATaskOfLink,
  noSuchLink,
  stateOf,
  type IdpSetupLink,
  type Task,
} from './link.ts';
import { findLinkByHash, lookupLink, saveOpened } from './link.sql.ts';

/** Somebody who holds a live link: where it leads, what it is for, who sent it. Everything that they do has the link as its actor. */
export type Visit = { ctx: OrgCtx; token: string; link: IdpSetupLink; orgName: string; by: string };

/**
 * Lets the holder of a token in, for one request. INVARIANT (no more than its maker): a link opens only while who made it is a member who
 * still has the permissions behind its tasks, so that it ends with them like their API keys.
 */
export async function openIdpSetupLink(anybody: Ctx, token: string, task?: Task): Promise<Visit> {
  const hash = hashSecret(token);
  const at = isSecret(token) ? await anybody.db.lookup(lookupLink(hash)) : undefined;
  if (!at) throw noSuchLink();
  const found = await anybody.db.read(at, async (db) => {
    const link = await findLinkByHash(db, hash);
    if (!link) throw noSuchLink();
    return {
      link,
      org: await findOrg(db, link.org),
      maker: await findUser(db, link.createdBy),
      member: await findMemberByUser(db, link.createdBy),
    };
  });
  const { link, org, maker, member } = found;
  if (!org) throw noSuchLink();
  const by = maker?.displayName ?? 'whoever sent it';
  const state = stateOf(link, anybody.now);
  if (state !== 'live') throw linkEnded(state, link, by);
  if (maker?.state !== 'active' || !member || link.tasks.some((t) => !can(member.role, neededFor[t])))
    throw linkUnbacked(by);
  if (task && !link.tasks.includes(task)) throw notATaskOfLink();
  const ctx: OrgCtx = { ...anybody, parent: at.parent, org: at.org, actor: { kind: 'system', id: link.id } };
  if (!link.openedAt)
    await change({ ...ctx, org: undefined }, async (tx) =>
      (await saveOpened(tx, link.id, ctx.now)) === 0
        ? { value: undefined, unchanged: true }
        : { value: undefined, events: [event(idpSetupEvents, 'idp_setup.link_opened', { link: link.id })] },
    );
  return { ctx, token, link, orgName: org.name, by };
}
