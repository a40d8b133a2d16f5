import { inboxRow } from '#audit/inbox.sql.ts';
import { event } from '#audit/events.ts';
import type { Actor, World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import {
  deleteLeases,
  endLease,
  recordCalls,
  saveLease,
  type EndedCall,
  type InboxRow,
  type OpenedCall,
} from './call.sql.ts';
import { gatewayEvents } from './gateway.events.ts';

type Place = { parent: Id<'par'>; org: Id<'org'> };
type Opening = { kind: 'open'; call: OpenedCall; note: InboxRow };
type Ending = { kind: 'end'; call: EndedCall; note: InboxRow };
type Waiting = (Opening | Ending) & { done: (recorded: boolean) => void; fail: (e: unknown) => void };

/** Calls that share one statement and one commit. More would make the first wait for the last. */
const MAX_BATCH = 200;
/** Commits under way at once for one org: while one waits for the disk, the next is being made. */
const LANES = 2;
/** For all orgs: leaves connections of the pool to everybody else. */
const MAX_LANES = 4;
/** More than this many that wait means that the database is not keeping up; the next call is refused rather than queued. */
const MAX_WAITING = 5000;
const SETTLE_MS = 1000;
/** A node that has not said for this long that it is there counts as dead, and its open calls as lost. */
export const LEASE_SECONDS = 10;
const BEAT_MS = 2000;

export interface CallWriter {
  /** Resolves when call and event are durable. */
  open(place: Place, call: OpenedCall, event: NoteOf<'tool.called'>, by: By): Promise<void>;
  /** Resolves when the end is durable; false: the call had ended already, as lost, because this node was thought dead. */
  end(place: Place, call: EndedCall, event: NoteOf<'tool.finished'>, by: By): Promise<boolean>;
  /** Waits for what is under way and ends the node's lease. */
  stop(): Promise<void>;
}
type By = { actor: Actor; request: string };
type NoteOf<K extends keyof typeof gatewayEvents> = Parameters<typeof event<typeof gatewayEvents, K>>[2];

/**
 * Writes calls and their events in batches. INVARIANT (recorded): nobody is told that a call is open or ended before PostgreSQL has said
 * that the commit is durable. What failed without our knowing whether it was committed is settled later, so that no call of a living node
 * stays open: `end` counts only for a call that is open, so doing it twice does nothing.
 */
export async function startCallWriter(
  world: World,
  node: Id<'nod'>,
  wake?: () => void,
  address?: string,
): Promise<CallWriter> {
  // Leases belong to no organization and tell no one anything that an ended call does not: no event.
  const beat = (): Promise<unknown> => world.db.transact({}, (tx) => saveLease(tx, node, LEASE_SECONDS, address));
  await beat();
  const beats = setInterval(() => {
    beat().catch((err: unknown) => world.log.warn({ err }, 'the lease of this node could not be renewed'));
  }, BEAT_MS).unref();

  const queues = new Map<Id<'org'>, { place: Place; waiting: Waiting[]; lanes: number }>();
  const unsettled = new Map<Id<'tcl'>, { place: Place; item: Ending }>();
  let lanes = 0;
  let waiting = 0;
  let settling: NodeJS.Timeout | undefined;
  let idle: (() => void) | undefined;
  let stopped = false;

  const note = <K extends keyof typeof gatewayEvents>(
    place: Place,
    type: K,
    data: NoteOf<K>,
    by: By,
    at: Date,
  ): InboxRow =>
    inboxRow({ log: place.org, at, actor: by.actor, request: by.request, event: event(gatewayEvents, type, data) });

  const write = async (place: Place, batch: readonly (Opening | Ending)[]): Promise<Set<string>> => {
    const opens = batch.filter((b) => b.kind === 'open');
    // Twice the end of one call: the first one counts.
    const ends = [
      ...new Map(
        batch
          .filter((b) => b.kind === 'end')
          .toReversed()
          .map((b) => [b.call.id, b]),
      ).values(),
    ];
    return new Set((await world.db.atOnce(recordCalls(place, node, opens, ends))).ended);
  };

  const lane = async (place: Place, batch: readonly Waiting[]): Promise<void> => {
    try {
      const ended = await write(place, batch);
      wake?.();
      for (const w of batch) w.done(w.kind === 'open' || ended.delete(w.call.id));
    } catch (e) {
      // One that PostgreSQL refuses must not take the others with it.
      if (batch.length > 1 && !(e instanceof Problem)) for (const w of batch) await lane(place, [w]);
      else for (const w of batch) w.fail(e);
    }
  };

  const pump = (): void => {
    for (const [org, q] of queues) {
      if (lanes >= MAX_LANES) return;
      if (q.lanes >= LANES || q.waiting.length === 0) continue;
      const batch = q.waiting.splice(0, MAX_BATCH);
      lanes++;
      q.lanes++;
      // Goes to the end of the line, so that a busy org cannot keep another one waiting.
      queues.delete(org);
      queues.set(org, q);
      void lane(q.place, batch).finally(() => {
        lanes--;
        q.lanes--;
        waiting -= batch.length;
        if (q.lanes === 0 && q.waiting.length === 0) queues.delete(org);
        pump();
        if (waiting === 0) idle?.();
      });
    }
  };

  const submit = (place: Place, item: Opening | Ending): Promise<boolean> =>
    new Promise((done, fail) => {
      if (waiting >= MAX_WAITING) {
        fail(
          new Problem('unavailable', 'gateway/log-behind', {
            says: 'the log cannot be written as fast as calls come in, so this one was not begun',
            fix: 'try again in a few seconds',
          }),
        );
        return;
      }
      let q = queues.get(place.org);
      if (!q) queues.set(place.org, (q = { place, waiting: [], lanes: 0 }));
      q.waiting.push({ ...item, done, fail });
      waiting++;
      if (q.lanes < LANES && lanes < MAX_LANES) queueMicrotask(pump);
    });

  const settle = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      for (const [id, { place, item }] of unsettled)
        submit(place, item).then(
          () => unsettled.delete(id),
          () => settle(),
        );
    }, SETTLE_MS).unref();
  };

  const unsettle = (place: Place, id: Id<'tcl'>, by: By, data: NoteOf<'tool.finished'>): void => {
    if (stopped || unsettled.size >= MAX_WAITING) return; // the lease ends, and with it the call: lost
    const at = world.now();
    const call: EndedCall = { id, outcome: data.outcome, why: data.why, at };
    unsettled.set(id, { place, item: { kind: 'end', call, note: note(place, 'tool.finished', data, by, at) } });
    settle();
  };

  const nothing = {
    policies: [],
    policyVersion: null,
    approval: null,
    findings: [],
    bytes: null,
    error: false,
    ms: null,
  };

  return {
    async open(place, call, data, by) {
      try {
        await submit(place, { kind: 'open', call, note: note(place, 'tool.called', data, by, call.at) });
      } catch (e) {
        // Perhaps it was committed and only the answer got lost. Nothing has left, and that is what its end will say.
        const { connector, tool } = data;
        unsettle(place, call.id, by, {
          call: call.id,
          connector,
          tool,
          outcome: 'failed',
          why: 'not_recorded',
          ...nothing,
        });
        throw e;
      }
    },
    async end(place, call, data, by) {
      try {
        return await submit(place, { kind: 'end', call, note: note(place, 'tool.finished', data, by, call.at) });
      } catch (e) {
        // The caller gives out no answer, so whatever came back, nobody has it.
        const { connector, tool } = data;
        unsettle(place, call.id, by, {
          call: call.id,
          connector,
          tool,
          outcome: 'lost',
          why: 'not_recorded',
          ...nothing,
        });
        throw e;
      }
    },
    async stop() {
      stopped = true;
      clearTimeout(settling);
      if (waiting > 0) await new Promise<void>((resolve) => (idle = resolve));
      clearInterval(beats);
      await world.db.transact({}, async (tx) => {
        await endLease(tx, node);
        await deleteLeases(tx);
      });
    },
  };
}
