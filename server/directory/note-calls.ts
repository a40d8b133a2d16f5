import { change } from '#audit/change.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { JournalEntry } from './scim-journal.ts';
import { insertEntries } from './scim-journal.sql.ts';

type Place = { parent: Id<'par'>; org: Id<'org'>; directory: Id<'dir'> };

/** How long an entry of a request that changed nothing may wait for others. */
const WAIT_MS = 200;
const MAX_BATCH = 200;
/** More that wait means that the database is not keeping up; then the entries, not the requests, are given up. */
const MAX_WAITING = 5000;

export interface CallNotes {
  note(place: Place, entry: JournalEntry): void;
  /** Resolves when what was noted until now is in the journal. */
  settled(): Promise<void>;
}

/**
 * Writes the journal of requests that changed nothing (refusals, repetitions, and reads where a directory asks for them) in batches.
 * They tell of no change, so nothing is lost for good with them: a node that dies takes the last fifth of a second along.
 */
export function callNotes(world: World): CallNotes {
  const known = ofNode.get(world.db);
  if (known) return known;
  const made = makeNotes(world);
  ofNode.set(world.db, made);
  return made;
}

/** One per database of a process, so that whoever shows the journal can wait for what this node has yet to write. */
const ofNode = new WeakMap<Db, CallNotes>();

/** Resolves when this node has written what it noted until now. */
export const settledNotes = async (db: Db): Promise<void> => ofNode.get(db)?.settled();

function makeNotes(world: World): CallNotes {
  const waiting = new Map<string, { place: Place; entries: JournalEntry[] }>();
  let size = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const batches = [...waiting.values()];
    waiting.clear();
    size = 0;
    if (dropped > 0) world.log.warn({ dropped }, 'entries of the SCIM journal were given up; the database is behind');
    dropped = 0;
    for (const { place, entries } of batches)
      for (let i = 0; i < entries.length; i += MAX_BATCH)
        try {
          await change(systemCtx(world, 'directory.journal', place), async (tx) => {
            await insertEntries(tx, place.directory, entries.slice(i, i + MAX_BATCH));
            // A journal's entry is no change of the organization: it is not in the log.
            return { value: undefined, unchanged: true };
          });
        } catch (err) {
          world.log.warn({ err, directory: place.directory }, 'entries of the SCIM journal were not written');
        }
  };
  const start = (): Promise<void> => (writing = writing.then(flush));

  return {
    note(place, entry) {
      if (size >= MAX_WAITING) {
        dropped++;
        return;
      }
      size++;
      const batch = waiting.get(place.directory);
      if (batch) batch.entries.push(entry);
      else waiting.set(place.directory, { place, entries: [entry] });
      if (size >= MAX_BATCH) void start();
      else timer ??= setTimeout(() => void start(), WAIT_MS).unref();
    },
    settled: start,
  };
}
