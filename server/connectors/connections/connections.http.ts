import { z } from 'zod';
import { csvLine } from '#audit/csv.ts';
import { listEvents } from '#audit/list-events.ts';
import type { Vocabulary } from '#audit/shown-event.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { connectionStates } from '#vault/connection.ts';
import { endConnection } from '#vault/end-connection.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import { inOrg, InOrg } from '../connector-door.ts';
import { AHEAD_MS, clockWords, day, stepOf } from './connection-health.ts';
import { findListed, listConnections, listWatched, listWatchedApps } from './connections.sql.ts';
import { ConnectionShown, iso, shownConnections, time } from './shown-connection.ts';

const Filter = ListQuery.extend({
  connector: z.string().max(60).optional(),
  type: z.string().max(100).optional(),
  owner: z.string().max(60).optional().describe('The id of a user, or `organization`.'),
  state: z.enum(connectionStates).optional().describe('Without it, all but ended ones.'),
});
const OneConnection = z.strictObject({ org: z.string(), cnn: z.string() });

const none = (id: string): Problem =>
  new Problem('missing', 'connections/none', {
    says: `no connection ${id.slice(0, 60)} in this organization`,
    fix: 'list the connections and take an id from there',
  });
const idOf = (text: string): Id<'cnn'> => {
  const id = parseId('cnn', text);
  if (!id) throw none(text);
  return id;
};
const meOf = (ctx: Ctx): Id<'usr'> => {
  if (ctx.actor.kind === 'user') return ctx.actor.id;
  throw new Problem('forbidden', 'connections/not-a-person', {
    says: 'keys and agents have no connections of their own',
    fix: 'sign in, or ask about the connections of everybody',
  });
};

const EventShown = z.object({ at: z.string(), type: z.string(), says: z.string(), actor: z.unknown() });
/** Events of one page; older ones are in the log. */
const HISTORY = 100;
/** Lines of one file; an organization with more asks for parts of them. */
const MAX_LINES = 100_000;
const LINES_AT_ONCE = 1000;

/** Who connected what, how it stands, and how it is ended. `vocabulary`: every event, for the history of a connection. */
export const connectionOperations = (siteOf: SiteOf, vocabulary: Vocabulary): Operation[] => [
  operation({
    id: 'connections.list',
    at: 'GET /orgs/:org/connections',
    can: 'connector.manage',
    says: 'Lists who connected what: owner, connector, account, scopes, how it stands, what ends next. q searches accounts, people and connectors.',
    params: InOrg,
    query: Filter,
    reply: listOf(ConnectionShown),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const { cursor: after, ...f } = query;
        const rows = listed(await listConnections(db, { ...f, after }), f.limit, (l) => [l.connection.id]);
        return { items: await shownConnections(db, rows.items, siteOf, ctx.now), next: rows.next };
      }),
  }),
  page({
    id: 'connections.export',
    at: 'GET /orgs/:org/connections.csv',
    can: 'connector.manage',
    says: 'Gives the same as CSV.',
    params: InOrg,
    query: Filter.omit({ limit: true, cursor: true }),
    async handle(ctx, { query }) {
      let text = csvLine([
        'id',
        'connector',
        'type',
        'owner',
        'email',
        'account',
        'access',
        'scopes',
        'state',
        'health',
        'says',
        'next_end',
        'last_used',
        'last_refreshed',
        'made_at',
      ]);
      let after: string[] | undefined;
      for (let lines = 0; lines < MAX_LINES; lines += LINES_AT_ONCE) {
        const items = await ctx.db.read(scopeOf(ctx), async (db) =>
          shownConnections(
            db,
            (await listConnections(db, { ...query, after, limit: LINES_AT_ONCE - 1 })).slice(0, LINES_AT_ONCE),
            siteOf,
            ctx.now,
          ),
        );
        for (const c of items)
          text += csvLine([
            c.id,
            c.connector.slug,
            c.connector.type,
            c.owner.kind === 'person' ? c.owner.name : 'organization',
            c.owner.kind === 'person' ? c.owner.email : undefined,
            c.account?.label,
            c.access,
            c.scopes.join(' '),
            c.state,
            c.health.state,
            c.health.says,
            c.nextEnd?.at,
            c.lastUsed ?? undefined,
            c.lastRefreshed ?? undefined,
            c.made.at,
          ]);
        const last = items.at(-1);
        if (items.length < LINES_AT_ONCE || !last) break;
        after = [last.id];
      }
      return new Response(text, {
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': 'attachment; filename="connections.csv"',
          'cache-control': 'no-store',
        },
      });
    },
  }),
  operation({
    id: 'connections.get',
    at: 'GET /orgs/:org/connections/:cnn',
    can: 'connector.manage',
    says: 'Shows a connection with what happened to it, newest first.',
    params: OneConnection,
    reply: ConnectionShown.extend({ history: z.array(EventShown) }),
    async handle(ctx, { params }) {
      const { org } = inOrg(ctx);
      const id = idOf(params.cnn);
      const one = await ctx.db.read(scopeOf(ctx), async (db) => {
        const l = await findListed(db, id);
        return l && (await shownConnections(db, [l], siteOf, ctx.now))[0];
      });
      if (!one) throw none(id);
      const filter = { connector: one.connector.id, text: id };
      const { events } = await listEvents(ctx, vocabulary, org, {
        from: { before: undefined },
        limit: HISTORY,
        filter,
      });
      return {
        ...one,
        history: events.map((e) => ({ at: e.at, type: e.type, says: e.says, actor: e.actor })),
      };
    },
  }),
  operation({
    id: 'connections.revoke',
    at: 'DELETE /orgs/:org/connections/:cnn',
    can: 'connector.manage',
    says: 'Ends a connection: at once here, and at the vendor as soon as it can be told.',
    params: OneConnection,
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params }) {
      const id = idOf(params.cnn);
      if (!(await ctx.db.read(scopeOf(ctx), (db) => findListed(db, id)))) throw none(id);
      await endConnection(inOrg(ctx), id, 'revoked');
      return {};
    },
  }),
  operation({
    id: 'connections.health',
    at: 'GET /orgs/:org/connection-health',
    can: 'connector.manage',
    says: 'Lists what needs a person now: connections that do not work or end soon, and apps at vendors that fail or end.',
    params: InOrg,
    reply: z.object({
      connections: z.array(ConnectionShown),
      apps: z.array(
        z.object({
          connector: z.object({ id: z.string(), name: z.string(), type: z.string() }),
          says: z.string(),
          fix: z.string(),
          ends: time,
          failingSince: time,
          /** Live consents that go through it. */
          connections: z.number(),
        }),
      ),
    }),
    handle: (ctx) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const by = new Date(ctx.now.getTime() + AHEAD_MS);
        const watched = await shownConnections(db, await listWatched(db, ctx.now, by), siteOf, ctx.now);
        return {
          // What the app is to blame for is told once, below.
          connections: watched.filter((c) => c.health.whose !== null && c.nextEnd?.clock !== 'app'),
          apps: (await listWatchedApps(db, by)).flatMap((a) => {
            const ending = a.ends !== null && stepOf(a.ends, ctx.now) !== undefined;
            if (!ending && !a.failingSince) return [];
            return {
              connector: { id: a.connector, name: a.name, type: a.type },
              says: a.failingSince
                ? `the vendor has refused it since ${day(a.failingSince)}`
                : `${clockWords.app} ${a.ends && a.ends <= ctx.now ? 'ended' : 'ends'} on ${a.ends ? day(a.ends) : ''}`,
              fix: 'make a new secret or certificate for the app at the vendor and enter it here',
              ends: iso(a.ends ?? undefined),
              failingSince: iso(a.failingSince ?? undefined),
              connections: a.people,
            };
          }),
        };
      }),
  }),
  operation({
    id: 'connections.list_mine',
    at: 'GET /orgs/:org/my/connections',
    can: 'signed_in',
    says: 'Lists the connections of whoever asks.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(ConnectionShown),
    handle: (ctx, { query }) => {
      const owner = meOf(ctx);
      return ctx.db.read(scopeOf(ctx), async (db) => {
        const { cursor: after, q, limit } = query;
        const rows = listed(await listConnections(db, { q, limit, owner, after }), limit, (l) => [l.connection.id]);
        return { items: await shownConnections(db, rows.items, siteOf, ctx.now), next: rows.next };
      });
    },
  }),
  operation({
    id: 'connections.end_mine',
    at: 'DELETE /orgs/:org/my/connections/:cnn',
    can: 'signed_in',
    says: 'Ends a connection of whoever asks.',
    params: OneConnection,
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params }) {
      const [me, id] = [meOf(ctx), idOf(params.cnn)];
      const mine = await ctx.db.read(scopeOf(ctx), (db) => findListed(db, id));
      if (mine?.person?.user !== me) throw none(id);
      await endConnection(inOrg(ctx), id, 'disconnected');
      return {};
    },
  }),
];
