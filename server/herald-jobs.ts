import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { listPlaces } from '#domains/memberships.sql.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { enqueue, type Job } from '#kernel/job.ts';
import { MessageJson, type Message } from '#notify/messages.ts';
import { notify } from '#notify/notify.ts';
import { notifyEvents } from '#notify/notify.events.ts';
import { listOwners, listSisters } from '#org/merge.sql.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { HELD_JOB } from '#provisioning/brake.ts';

/** Names are stored in rows, so they are for ever. */
const NEWS_JOB = 'herald.news';
const TELL_JOB = 'herald.tell';

const id = <P extends 'par' | 'org' | 'usr'>(prefix: P) =>
  z.custom<Id<P>>((v) => typeof v === 'string' && v.startsWith(`${prefix}_`));

/** News of a parent: what, and whom it concerns. */
const News = z.object({
  parent: id('par'),
  to: z.union([z.literal('owners'), z.array(id('usr')).readonly()]),
  about: MessageJson,
});
/** The part of it for members of one organization. */
const Telling = z.object({ org: id('org'), to: z.array(id('usr')).readonly(), about: MessageJson });
const HeldNews = z.object({ org: id('org'), directory: z.string().nullable() });

/** In the transaction that makes the news, so that it is told exactly if that commits. */
export const enqueueNews = (tx: Tx, news: z.infer<typeof News>): Promise<void> => enqueue(tx, NEWS_JOB, news);

/**
 * The jobs that carry news of a parent to people. A mail is an organization's, so news goes to each person once, through one organization
 * where they are a member (an owner, where it is for owners), and each organization's part is one transaction.
 */
export const heraldJobs = (world: World): Job[] => [
  {
    name: NEWS_JOB,
    async run(payload) {
      const news = News.parse(payload);
      const parts = await (news.to === 'owners' ? ownersOf(world, news.parent) : placesOf(world, news.parent, news.to));
      await change(systemCtx(world, NEWS_JOB, { parent: news.parent }), async (tx) => {
        for (const [org, to] of parts) {
          // The same news for the same organization that was not told yet is one: a job that is run again doubles nothing.
          const key = `${TELL_JOB}:${org}:${JSON.stringify(news.about)}`;
          await enqueue(tx, TELL_JOB, { org, to, about: news.about }, { key });
        }
        return { value: undefined, unchanged: true };
      });
    },
  },
  {
    name: TELL_JOB,
    async run(payload) {
      const { org, to, about } = Telling.parse(payload);
      await tell(world, TELL_JOB, org, to, about);
    },
  },
  {
    name: HELD_JOB,
    async run(payload) {
      const { org, directory } = HeldNews.parse(payload);
      await tell(world, HELD_JOB, org, 'owners', { kind: 'removals_held', directory });
    },
  },
];

/** Puts the messages into the outbox of an organization, wherever a merge has moved it. */
async function tell(
  world: World,
  job: string,
  org: Id<'org'>,
  to: 'owners' | readonly Id<'usr'>[],
  about: Message,
): Promise<void> {
  const parent = (await world.db.lookup(lookupOrgParent(org)))?.parent;
  if (!parent) return;
  const ctx = { ...systemCtx(world, job, { parent, org }), org };
  await change(ctx, async (tx) => {
    const people = to === 'owners' ? (await listOwners(tx)).map((o) => o.user) : to;
    const made = await notify(tx, ctx, { to: people, about });
    if (made.queued + made.kept === 0) return { value: undefined, unchanged: true };
    return { value: undefined, events: [event(notifyEvents, 'notify.queued', { kind: about.kind, ...made })] };
  });
}

type Parts = Map<Id<'org'>, Id<'usr'>[]>;

/** The owners of all organizations of a parent, each with the first organization that they own. */
async function ownersOf(world: World, parent: Id<'par'>): Promise<Parts> {
  const parts: Parts = new Map();
  const seen = new Set<Id<'usr'>>();
  for (const { id: org } of await world.db.read({ parent }, listSisters)) {
    const owners = (await world.db.read({ parent, org }, listOwners)).map((o) => o.user).filter((u) => !seen.has(u));
    for (const u of owners) seen.add(u);
    if (owners.length > 0) parts.set(org, owners);
  }
  return parts;
}

/** These people, each with one organization where they are a member. Whoever is a member nowhere gets no mail. */
async function placesOf(world: World, parent: Id<'par'>, users: readonly Id<'usr'>[]): Promise<Parts> {
  const parts: Parts = new Map();
  const seen = new Set<Id<'usr'>>();
  for (const { user, org } of await world.db.read({ parent }, (db) => listPlaces(db, users))) {
    if (seen.has(user)) continue;
    seen.add(user);
    parts.set(org, [...(parts.get(org) ?? []), user]);
  }
  return parts;
}
