import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import { connectionStates } from '#vault/connection.ts';
import { lookupConnected, lookupFigures } from './connections.sql.ts';
import { watchConnections, type Watching } from './watch-connections.ts';

const DAY = 86_400_000;

/**
 * Every ten minutes, on one node: each organization's connections. One organization's trouble is its own: the others are watched all the same.
 */
export function watchConnectionsJob(world: World, w: Watching, metrics?: Metrics): Job {
  const byState = metrics?.gauge('gatehouse_connections', 'Live connections by how they stand.', ['state']);
  const soonest = metrics?.gauge(
    'gatehouse_connections_next_end_days',
    'Days to the first end of a connection that stands well. Absent where none has an end.',
  );
  return {
    name: 'connections.watch',
    cron: '*/10 * * * *',
    async run() {
      for (const at of (await world.db.lookup(lookupConnected()))?.scopes ?? [])
        await watchConnections(world, w, at).catch((err: unknown) =>
          world.log.error({ err, org: at.org }, 'the connections of an organization could not be watched'),
        );
      const figures = (await world.db.lookup(lookupFigures()))?.figures ?? [];
      for (const state of connectionStates)
        if (state !== 'revoked') byState?.set({ state }, figures.find((f) => f.state === state)?.n ?? 0);
      const end = figures.find((f) => f.state === 'active')?.soonest;
      if (end) soonest?.set((end.getTime() - world.now().getTime()) / DAY);
    },
  };
}
