import { AsyncLocalStorage } from 'node:async_hooks';
import type { Db, Reader, Tx } from '#kernel/db.ts';
import type { Told } from './oauth-event.sql.ts';
import { recordOauthEvent } from './oauth-event.sql.ts';
import type { Membership } from './membership.sql.ts';
import { lockGrant, type GrantOwner } from './oauth-item.sql.ts';

/** Thrown inside a transaction to undo it; never leaves this file. */
const undo = new Error('undone');

/**
 * What one request does to the database. The library calls its adapter many times, in parallel, from places that we do not see, so the
 * transaction cannot be a function's argument: it hangs on the request.
 *
 * INVARIANT (one transaction): everything that a request writes, events included, commits together before the answer leaves, or not at all.
 * It opens at the first write, so that none is held while a client's metadata document is fetched.
 */
export class Unit {
  /** The consent that this request is about, once a row told: whoever ends or extends a consent takes its lock first. */
  grant: string | undefined;
  /** Whose consent it is. */
  owner: GrantOwner | undefined;
  /** The live member that this request was found to be about. */
  member: Membership | undefined;
  /** Id of the refresh token that this request spent; its successor points back to it. */
  spent: string | undefined;
  /** What was presented a second time, when something was. */
  reused: 'RefreshToken' | 'AuthorizationCode' | 'DeviceCode' | undefined;
  /** The consent that this request ended. */
  revoked: string | undefined;
  /** Shown in the list of consents; known only where the person said yes. */
  clientName: string | undefined;
  /** The connection whose identity provider vouched for the consent that this request makes. */
  vouchedBy: string | undefined;
  /** The first statement that failed. The library may swallow the error; the transaction is lost all the same. */
  failed: unknown;
  readonly #db: Db;
  readonly #events: Told[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #open: { tx: Tx; end(how: 'commit' | 'undo'): Promise<void> } | undefined;
  #locked: string | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Events that are written last, just before the commit. */
  tell(...events: Told[]): void {
    this.#events.push(...events);
  }

  read<T>(work: (db: Reader) => Promise<T>): Promise<T> {
    return this.#next(() => (this.#open ? work(this.#open.tx) : this.#db.read({}, work)));
  }

  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#next(async () => {
      const { tx } = (this.#open ??= await this.#begin());
      if (this.grant !== undefined && this.#locked === undefined) {
        await lockGrant(tx, this.grant);
        this.#locked = this.grant;
      }
      return work(tx);
    });
  }

  async commit(request: string, at: Date): Promise<void> {
    for (const e of this.#events) await this.write((tx) => recordOauthEvent(tx, e, request, at));
    if (this.failed !== undefined) throw this.failed;
    const open = this.#open;
    this.#open = undefined;
    await open?.end('commit');
  }

  async rollBack(): Promise<void> {
    await this.#queue.catch(() => undefined);
    const open = this.#open;
    this.#open = undefined;
    await open?.end('undo');
  }

  /** One at a time: a connection takes one query, and two lazy beginnings would be two transactions. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      if (this.failed !== undefined) throw this.failed;
      return work();
    });
    const settled = turn.catch((e: unknown) => {
      this.failed ??= e;
    });
    this.#queue = settled;
    return turn;
  }

  #begin(): Promise<{ tx: Tx; end(how: 'commit' | 'undo'): Promise<void> }> {
    return new Promise((resolve, reject) => {
      const { promise: decided, resolve: decide } = Promise.withResolvers<'commit' | 'undo'>();
      const done = this.#db.transact({}, async (tx) => {
        resolve({
          tx,
          end: async (how) => {
            decide(how);
            await done.catch((e: unknown) => {
              if (e !== undo) throw e;
            });
          },
        });
        if ((await decided) === 'undo') throw undo;
      });
      done.catch(reject);
    });
  }
}

export type Units = {
  /** The unit of the request that is running; outside of one, each call is a unit of its own. */
  using<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  /** Runs a request as one unit; `keep` says from the result whether it commits. A throw undoes it. */
  within<T>(work: (unit: Unit) => Promise<T>, keep: (value: T) => boolean, request: string): Promise<T>;
  current(): Unit | undefined;
};

export function makeUnits(db: Db, now: () => Date): Units {
  const running = new AsyncLocalStorage<Unit>();
  const within: Units['within'] = async (work, keep, request) => {
    const unit = new Unit(db);
    try {
      const value = await running.run(unit, () => work(unit));
      if (keep(value)) await unit.commit(request, now());
      else await unit.rollBack();
      return value;
    } catch (e) {
      await unit.rollBack();
      throw e;
    }
  };
  return {
    within,
    using(work) {
      const unit = running.getStore();
      return unit ? work(unit) : within(work, () => true, 'authorization');
    },
    current: () => running.getStore(),
  };
}
