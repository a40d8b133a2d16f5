import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { noSuchMember } from '#org/member.ts';
import { InOrg, inOrg } from '#connectors/connector-door.ts';
import { outcomes } from './gateway.events.ts';
import { listCallsOfMember } from './my-call.sql.ts';

const query = ListQuery.extend({
  outcome: z.enum(outcomes).optional(),
  refused: z.stringbool().optional().describe('Only calls that were denied or blocked, or that failed.'),
}).refine(
  (q) => q.cursor === undefined || (q.cursor.length === 2 && z.iso.datetime().safeParse(q.cursor[0]).success),
  'this cursor was not made by this list; leave it out to begin at the top',
);

const MyCall = z.object({
  id: z.string(),
  /** Name and slug are null where the connector is gone. */
  connector: z.object({ id: z.string(), slug: z.string().nullable(), name: z.string().nullable() }),
  tool: z.string(),
  /** Which application made it. */
  client: z.string(),
  at: z.string(),
  ended: z.string().nullable(),
  /** Null: it is under way. */
  outcome: z.enum(outcomes).nullable(),
  /** A word for why it was denied or failed. */
  why: z.string().nullable(),
});

/** What agents did in the name of whoever asks. */
export const myCallOperations: readonly Operation[] = [
  operation({
    id: 'mine.list_calls',
    at: 'GET /orgs/:org/my/calls',
    can: 'signed_in',
    says: 'Lists the tool calls that agents made in the name of the caller, newest first, without their arguments; q searches tools and connectors.',
    params: InOrg,
    query,
    reply: listOf(MyCall),
    async handle(anywhere, { query: { cursor, ...f } }) {
      const ctx = inOrg(anywhere);
      const { actor } = ctx;
      if (actor.kind !== 'user')
        throw new Problem('forbidden', 'gateway/persons-only', {
          says: 'agents make calls in the name of people, and an API key is not one',
          fix: 'the calls of everybody are in the log',
        });
      const [at, id] = cursor ?? [];
      const before = at !== undefined && id !== undefined ? { at: new Date(at), id } : undefined;
      const rows = await ctx.db.read(scopeOf(ctx), async (db) => {
        const member = await findMemberByUser(db, actor.id);
        if (!member) throw noSuchMember();
        return listCallsOfMember(db, { ...f, before, member: member.id });
      });
      const page = listed(rows, f.limit, (c) => [c.at.toISOString(), c.id]);
      return {
        ...page,
        items: page.items.map(({ connector, slug, name, at: begun, ended, ...c }) => ({
          ...c,
          connector: { id: connector, slug, name },
          at: begun.toISOString(),
          ended: ended?.toISOString() ?? null,
        })),
      };
    },
  }),
];
