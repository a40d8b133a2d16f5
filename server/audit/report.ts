import type { Reporter } from '#kernel/report.ts';
import { findCheckpoint, findSize } from './tree.sql.ts';

/** Checkpoints come each second while a log grows. This much later it has stopped, or nobody sequences. */
const LATE_MS = 60_000;

/** Whether the log of the organization and its parent's are signed as far as they are written. */
export const auditReport: Reporter = {
  room: 'audit',
  can: 'audit.read',
  async report(ctx, db) {
    const both = [
      { log: ctx.org, name: 'the log of the organization' },
      { log: ctx.parent, name: 'the log of the parent organization' },
    ];
    const found = [];
    for (const { log, name } of both)
      found.push({ name, size: await findSize(db, log), signed: await findCheckpoint(db, log) });
    return {
      needs: found
        .filter(
          ({ size, signed }) => size > (signed?.size ?? 0) && ctx.now.getTime() - (signed?.at.getTime() ?? 0) > LATE_MS,
        )
        .map(({ name, size, signed }) => ({
          code: 'audit.not_signed',
          urgency: 'broken',
          says: `${size - (signed?.size ?? 0)} events of ${name} are not signed`,
          more: 'They are recorded and kept. Until a checkpoint covers them nobody outside can prove them.',
          count: 1,
          since: signed?.at ?? null,
          until: null,
          act: 'Show the checkpoints',
          page: '/audit/checkpoints',
        })),
      fine: found.flatMap(({ name, size, signed }) =>
        signed && signed.size >= size
          ? [{ says: `Checkpoint, ${name.slice('the '.length)}`, more: 'signed', at: signed.at }]
          : [],
      ),
    };
  },
};
