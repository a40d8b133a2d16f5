import type pg from 'pg';
import type { Query, Statement } from '#kernel/db.ts';

/**
 * One connection for as long as it lives. The advisory locks of the logs belong to it, so when it is gone they are free, and whatever
 * it had begun is rolled back by the server.
 */
export type Session = {
  many<T>(q: Query<T>): Promise<T[]>;
  maybe<T>(q: Query<T>): Promise<T | undefined>;
  run(s: Statement): Promise<number>;
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  readonly broken: () => boolean;
  end(): void;
};

/** Takes a connection out of the pool for good. */
export async function openSession(pool: pg.Pool, onBroken: () => void): Promise<Session> {
  const client = await pool.connect();
  let broken = false;
  let ended = false;
  const lost = (): void => {
    broken = true;
    onBroken();
  };
  client.on('error', lost);
  client.on('end', lost);
  const many = async <T>(q: Query<T>): Promise<T[]> =>
    (await client.query(q.text, q.values)).rows.map((r) => q.row.parse(r));
  return {
    many,
    maybe: async (q) => (await many(q))[0],
    run: async (s) => (await client.query(s.text, s.values)).rowCount ?? 0,
    begin: async () => void (await client.query('begin')),
    commit: async () => void (await client.query('commit')),
    rollback: async () => void (await client.query('rollback')),
    broken: () => broken,
    end() {
      if (ended) return;
      ended = true;
      // Destroyed, not returned: a session with locks must not serve anybody else.
      client.release(true);
    },
  };
}
