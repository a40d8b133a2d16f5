import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';

/** To one who may decide: what waits and did not need a mail of its own, together. */
export const approvalsWait = letter({
  kind: 'approvals_wait',
  data: z.object({
    approvals: z.array(z.custom<Id<'apr'>>((v) => typeof v === 'string')).max(100),
    more: z.number().int().min(0),
  }),
  async write(db, { approvals, more }, org, words) {
    const waiting: string[] = [];
    for (const id of approvals) {
      const w = await words.approval(db, id);
      if (w)
        waiting.push(
          `${w.asker}'s agent: ${w.tool} of ${w.connector}, until ${w.until.toISOString().slice(11, 16)} UTC`,
        );
    }
    const n = waiting.length + more;
    if (n === 0) return undefined;
    const left = n - Math.min(waiting.length, 10);
    return {
      subject: `${n} ${n === 1 ? 'call waits' : 'calls wait'} for your answer`,
      says: [
        ...waiting.slice(0, 10),
        ...(left > 0 ? [`And ${left} more, all of them on the page.`] : []),
        'None of them has run. The first answer counts, whoever gives it.',
      ],
      look: { label: 'Look at what waits', path: `/approvals/${org}` },
    };
  },
});
