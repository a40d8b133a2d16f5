import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { letter } from '../letter.ts';

/** To one who may decide: a call that cannot be undone waits. The link leads to the page; nothing is decided in a mail. */
export const approvalWaits = letter({
  kind: 'approval_waits',
  data: z.object({ approval: z.custom<Id<'apr'>>((v) => typeof v === 'string') }),
  async write(db, { approval }, org, words) {
    const w = await words.approval(db, approval);
    if (!w) return undefined;
    return {
      subject: `${w.asker}'s agent waits for your answer`,
      says: [
        `${w.asker}'s agent wants to use ${w.tool} of ${w.connector}. It is a ${w.class} tool, and your rules say that somebody must agree first. It has not run.`,
        `What exactly it would do is on the page, not in this mail. It waits until ${w.until.toISOString().slice(0, 16).replace('T', ' ')} UTC; the first answer counts.`,
      ],
      look: { label: 'Look at the call', path: `/approvals/${org}/${approval}` },
    };
  },
});
