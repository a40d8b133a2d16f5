import { z } from 'zod';
import { read, write, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const LeaseRow = z.object({ owner: z.string().nullable(), held: z.boolean(), attempt: z.number().nullable() });
/** `held`: somebody's for now. `attempt`: the generation on which a renewal was begun whose end nobody wrote down. */
export type Lease = z.infer<typeof LeaseRow>;

/** Takes the row for the rest of the transaction. Time is the database's, which all nodes share. */
export async function lockLease(tx: Tx, connection: Id<'cnn'>): Promise<Lease> {
  await tx.run(
    write`insert into connection_lease (org, connection) values (app_org(), ${connection}) on conflict do nothing`,
  );
  return tx.one(read(LeaseRow)`
  select owner, coalesce(until > clock_timestamp(), false) as held, attempt_generation as attempt
    from connection_lease where org = app_org() and connection = ${connection} for update`);
}

/** INVARIANT (written ahead): the attempt is in the database before the vendor hears of it, so that one which is lost is known to be. */
export const saveLease = (
  tx: Tx,
  connection: Id<'cnn'>,
  l: { owner: string; ms: number; generation: number },
): Promise<number> =>
  tx.run(write`
  update connection_lease
     set owner = ${l.owner}, until = clock_timestamp() + make_interval(secs => ${l.ms / 1000}), attempt_generation = ${l.generation},
         attempt_at = clock_timestamp()
   where org = app_org() and connection = ${connection}`);

/** Gives it back; `ended` says that it is known what the vendor did. */
export const releaseLease = (tx: Tx, connection: Id<'cnn'>, owner: string, ended: boolean): Promise<number> =>
  tx.run(write`
  update connection_lease
     set owner = null, until = null, attempt_generation = case when ${ended} then null else attempt_generation end,
         attempt_at = case when ${ended} then null else attempt_at end
   where org = app_org() and connection = ${connection} and owner = ${owner}`);

/** Never backwards: calls of several nodes may pass each other. */
export const saveLastUsed = (tx: Tx, connection: Id<'cnn'>, at: Date): Promise<number> =>
  tx.run(write`
  insert into connection_lease as l (org, connection, last_used_at) values (app_org(), ${connection}, ${at})
  on conflict (org, connection) do update set last_used_at = greatest(l.last_used_at, excluded.last_used_at)`);
