import { isIP, Socket } from 'node:net';
import type { Db } from '#kernel/db.ts';
import type { Config } from './config.ts';

/**
 * Where other nodes reach this one. Without a setting: what it listens on; where that is every address of the machine, the one by which it
 * reaches the database, because the other nodes are in that network, too.
 */
export async function nodeAddress(
  config: Pick<Config, 'listen' | 'tls' | 'nodeAddress'>,
  port: number,
  db: Pick<Db, 'pool'>,
): Promise<string> {
  const scheme = config.tls ? 'https' : 'http';
  if (config.nodeAddress !== undefined) return `${scheme}://${config.nodeAddress}`;
  const { host } = config.listen;
  const every = host === '0.0.0.0' || host === '::' || host === '[::]';
  const found = every ? await towardsDatabase(db) : host.replace(/^\[|\]$/g, '');
  return `${scheme}://${isIP(found) === 6 ? `[${found}]` : found}:${port}`;
}

async function towardsDatabase(db: Pick<Db, 'pool'>): Promise<string> {
  const client = await db.pool.connect();
  try {
    // pg has no word for it; where it should keep its socket elsewhere one day, or the database is on a socket file, it is this machine.
    const connection: unknown = Reflect.get(client, 'connection');
    const stream: unknown =
      typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'stream') : undefined;
    return (stream instanceof Socket ? stream.localAddress : undefined)?.replace(/^::ffff:/, '') ?? '127.0.0.1';
  } finally {
    client.release();
  }
}
