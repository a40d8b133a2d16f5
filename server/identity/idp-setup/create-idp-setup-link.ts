import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { permissionsOfActor } from '#org/actor.ts';
import { findApiKey } from '#org/api-key.sql.ts';
import { hashSecret, newSecret } from '../cookies.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { daysAfter, neededFor, type IdpSetupLink, type Task } from './link.ts';
import { insertLink } from './link.sql.ts';

export type WantedLink = {
  name: string;
  tasks: readonly Task[];
  days: number;
  activates: boolean;
  allowPrivate: readonly string[];
  provider: string | null;
};

/** Makes a set-up link. Its address is in this answer and nowhere else: we keep the hash of its token. */
export async function createIdpSetupLink(
  ctx: OrgCtx,
  wanted: WantedLink,
): Promise<{ link: IdpSetupLink; url: string }> {
  const { has, creator } = await ctx.db.read({ parent: ctx.parent, org: ctx.org }, async (db) => ({
    has: await permissionsOfActor(db, ctx),
    creator: await creatorOf(),
  }));
  const beyond = [...new Set(wanted.tasks.map((t) => neededFor[t]))].filter((p) => !has.has(p));
  if (!creator || beyond.length > 0)
    throw new Problem('forbidden', 'identity/idp-setup-link-over-scoped', {
      says: creator
        ? `the link would hand on ${beyond.join(', ')}, which you do not have`
        : 'a set-up link needs a person who stands behind it',
      fix: 'leave those tasks out, or let an owner make the link',
    });
  const token = newSecret();
  const link: IdpSetupLink = {
    id: newId('isl', ctx.now.getTime()),
    org: ctx.org,
    name: wanted.name,
    tasks: [...new Set(wanted.tasks)],
    activates: wanted.activates,
    allowPrivate: [...wanted.allowPrivate],
    createdBy: creator,
    createdAt: ctx.now,
    expiresAt: daysAfter(ctx.now, wanted.days),
    openedAt: null,
    revokedAt: null,
    provider: wanted.provider,
    protocol: null,
    connection: null,
    directory: null,
    domains: [],
  };
  await change({ ...ctx, org: undefined }, async (tx) => {
    await insertLink(tx, link, hashSecret(token));
    return {
      value: undefined,
      events: [
        event(idpSetupEvents, 'idp_setup.link_created', {
          link: link.id,
          org: link.org,
          tasks: link.tasks,
          activates: link.activates,
          expires: link.expiresAt.toISOString(),
        }),
      ],
    };
  });
  return { link, url: `${ctx.origin}/idp-setup/${token}` };

  async function creatorOf(): Promise<Id<'usr'> | undefined> {
    const { actor } = ctx;
    if (actor.kind === 'user') return actor.id;
    if (actor.kind !== 'api_key') return undefined;
    return (await ctx.db.read({ parent: ctx.parent, org: ctx.org }, (db) => findApiKey(db, actor.id)))?.createdBy;
  }
}
