import { randomUUID } from 'node:crypto';
import type { World } from '#kernel/ctx.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import { signerOf } from './checkpoint-key.ts';
import type { LogId } from './inbox.sql.ts';
import { publishCheckpoint } from './publish-checkpoint.ts';
import { makePartitions, settings, unlock, unsignedLogs, waitingLogs } from './sequence.sql.ts';
import { sequenceLog, type PauseAt } from './sequence-log.ts';
import { openSession, type Session } from './sequence-session.ts';
import { takeLog, type Owned } from './take-log.ts';
import { noWitness, type Witness } from './witness.ts';

export type SequencerOptions = {
  /** `db` is a pool of the role gatehouse_sequencer; one connection of it is taken for good. */
  world: Pick<World, 'db' | 'log' | 'seal' | 'origin' | 'now'>;
  /** Where checkpoints are remembered outside the database; see witness.ts. */
  witness?: Witness;
  /** Most events that one transaction moves. Larger saves little; smaller makes a busy log wait for its own commits. */
  batch?: number;
  /** How often an idle sequencer looks, in ms; it is woken earlier by `wake`. */
  poll?: number;
  /** Least time between two looks, in ms, so that events that come together share a commit with us too. */
  gather?: number;
  /** Least time between two checkpoints of one log, in ms. */
  publish?: number;
  /** For fault tests only. */
  pauseAt?: PauseAt;
};

export type Sequencer = {
  /** There is something in an inbox. Cheap; may be called for every event. */
  wake(): void;
  /** Resolves when every event committed before the call has its position and is under a checkpoint, whichever process did it. Halted logs excepted. */
  settled(): Promise<void>;
  /** Logs that stopped, and why: an alarm for readiness and metrics. */
  halted(): ReadonlyMap<LogId, Problem>;
  /** Finishes the batch at hand and gives the logs up. */
  stop(): Promise<void>;
};

const PARTITIONS_EVERY = 6 * 3600_000;
const UNSIGNED_EVERY = 10_000;
/** Logs whose right edge is kept in memory, about 30 kB each. */
const MAX_OWNED = 500;
const OTHERS_LOG = 400;

/** Runs the sequencer of this process: one loop over all logs that have something waiting, a batch of each in turn. */
export function startSequencer(o: SequencerOptions): Sequencer {
  const { world, witness = noWitness, batch = 1000, poll = 100, gather = 25, publish = 1000, pauseAt } = o;
  const me = randomUUID();
  const owned = new Map<LogId, Owned>();
  const signedAt = new Map<LogId, number>();
  const halted = new Map<LogId, Problem>();
  const notBefore = new Map<LogId, { at: number; failures: number }>();
  let session: Session | undefined;
  let stopping = false;
  let awake = false;
  let rouse: (() => void) | undefined;
  let waiters: (() => void)[] = [];
  let [partitionsAt, unsignedAt] = [-Infinity, -Infinity];

  const sleep = (ms: number): Promise<void> =>
    new Promise((done) => {
      const timer = setTimeout(finish, ms);
      rouse = finish;
      function finish(): void {
        clearTimeout(timer);
        rouse = undefined;
        done();
      }
    });
  const pause = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms));

  const giveUp = async (s: Session, log: LogId): Promise<void> => {
    owned.delete(log);
    await s.maybe(unlock(log));
  };

  /** One log's turn. True when there may be more of it at once. */
  async function turn(s: Session, log: LogId, hurry: boolean): Promise<boolean> {
    let mine = owned.get(log);
    if (!mine) {
      mine = await takeLog(s, log, { owner: me, signer: signerOf(world, log), witness });
      if (!mine) {
        notBefore.set(log, { at: performance.now() + OTHERS_LOG, failures: 0 });
        return false;
      }
    } else owned.delete(log); // put back at the end: the map's order is that of last use
    const done = await sequenceLog(s, mine, batch, pauseAt);
    let now: Owned | undefined = 'lost' in done ? undefined : done.owned;
    const due = performance.now() - (signedAt.get(log) ?? -Infinity) >= publish;
    if (now && now.edge.size > now.signed && (hurry || due)) {
      now = await publishCheckpoint(s, now, witness, world.now(), pauseAt);
      signedAt.set(log, performance.now());
    }
    if (!now) {
      world.log.warn({ log }, 'another sequencer has taken this log');
      await giveUp(s, log);
      return false;
    }
    owned.set(log, now);
    notBefore.delete(log);
    return 'placed' in done && done.placed === batch;
  }

  /** A log that fails must not hold up the others: it is put aside, for good if going on would be wrong. */
  async function putAside(s: Session, log: LogId, e: unknown): Promise<void> {
    if (s.broken()) throw e;
    await s.rollback(); // a second failure here means that the connection is gone, and goes up
    await giveUp(s, log);
    if (e instanceof Problem && e.kind === 'conflict') {
      halted.set(log, e);
      world.log.fatal({ log, problem: e.code, says: e.says, err: e.cause }, 'a log has stopped');
      return;
    }
    const failures = (notBefore.get(log)?.failures ?? 0) + 1;
    notBefore.set(log, { at: performance.now() + Math.min(30_000, 250 * 2 ** failures), failures });
    world.log.error({ log, failures, err: asProblem(e) }, 'a log could not be sequenced; it will be tried again');
  }

  async function pass(s: Session): Promise<boolean> {
    const settling = waiters;
    const waiting = (await s.many(waitingLogs)).map((l) => l.log);
    const logs = new Set(waiting);
    for (const [log, o] of owned) if (o.edge.size > o.signed) logs.add(log);
    if (settling.length > 0 || performance.now() - unsignedAt > UNSIGNED_EVERY) {
      unsignedAt = performance.now();
      for (const { log, size } of await s.many(unsignedLogs)) {
        logs.add(log);
        // We believe that it is all signed, the database does not: somebody else has it, or it was tampered with. Taking it again tells.
        const mine = owned.get(log);
        if (mine && mine.edge.size !== size) await giveUp(s, log);
      }
    }
    for (const log of halted.keys()) logs.delete(log);
    if (settling.length > 0 && logs.size === 0) {
      waiters = waiters.filter((w) => !settling.includes(w));
      for (const done of settling) done();
    }
    let more = false;
    for (const log of logs) {
      if (stopping) return false;
      if ((notBefore.get(log)?.at ?? 0) > performance.now()) continue;
      try {
        if (await turn(s, log, settling.length > 0)) more = true;
      } catch (e) {
        await putAside(s, log, e);
      }
    }
    for (const [log, o] of owned) {
      if (owned.size <= MAX_OWNED) break;
      if (o.edge.size === o.signed) await giveUp(s, log);
    }
    return more;
  }

  async function upkeep(s: Session): Promise<void> {
    if (performance.now() - partitionsAt < PARTITIONS_EVERY) return;
    partitionsAt = performance.now();
    try {
      await s.maybe(makePartitions);
    } catch (e) {
      if (s.broken()) throw e;
      world.log.warn({ err: e }, 'partitions of the log could not be made; events go to the default one');
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping) {
      try {
        if (!session) {
          session = await openSession(world.db.pool, () => rouse?.());
          await session.run(settings);
        }
        const began = performance.now();
        awake = false;
        await upkeep(session);
        const more = await pass(session);
        failures = 0;
        if (more || stopping) continue;
        await pause(Math.max(0, gather - (performance.now() - began)));
        if (!awake && waiters.length === 0) await sleep(poll);
      } catch (e) {
        // The connection is gone: so are our locks. Everything is read again from what the database has.
        world.log.warn({ err: e, failures }, 'the sequencer lost its connection; it opens another');
        owned.clear();
        session?.end();
        session = undefined;
        if (!stopping) await pause(Math.min(5000, 100 * 2 ** failures++));
      }
    }
    session?.end();
  }

  const running = run();
  const wake = (): void => {
    awake = true;
    rouse?.();
  };
  return {
    wake,
    settled: () =>
      new Promise((done) => {
        waiters = [...waiters, done];
        wake();
      }),
    halted: () => halted,
    async stop() {
      stopping = true;
      wake();
      await running;
    },
  };
}
