import pg from 'pg';
import { z } from 'zod';
import type { Log } from './log.ts';
import { listenStatement, versionsStatement } from './versions.sql.ts';

/**
 * Tells when what was read of a parent or an org may have changed. A stamp is of this process only: compare, never store.
 * INVARIANT (late by a second at most): a stamp is given only if the database was asked within the last second, so whatever is cached under
 * a stamp is at most a second behind. Without an answer there is no stamp, and callers read instead of remembering.
 */
export interface Versions {
  /** Changes whenever the scope does. Take it before reading, keep the read with it. Undefined: do not cache. */
  stamp(scope: string): number | undefined;
  /** Calls back with each scope that changed; with undefined when anything may have. Returns how to stop. */
  onChange(listener: (scope: string | undefined) => void): () => void;
  close(): Promise<void>;
}

const POLL_MS = 400;
/** A cache may make a refusal late by this much. */
const TRUST_MS = 1000;
const RECONNECT_MS = 250;

const Row = z.object({ scope: z.string(), version: z.string() });

/** Listens on a connection of its own and asks again every 0.4 s, since a notification can be lost with its connection. */
export async function startVersions({ pool, log }: { pool: pg.Pool; log: Log }): Promise<Versions> {
  const stamps = new Map<string, number>();
  const polled = new Map<string, string>();
  const listeners = new Set<(scope: string | undefined) => void>();
  let asked = -Infinity;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const tell = (scope: string | undefined): void => {
    for (const l of listeners) l(scope);
  };
  const bump = (scope: string): void => {
    const before = stamps.get(scope);
    if (before === undefined) return;
    stamps.set(scope, before + 1);
    tell(scope);
  };

  const poll = async (c: pg.Client): Promise<void> => {
    const at = performance.now();
    const scopes = [...stamps.keys()];
    const { rows } = await c.query({ ...versionsStatement, values: [scopes] });
    for (const row of rows) {
      const { scope, version } = Row.parse(row);
      // The first answer about a scope counts as a change: it may have changed between the first stamp and now.
      if (polled.get(scope) === version) continue;
      polled.set(scope, version);
      bump(scope);
    }
    asked = at;
  };

  const lost = (c: pg.Client, err: unknown): void => {
    if (client !== c) return;
    client = undefined;
    c.removeAllListeners();
    c.on('error', () => undefined);
    c.end().catch(() => undefined);
    if (!closed)
      log.warn({ err }, 'the connection that listens for changes ended; caches are not used until it is back');
  };

  const open = async (): Promise<void> => {
    const c = new pg.Client({ ...pool.options, application_name: 'gatehouse versions', query_timeout: TRUST_MS });
    client = c;
    c.on('error', (e) => lost(c, e));
    c.on('end', () => lost(c, 'ended'));
    c.on('notification', (n) => bump(n.payload ?? ''));
    try {
      await c.connect();
      await c.query(listenStatement);
    } catch (e) {
      lost(c, e);
      throw e;
    }
    // What happened while nobody listened is unknown, so everything counts as changed.
    polled.clear();
    for (const [scope, n] of stamps) stamps.set(scope, n + 1);
    await poll(c);
    tell(undefined);
  };

  const tick = async (): Promise<void> => {
    try {
      if (client) await poll(client);
      else await open();
    } catch (e) {
      if (client) lost(client, e);
    }
    if (!closed) timer = setTimeout(() => void tick(), client ? POLL_MS : RECONNECT_MS).unref();
  };

  await open();
  timer = setTimeout(() => void tick(), POLL_MS).unref();

  return {
    stamp(scope) {
      let n = stamps.get(scope);
      if (n === undefined) stamps.set(scope, (n = 0));
      return performance.now() - asked <= TRUST_MS ? n : undefined;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      const c = client;
      client = undefined;
      await c?.end();
    },
  };
}
