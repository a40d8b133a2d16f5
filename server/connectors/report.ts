import { many, type Need, type Reporter } from '#kernel/report.ts';
import { AHEAD_MS, failed, soonest, stepOf } from './connections/connection-health.ts';
import { listWatched } from './connections/connections.sql.ts';
import { countConnectors, countWaiting } from './report.sql.ts';

/** Which tools wait for a reviewer. */
export const connectorsReport: Reporter = {
  room: 'connectors',
  can: 'connector.manage',
  async report(_ctx, db) {
    const waiting = await countWaiting(db);
    const { on, first, tools } = await countConnectors(db);
    return {
      steps: [
        {
          code: 'connectors.first',
          name: 'First connector',
          done: on > 0,
          says:
            first === null ? 'A system whose tools people may use' : `${first}${on > 1 ? ` and ${on - 1} more` : ''}`,
          act: 'Add a connector',
          page: '/connectors/catalogue',
          first: { log: 'org', types: ['connector.added'] },
        },
      ],
      needs: waiting.map(({ connector, fresh, changed, since }): Need => {
        const count = fresh + changed;
        return {
          code: changed > 0 ? 'connectors.tools_changed' : 'connectors.tools_new',
          urgency: 'held',
          says:
            changed > 0
              ? `${many(changed, 'tool')} of ${connector} changed after ${changed === 1 ? 'its' : 'their'} review`
              : `${many(fresh, 'new tool')} of ${connector} ${fresh === 1 ? 'waits' : 'wait'} for a review`,
          more: `${count === 1 ? 'It cannot' : 'None of them can'} be called until someone compares.`,
          count,
          since,
          until: null,
          act: changed > 0 ? 'Compare' : 'Review',
          page: '/connectors/tools',
        };
      }),
      fine: tools > 0 ? [{ says: many(tools, 'tool'), more: 'reviewed', at: null }] : [],
    };
  },
};

/** Connections of people and of the organization that do not stand well, by connector; each person hears of their own. */
export const connectionsReport: Reporter = {
  room: 'connections',
  can: 'connector.manage',
  async report(ctx, db) {
    const watched = await listWatched(db, ctx.now, new Date(ctx.now.getTime() + AHEAD_MS));
    const needs = watched.flatMap(({ connection, connector, person }): Need[] => {
      const whose = person
        ? `The connection of ${person.name} to ${connector.name}`
        : `The account of ${connector.name}`;
      const at = { count: 1, act: 'Open the connection', page: '/connectors/connections' };
      if (failed(connection))
        return [
          {
            ...at,
            code: 'connections.failed',
            urgency: 'broken',
            says: `${whose} does not work any more`,
            more: person
              ? 'They can connect it again on their own page.'
              : 'Calls that use it fail until it is given anew.',
            since: connection.lastRefreshed ?? null,
            until: null,
          },
        ];
      const [end] = soonest({ connection, rotates: true }, ctx.now);
      if (person || !end || stepOf(end.at, ctx.now) === undefined) return [];
      return [
        {
          ...at,
          code: 'connections.ending',
          urgency: end.at <= ctx.now ? 'broken' : 'breaks',
          says: `${whose} ${end.at <= ctx.now ? 'has ended' : 'ends soon'}`,
          more: 'Everybody who uses it loses it then.',
          since: null,
          until: end.at,
        },
      ];
    });
    return { needs };
  },
};
