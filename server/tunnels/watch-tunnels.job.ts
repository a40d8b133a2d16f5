import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import type { Through } from './through.ts';
import { lookupFigures, lookupUnsettled } from './tunnel.sql.ts';
import { QUIET_SECONDS, watchTunnels } from './watch-tunnels.ts';

/** Every minute, on one node: tunnels that came or went, in each organization by itself. */
export function watchTunnelsJob(world: World, through: Through, metrics?: Metrics): Job {
  const figures = metrics?.gauge('gatehouse_tunnels', 'Tunnels by whether an agent is connected.', ['state']);
  return {
    name: 'tunnels.watch',
    cron: '* * * * *',
    async run() {
      for (const at of (await world.db.lookup(lookupUnsettled(QUIET_SECONDS)))?.scopes ?? [])
        await watchTunnels(world, through, at).catch((err: unknown) =>
          world.log.error({ err, org: at.org }, 'the tunnels of an organization could not be watched'),
        );
      const found = (await world.db.lookup(lookupFigures()))?.figures ?? [];
      for (const state of ['online', 'offline']) figures?.set({ state }, found.find((f) => f.state === state)?.n ?? 0);
    },
  };
}
