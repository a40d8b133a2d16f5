import { z } from 'zod';
import { idOf, InOrg, inOrg, OneConnector } from '#connectors/connector-door.ts';
import { findConnector } from '#connectors/connector.sql.ts';
import { noConnector } from '#connectors/refresh-tools.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { listCallLimits } from './call-limit.sql.ts';
import { limitNames, limitsAt, MAX_LIMIT, type Limit, type LimitsSet } from './call-limits.ts';
import { setCallLimits } from './set-call-limits.ts';

const figure = z.number().int().min(1).max(MAX_LIMIT).nullable().optional();
/** Null: no limit; left out: what else holds. */
const Limits = z.strictObject({
  personAtOnce: figure,
  personPerMinute: figure,
  connectorAtOnce: figure,
  connectorPerMinute: figure,
  toolAtOnce: figure,
  toolPerMinute: figure,
});
const InForce = z.object({ atOnce: z.number().nullable(), perMinute: z.number().nullable() });
const Shown = z.object({
  /** What an administrator said here. */
  set: Limits,
  /** What comes of it with what holds for all and what holds where nobody says anything. Null: no limit. At each node. */
  inForce: z.object({ person: InForce, personHere: InForce, connector: InForce, tool: InForce }),
});

const shownLimit = (l: Limit): z.infer<typeof InForce> => ({
  atOnce: l.atOnce ?? null,
  perMinute: l.perMinute ?? null,
});

async function shown(ctx: OrgCtx, connector: Id<'con'> | undefined): Promise<z.infer<typeof Shown>> {
  const rows = await ctx.db.read(scopeOf(ctx), async (db) => {
    if (connector !== undefined && !(await findConnector(db, connector))) throw noConnector(connector);
    return listCallLimits(db);
  });
  const said = (about: string): LimitsSet => {
    const row: LimitsSet = rows.find((r) => r.about === about) ?? {};
    return Object.fromEntries(limitNames.flatMap((n) => (row[n] === undefined ? [] : [[n, row[n]]])));
  };
  const set = said(connector ?? 'all');
  const at = limitsAt(said('all'), connector === undefined ? {} : set);
  return {
    set,
    inForce: {
      person: shownLimit(at.person),
      personHere: shownLimit(at.personHere),
      connector: shownLimit(at.connector),
      tool: shownLimit(at.tool),
    },
  };
}

/** How many calls there may be. */
export const limitOperations: readonly Operation[] = [
  operation({
    id: 'limits.get',
    at: 'GET /orgs/:org/call-limits',
    can: 'connector.read',
    says: 'Shows how many calls a person, a connector and a tool may have under way and begin in a minute, at each node.',
    params: InOrg,
    reply: Shown,
    handle: (ctx) => shown(inOrg(ctx), undefined),
  }),
  operation({
    id: 'limits.set',
    at: 'PUT /orgs/:org/call-limits',
    can: 'connector.manage',
    says: 'Sets the limits of calls for the whole organization. Null takes one away; what is left out is as it is by default.',
    params: InOrg,
    body: Limits,
    reply: Shown,
    handle: async (ctx, { body }) => {
      await setCallLimits(inOrg(ctx), undefined, body);
      return shown(inOrg(ctx), undefined);
    },
  }),
  operation({
    id: 'limits.get_of_connector',
    at: 'GET /orgs/:org/connectors/:con/call-limits',
    can: 'connector.read',
    says: 'Shows the limits of calls at one connector.',
    params: OneConnector,
    reply: Shown,
    handle: (ctx, { params }) => shown(inOrg(ctx), idOf(params.con)),
  }),
  operation({
    id: 'limits.set_of_connector',
    at: 'PUT /orgs/:org/connectors/:con/call-limits',
    can: 'connector.manage',
    says: 'Sets the limits of calls at one connector. What is left out is as it is for the organization; a person’s limits here come on top of those everywhere.',
    params: OneConnector,
    body: Limits,
    reply: Shown,
    handle: async (ctx, { params, body }) => {
      await setCallLimits(inOrg(ctx), idOf(params.con), body);
      return shown(inOrg(ctx), idOf(params.con));
    },
  }),
];
