import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { reasons, saysNotSent } from './message.ts';
import { listMessages } from './message.sql.ts';

const Time = z.iso.datetime({ offset: true });
const states = ['queued', 'sent', 'not_sent'] as const;

const ShownMessage = z.object({
  id: z.string(),
  user: z.string(),
  email: z.string().nullable(),
  kind: z.string(),
  state: z.enum(states),
  why: z.object({ code: z.enum(reasons), says: z.string() }).nullable(),
  attempts: z.number().int(),
  createdAt: Time,
  settledAt: Time.nullable(),
});

/** The outbox, under `/api`. */
export const notifyOperations: readonly Operation[] = [
  operation({
    id: 'notify.list_messages',
    at: 'GET /orgs/:org/messages',
    can: 'member.read',
    says: 'Lists mails to members, newest first: to whom, about what, whether it was sent and why not. The words are not kept.',
    params: z.object({ org: z.string() }),
    query: ListQuery.extend({ state: z.enum(states).optional() }),
    reply: listOf(ShownMessage),
    async handle(ctx, { query }) {
      const { cursor: after, ...filter } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listMessages(db, { ...filter, after }));
      const page = listed(rows, query.limit, (m) => [m.id]);
      return {
        ...page,
        items: page.items.map((m) => ({
          ...m,
          why: m.why && { code: m.why, says: saysNotSent(m.why) },
          createdAt: m.createdAt.toISOString(),
          settledAt: m.settledAt?.toISOString() ?? null,
        })),
      };
    },
  }),
];
