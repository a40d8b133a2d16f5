import { foundingToken } from '#identity/founding.ts';
import { lookupFounded } from '#org/org.sql.ts';
import type { Serving } from './serve.ts';

/** What `npm start` says when it is ready: where it is, where its data is, and how the first person gets in. */
export async function welcome({ origin, opened }: Serving): Promise<string[]> {
  const { world, folder, embedded, migrated } = opened;
  const founded = (await world.db.lookup(lookupFounded()))?.founded ?? false;
  return [
    `Gatehouse is at ${origin}`,
    `Data is in ${folder}${embedded ? ` (PostgreSQL on port ${embedded.port})` : '; the database is yours'}`,
    ...(migrated.length > 0 ? [`The schema was brought up to date: ${migrated.join(', ')}`] : []),
    ...(founded ? [] : [`Nobody is here yet. The first owner opens ${origin}/found/${foundingToken(world)}`]),
  ];
}
