import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import { pruneJournal } from './scim-journal.sql.ts';

/** Entries of one directory that one statement forgets, so that it holds its locks for a moment only. */
const BATCH = 10_000;

/** Every quarter of an hour: forgets journal entries past their directory's days, and tokens of OAuth clients that ended. */
export const pruneJournalJob = (world: World): Job => ({
  name: 'directory.prune_journal',
  cron: '*/15 * * * *',
  async run() {
    for (let i = 0; i < 100; i++) {
      const { gone } = (await world.db.lookup(pruneJournal(world.now(), BATCH))) ?? { gone: 0 };
      if (gone < BATCH) return;
    }
  },
});
