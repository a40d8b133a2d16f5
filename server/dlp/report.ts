import { many, type Reporter } from '#kernel/report.ts';
import { countKept } from './report.sql.ts';

/** What content waits for a reviewer. */
export const dlpReport: Reporter = {
  room: 'dlp',
  can: 'dlp.review',
  async report(ctx, db) {
    const { waiting, seconds, since, until } = await countKept(db, ctx.now);
    if (waiting === 0) return {};
    return {
      needs: [
        {
          code: 'dlp.quarantine_waits',
          urgency: 'held',
          says: `${many(waiting, 'piece')} of content ${waiting === 1 ? 'waits' : 'wait'} for a reviewer`,
          more: `${seconds > 0 ? `${seconds} of them for a second one. ` : ''}What nobody decides expires and is deleted.`,
          count: waiting,
          since,
          until,
          act: 'Review',
          page: '/dlp/quarantine',
        },
      ],
    };
  },
};
