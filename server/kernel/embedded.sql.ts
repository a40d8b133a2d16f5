import pg from 'pg';
import { rolesSql } from './migrate.ts';

export type Passwords = { superuser: string; owner: string; app: string };

/**
 * Makes the roles, their passwords and the database, whichever of them are not there yet. Run by the cluster's superuser; running it again
 * changes nothing, so a first start that was killed here goes on where it stopped. `fresh` drops the database first, with all that is in it.
 */
export async function ensureDatabase(superUrl: string, passwords: Passwords, fresh: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: superUrl, application_name: 'gatehouse start' });
  await client.connect();
  try {
    await client.query(rolesSql());
    for (const [role, password] of [
      ['gatehouse_owner', passwords.owner],
      ['gatehouse', passwords.app],
    ] as const)
      await client.query(`alter role ${role} password ${pg.escapeLiteral(password)}`);
    if (fresh) await client.query('drop database if exists gatehouse with (force)');
    const { rowCount } = await client.query(`select from pg_database where datname = 'gatehouse'`);
    if (rowCount === 0) await client.query('create database gatehouse owner gatehouse_owner');
    await client.query('revoke connect, temporary on database gatehouse from public');
    await client.query('grant connect on database gatehouse to gatehouse');
    // Whoever gets at a login must not look around in the superuser's own database.
    await client.query('revoke connect on database postgres from public');
  } finally {
    await client.end();
  }
}
