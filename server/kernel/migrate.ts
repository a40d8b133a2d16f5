import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { runMigrations } from 'graphile-worker';
import { Problem } from './problem.ts';

const folder = new URL('../schema/', import.meta.url);

/** The migrations in order. Forward only: a file that has been released never changes. */
export const migrations = (): { name: string; text: string; hash: string }[] =>
  readdirSync(folder)
    .filter((f) => /^\d{4}-[a-z-]+\.sql$/.test(f))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      return { name, text, hash: createHash('sha256').update(text).digest('hex') };
    });

/** SQL that creates the cluster's roles; see the file. */
export const rolesSql = (): string => readFileSync(new URL('roles.sql', folder), 'utf8');

/**
 * Brings the schema of the database at `ownerUrl` up to date. One process migrates at a time, each file in a transaction of its own.
 * @param appUrl the running server's login, for the job tables that it owns through `gatehouse_worker`
 * @returns the names of the files that were applied
 */
export async function migrate(ownerUrl: string, appUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'gatehouse migrate' });
  await client.connect();
  const applied: string[] = [];
  try {
    await client.query(`select pg_advisory_lock(hashtext('gatehouse migrate'))`);
    await client.query(
      'create table if not exists schema_migration (name text primary key, hash text not null, at timestamptz not null default now())',
    );
    await client.query(`comment on table schema_migration is 'Which files of server/schema have been applied.'`);
    const done = new Map(
      (await client.query<{ name: string; hash: string }>('select name, hash from schema_migration')).rows.map((r) => [
        r.name,
        r.hash,
      ]),
    );
    const files = migrations();
    for (const [name] of done)
      if (!files.some((f) => f.name === name))
        throw new Problem('conflict', 'db/newer-schema', {
          says: `this database has the migration ${name}, which this version does not know`,
          fix: 'start the version that made it, or a newer one',
        });
    for (const f of files) {
      const before = done.get(f.name);
      if (before === f.hash) continue;
      if (before !== undefined)
        throw new Problem('conflict', 'db/changed-migration', {
          says: `the migration ${f.name} was applied with other text than this version has`,
          fix: 'start with an unchanged release; migrations only go forward',
        });
      await client.query('begin');
      try {
        await client.query(f.text);
      } catch (e) {
        throw new Error(`the migration ${f.name} does not apply: ${e instanceof Error ? e.message : 'unknown'}`, {
          cause: e,
        });
      }
      await client.query('insert into schema_migration (name, hash) values ($1, $2)', [f.name, f.hash]);
      await client.query('commit');
      applied.push(f.name);
    }
    // Still under the lock, which ends with this connection.
    await migrateJobs(appUrl);
  } finally {
    await client.end();
  }
  return applied;
}

/** graphile-worker's own tables, and the one function by which the application may enqueue: it may add a job, not read or change one. */
async function migrateJobs(appUrl: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: appUrl, options: '-c role=gatehouse_worker', max: 1 });
  // A client that breaks fails the query that it is at; graphile-worker wants somebody to listen.
  pool.on('error', () => undefined);
  pool.on('connect', (c) => c.on('error', () => undefined));
  try {
    await runMigrations({ pgPool: pool });
    await pool.query(`
      create or replace function graphile_worker.enqueue(task text, payload json, run_at timestamptz, job_key text) returns void
      language sql security definer set search_path = graphile_worker, pg_temp as $$
        select graphile_worker.add_job(task, payload, run_at => coalesce(run_at, now()), job_key => job_key)
      $$;
      revoke all on function graphile_worker.enqueue from public;
      grant usage on schema graphile_worker to gatehouse_app;
      grant execute on function graphile_worker.enqueue to gatehouse_app;`);
  } finally {
    await pool.end();
  }
}
