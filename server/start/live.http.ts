import { z } from 'zod';
import { readGrowth } from '#audit/read-growth.ts';
import { personOf } from '#identity/me.http.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { inOrg } from '#org/org.http.ts';
import { noSuchOrg } from '#org/org.ts';
import { liveStream, positionFrom } from './live-stream.ts';
import type { Topics } from './topic.ts';
import { orgWatches } from './watch-org.ts';

/** Browser tabs of one person at one node. A browser opens six connections to a host at most; more than these are a mistake in a loop. */
const MAX_STREAMS = 20;

/** What keeps pages fresh. `topics` says what an event touches and who may hear of what; the rooms above know. */
export function liveOperations(topics: Topics): Operation[] {
  const watch = orgWatches();
  const open = new Map<Id<'usr'>, number>();
  return [
    page({
      id: 'start.watch_changes',
      at: 'GET /orgs/:org/live',
      can: 'org.read',
      lasts: true,
      says:
        'Server-sent events that name the rooms in which something changed, of those that the caller may read. ' +
        'Comes back where it was with Last-Event-ID.',
      params: z.object({ org: z.string() }),
      async handle(ctx, { headers }, _c, again) {
        const at = inOrg(ctx);
        const { user } = personOf(ctx);
        const count = (by: 1 | -1): void => void open.set(user, (open.get(user) ?? 0) + by);
        if ((open.get(user) ?? 0) >= MAX_STREAMS)
          throw new Problem('too_many', 'start/too-many-streams', {
            says: `you listen ${MAX_STREAMS} times already`,
            fix: 'close some of the pages that are open',
          });
        count(1);
        let stop: (() => void) | undefined;
        const end = (): void => {
          count(-1);
          if (open.get(user) === 0) open.delete(user);
          stop?.();
        };
        const heard = async (): Promise<ReadonlySet<string>> => {
          const member = await ctx.db.read(scopeOf(ctx), (db) => findMemberByUser(db, user));
          if (!member) throw noSuchOrg();
          return topics.heard(member.role);
        };
        try {
          const stream = liveStream({ ctx: at, topics, heard: await heard(), end });
          stop = await watch(at, stream.grown);
          const since = positionFrom(headers.get('last-event-id') ?? '');
          const now = await ctx.db.read(scopeOf(ctx), (db) => readGrowth(db, [at.org, at.parent], since));
          stream.begin(now, since !== undefined, async () => {
            await again();
            return heard();
          });
          return stream.response;
        } catch (e) {
          end();
          throw e;
        }
      },
    }),
  ];
}
