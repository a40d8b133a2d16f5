import { mkdirSync } from 'node:fs';
import { checkDatabase } from '#kernel/check-database.ts';
import type { World } from '#kernel/ctx.ts';
import { connect, type Db, type Role } from '#kernel/db.ts';
import { makeDns } from '#kernel/dns.ts';
import { makeEgress } from '#kernel/egress.ts';
import { joinEmbedded, startEmbedded } from '#kernel/embedded.ts';
import type { Log } from '#kernel/log.ts';
import { migrate } from '#kernel/migrate.ts';
import { Problem } from '#kernel/problem.ts';
import { makeOwnKeys } from '#keys/own-keys.ts';
import { makeTunnels, type Tunnels } from '#tunnels/start-tunnels.ts';
import type { Config } from './config.ts';
import { openKeys } from './open-keys.ts';

/** The parts that a process has one of, open. */
export type Opened = {
  world: World;
  /** A pool that acts as another role; closed with the rest. */
  as(role: Role, max: number): Db;
  /** Where the data is: the folder of the embedded database, or the key file's folder beside yours. */
  folder: string;
  tunnels: Tunnels;
  embedded: ReturnType<typeof joinEmbedded> | undefined;
  /** Migrations that this start applied. */
  migrated: readonly string[];
  close(): Promise<void>;
};

/**
 * Opens the database (starting the embedded one), brings its schema up to date, checks our rights in it, and builds the World. `fresh` begins
 * an embedded database from nothing each time; only the demo wants that. `join` uses the database of a server that runs now, if one does.
 */
export async function openWorld(
  config: Config,
  log: Log,
  origin: string,
  options: { fresh?: boolean; join?: boolean } = {},
): Promise<Opened> {
  let embedded: Opened['embedded'];
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const c of closing.toReversed()) await c();
  };
  try {
    let { appUrl, ownerUrl }: { appUrl: string; ownerUrl: string | undefined } = { appUrl: '', ownerUrl: undefined };
    if (config.database.kind === 'embedded') {
      try {
        const running = await startEmbedded({ folder: config.data, log, fresh: options.fresh ?? false });
        closing.push(() => running.stop());
        embedded = running;
      } catch (e) {
        if (!options.join || !(e instanceof Problem) || e.code !== 'embedded/in-use') throw e;
        embedded = joinEmbedded(config.data);
      }
      ({ appUrl, ownerUrl } = embedded);
    } else {
      appUrl = config.database.url;
      ownerUrl = config.database.ownerUrl;
    }
    const as = (role: Role, max: number): Db => {
      const db = connect({ url: appUrl, role, max, log });
      closing.push(() => db.end());
      return db;
    };
    const db = as('gatehouse_app', 20);
    await checkDatabase(db);
    const migrated = ownerUrl === undefined ? [] : await migrate(ownerUrl, appUrl);
    const folder = embedded?.folder ?? config.data;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (e) {
      throw new Problem('unavailable', 'server/folder', {
        says: `the data folder ${folder} cannot be made: ${e instanceof Error ? e.message : 'unknown'}`,
        fix: 'make it writable for this user, or set GATEHOUSE_DATA to one that is',
        because: e,
      });
    }
    const tunnels = makeTunnels();
    const egress = makeEgress({ log, ways: tunnels.way });
    closing.push(() => egress.close());
    const own = makeOwnKeys({ db, egress, log });
    const seal = await openKeys(config.kms, folder, { db, egress, own });
    const dns = makeDns(config.dns);
    const { trustedProxies } = config;
    const world: World = { db, log, seal, egress, dns, origin, trustedProxies, now: () => new Date() };
    own.opens(world);
    return {
      world,
      as,
      folder,
      tunnels,
      embedded,
      migrated,
      close,
    };
  } catch (e) {
    await close();
    throw e;
  }
}
