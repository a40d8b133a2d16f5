import { startSequencer } from '#audit/sequencer.ts';
import type { Topics } from '#start/topic.ts';
import { allOperations } from '../doors.ts';
import { topicsOf } from '../topics.ts';
import { doorHouse, type DoorHouse } from './door-house.ts';

/** Acme with the whole API, a log that is sequenced, and word of every change: what a page that keeps itself fresh needs. */
export type StartHouse = DoorHouse & { settled(): Promise<void>; topics: Topics };

export async function startHouse(): Promise<StartHouse> {
  const operations = allOperations().filter((o) => o.prefix === '/api');
  const h = await doorHouse({ versions: true, operations });
  const sequencer = startSequencer({
    world: { ...h.world, db: h.t.as('gatehouse_sequencer') },
    gather: 1,
    poll: 20,
  });
  return {
    ...h,
    topics: topicsOf(operations),
    settled: () => sequencer.settled(),
    async [Symbol.asyncDispose]() {
      await sequencer.stop();
      await h[Symbol.asyncDispose]();
    },
  };
}
