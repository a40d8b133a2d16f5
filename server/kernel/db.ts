// Longer than 300 lines: the pool, its transactions and the types that keep them apart are one thing, read best as one.
import { Writable } from 'node:stream';
import pg from 'pg';
import type { z } from 'zod';
import type { Id } from './id.ts';
import type { Log } from './log.ts';
import { Problem } from './problem.ts';

/** A value that PostgreSQL takes as a parameter. Objects and arrays of objects go in as JSON text: use `json()`. */
export type Param =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Buffer
  | null
  | readonly string[]
  | readonly number[]
  | readonly Buffer[]
  | readonly Date[]
  | readonly boolean[]
  | readonly (string | null)[];

/** A piece of SQL with its parameters, for the few statements that are put together (a SCIM filter). Made only by `sql`. */
export class Fragment {
  readonly strings: readonly string[];
  readonly values: readonly (Param | Fragment)[];
  constructor(strings: readonly string[], values: readonly (Param | Fragment)[]) {
    this.strings = strings;
    this.values = values;
  }
}

/** With a `name`, PostgreSQL plans the statement once per connection: for the few on the hot path (`prepared`). */
export type Query<T> = { text: string; values: Param[]; row: z.ZodType<T>; name?: string };
export type Statement = { text: string; values: Param[]; name?: string };

function flat(strings: readonly string[], values: readonly (Param | Fragment)[]): Statement {
  let text = strings[0] ?? '';
  const out: Param[] = [];
  const add = (v: Param | Fragment): void => {
    if (v instanceof Fragment) {
      text += v.strings[0] ?? '';
      v.values.forEach((inner, i) => {
        add(inner);
        text += v.strings[i + 1] ?? '';
      });
    } else {
      out.push(v);
      text += `$${out.length}`;
    }
  };
  values.forEach((v, i) => {
    add(v);
    text += strings[i + 1] ?? '';
  });
  return { text, values: out };
}

/** A fragment to be placed inside `read` or `write`: `` sql`lower(user_name) = ${x}` ``. Text is only ever literal; values are only ever parameters. */
export const sql = (strings: TemplateStringsArray, ...values: (Param | Fragment)[]): Fragment =>
  new Fragment(strings, values);

/** A query whose rows are parsed, so a column that drifts from its type fails here and not three rooms away. */
export const read =
  <T>(row: z.ZodType<T>) =>
  (strings: TemplateStringsArray, ...values: (Param | Fragment)[]): Query<T> => ({ ...flat(strings, values), row });

/** A statement that writes. Only `*.sql.ts` files may import this (walls/rooms.test.ts). */
export const write = (strings: TemplateStringsArray, ...values: (Param | Fragment)[]): Statement =>
  flat(strings, values);

/** Names a statement whose text is always the same, so that it is planned once per connection. */
export const prepared = <S extends Statement>(name: string, statement: S): S & { name: string } => ({
  ...statement,
  name,
});

/** What pg is given: it copies every property. */
const asked = (s: Statement): pg.QueryConfig =>
  s.name === undefined ? { text: s.text, values: s.values } : { name: s.name, text: s.text, values: s.values };

/** JSON text for a jsonb parameter. */
export const json = (value: unknown): string => JSON.stringify(value);

export interface Reader {
  /** All rows. */
  many<T>(q: Query<T>): Promise<T[]>;
  /** The first row, or undefined. */
  maybe<T>(q: Query<T>): Promise<T | undefined>;
  /** The one row that must be there. */
  one<T>(q: Query<T>): Promise<T>;
}

declare const mayWrite: unique symbol;
export interface Tx extends Reader {
  /** Runs a statement; returns how many rows it touched. */
  run(s: Statement): Promise<number>;
  /** Hands over the last statement, which travels with the commit: locks that it takes are held for the commit only. Nothing may follow it. */
  last(s: Statement): void;
  readonly [mayWrite]: true;
}

/** Whose rows a transaction may see: row-level security compares `app.parent` and `app.org` with these. */
export type Scope = { readonly parent?: Id<'par'> | undefined; readonly org?: Id<'org'> | undefined };

/** Database roles of the running server; none owns a table, none is superuser (docs/trust.md). */
export type Role = 'gatehouse_app' | 'gatehouse_sequencer' | 'gatehouse_oauth' | 'gatehouse_worker';

export interface Db {
  /** Reads in one snapshot with row-level security set to `scope`. */
  read<T>(scope: Scope, work: (db: Reader) => Promise<T>): Promise<T>;
  /** Writes. Only audit/change.ts and the few named in walls/rooms.test.ts may call it: everybody else uses `change`. */
  transact<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** A lookup before the organization is known: calls one of the SQL functions listed in docs/trust.md, and nothing else. */
  lookup<T>(q: Query<T>): Promise<T | undefined>;
  /**
   * One statement that is a transaction of its own, calls one SQL function and gives one row. The function sets its scope itself and runs
   * under row-level security. Only for gateway/call-writer.ts, whose calls would else pay for three round trips twice.
   */
  atOnce<T>(q: Query<T>): Promise<T>;
  /** The pool itself, for libraries that want one (jobs). */
  readonly pool: pg.Pool;
  end(): Promise<void>;
}

/** A reader sees one snapshot; a writer sees what others committed before each statement, and takes locks where that matters. */
type Mode = 'isolation level repeatable read read only' | 'isolation level read committed read write';

const idForm = /^[a-z]{3}_[0-9a-f]{32}$/;

function begin(scope: Scope, mode: Mode): string {
  const set = (name: string, id: string | undefined): string => {
    if (id === undefined) return '';
    // INVARIANT (scope ids are inert): they are put into the text of a statement, so nothing but an id's form may pass.
    if (!idForm.test(id)) throw new Problem('bug', 'db/scope', { says: 'a scope must be an id' });
    return `; set local app.${name} = '${id}'`;
  };
  return `begin transaction ${mode}${set('parent', scope.parent)}${set('org', scope.org)}`;
}

/** What PostgreSQL says when it cannot serve just now; the caller may try again. */
const passing = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '53400',
  '08000',
  '08003',
  '08006',
  '25006',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  '57014',
  '55P03',
  '53100',
  '40001',
  '40P01',
]);

function refused(e: unknown): unknown {
  if (e instanceof Problem || !(e instanceof Error)) return e;
  const code = 'code' in e && typeof e.code === 'string' ? e.code : '';
  if (
    passing.has(code) ||
    /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error/.test(
      e.message,
    )
  ) {
    const full = code === '53100';
    return new Problem('unavailable', full ? 'db/full' : 'db/unavailable', {
      says: full
        ? 'the database has no space left; nothing was changed'
        : 'the database cannot serve this request now; nothing was changed',
      fix: full ? 'whoever runs this deployment must free space on the database volume' : 'try again in a few seconds',
      because: e,
    });
  }
  return e;
}

/** Whether an error means that PostgreSQL chose this transaction as the loser of a race, so that running it again is right. */
export const lostRace = (e: unknown): boolean =>
  e instanceof Problem &&
  e.cause instanceof Error &&
  'code' in e.cause &&
  (e.cause.code === '40001' || e.cause.code === '40P01');

export type Connect = { url: string; role: Role | undefined; max?: number; log: Log };

/**
 * Asks, and lets everything else that is asked in the same moment leave with it in one packet: a write to the socket costs more than what is in it.
 * pg has no word for this; if it should keep its socket elsewhere one day, every statement leaves by itself.
 */
function askTogether(c: pg.PoolClient, q: string | pg.QueryConfig): Promise<pg.QueryResult> {
  const connection: unknown = Reflect.get(c, 'connection');
  const stream: unknown =
    typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'stream') : undefined;
  if (!(stream instanceof Writable)) return c.query(q);
  stream.cork();
  process.nextTick(() => stream.uncork());
  return c.query(q);
}

/** A promise that is awaited later, perhaps never: its failure is not unhandled meanwhile. */
function caught<T>(p: Promise<T>): Promise<T> {
  p.catch(() => undefined);
  return p;
}

/** Opens a pool whose every connection acts as `role` (undefined: as the login itself, for migrations and tests). */
export function connect({ url, role, max = 10, log }: Connect): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    // Statements go out as they are asked, without waiting for the answer to the one before: a transaction costs fewer round trips.
    pipeline: role === 'gatehouse_app',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    ...(role
      ? {
          options: `-c role=${role} -c idle_in_transaction_session_timeout=60s -c lock_timeout=10s -c statement_timeout=60s`,
        }
      : {}),
    application_name: role ?? 'gatehouse',
  });
  // A connection that dies while idle (failover, restart) is replaced by the pool; requests see `db/unavailable` at most once.
  pool.on('error', (e) => log.warn({ err: e }, 'an idle database connection ended'));
  // One that dies while in use fails the query that runs on it, and that is told; without a listener it would also end the process.
  pool.on('connect', (c) => c.on('error', () => undefined));

  const handle = (c: pg.PoolClient, sent: Promise<unknown>[]): Tx => {
    const many = async <T>(q: Query<T>): Promise<T[]> =>
      (await askTogether(c, asked(q))).rows.map((r) => q.row.parse(r));
    const tx: Omit<Tx, typeof mayWrite> = {
      many,
      maybe: async (q) => (await many(q))[0],
      async one(q) {
        const [row] = await many(q);
        if (row === undefined)
          throw new Problem('bug', 'db/no-row', { says: 'a row that must exist is missing', because: q.text });
        return row;
      },
      run: async (s) => (await askTogether(c, asked(s))).rowCount ?? 0,
      last(s) {
        sent.push(caught(askTogether(c, asked(s))));
      },
    };
    return tx as Tx;
  };

  const inTransaction = async <T>(scope: Scope, mode: Mode, work: (tx: Tx) => Promise<T>): Promise<T> => {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (e) {
      throw refused(e);
    }
    let broken: Error | undefined;
    let ended: Promise<unknown> = Promise.resolve();
    try {
      // What follows does not wait for `begin`. Should PostgreSQL refuse it, the rest runs without a scope, where row-level security gives
      // and takes nothing, and the refusal is thrown below.
      const sent = [caught(askTogether(client, begin(scope, mode)))];
      const value = await work(handle(client, sent));
      const committed = caught(askTogether(client, 'commit'));
      for (const each of sent) await each;
      if (mode.endsWith('read only')) {
        // What was read is true whether or not its end is heard; only the connection waits for that.
        ended = committed.catch((e: unknown) => {
          broken = e instanceof Error ? e : new Error('commit failed');
        });
        return value;
      }
      // PostgreSQL answers the commit of a transaction that has failed with ROLLBACK, and calls that success.
      if ((await committed).command !== 'COMMIT')
        throw new Problem('bug', 'db/not-committed', { says: 'a transaction failed and went on' });
      return value;
    } catch (e) {
      await client.query('rollback').catch((later: unknown) => {
        broken = later instanceof Error ? later : new Error('rollback failed');
      });
      throw refused(e);
    } finally {
      void ended.then(() => client.release(broken));
    }
  };

  return {
    pool,
    read: (scope, work) => inTransaction(scope, 'isolation level repeatable read read only', work),
    transact: (scope, work) => inTransaction(scope, 'isolation level read committed read write', work),
    async lookup(q) {
      try {
        const [row] = (await pool.query(asked(q))).rows;
        return row === undefined ? undefined : q.row.parse(row);
      } catch (e) {
        throw refused(e);
      }
    },
    async atOnce(q) {
      try {
        return q.row.parse((await pool.query(asked(q))).rows[0]);
      } catch (e) {
        throw refused(e);
      }
    },
    end: () => pool.end(),
  };
}
