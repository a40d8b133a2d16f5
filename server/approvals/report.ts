import { many, type Reporter } from '#kernel/report.ts';
import { listDecidable } from './list-decidable.ts';
import type { Tools } from './tools.ts';

/** More than these are counted no further: each is judged by the rules anew. */
const MOST = 100;

/** Which calls wait for whoever asks. What waits for others is theirs, so everybody may ask. */
export const approvalsReport = (tools: Tools): Reporter => ({
  room: 'approvals',
  can: 'org.read',
  async report(ctx) {
    if (ctx.actor.kind !== 'user') return {};
    const { items, next } = await listDecidable(ctx, tools, { q: null, before: undefined, limit: MOST });
    const [newest] = items;
    const oldest = items.at(-1);
    if (!newest || !oldest) return {};
    const count = items.length;
    return {
      needs: [
        {
          code: 'approvals.waiting_for_you',
          urgency: 'held',
          says: `${next ? 'More than ' : ''}${many(count, 'call')} ${count === 1 ? 'waits' : 'wait'} for your decision`,
          more: `The newest: ${newest.approval.action.tool}. Nobody's agent goes on before that.`,
          count,
          since: oldest.approval.asked,
          until: items.reduce((d, i) => (i.approval.expires < d ? i.approval.expires : d), newest.approval.expires),
          act: count === 1 ? 'Decide' : `Decide ${count}`,
          page: '/approvals/inbox',
        },
      ],
    };
  },
});
