import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { connectionStates, type Connection } from '#vault/connection.ts';
import { findLiveConnection } from '#vault/connection.sql.ts';
import { endConnection } from '#vault/end-connection.ts';
import { accesses } from '#vault/vendor-auth.ts';
import { idOf, inOrg, OneConnector } from '../connector-door.ts';
import { giveAccount } from './give-account.ts';
import { withinOrg, type AtConnector, type Connecting } from './place.ts';

const AccountShown = z.object({
  connection: z.string(),
  kind: z.string(),
  /** Parts of what was given that are no secret. */
  shown: z.record(z.string(), z.string()),
  /** Whose account it is, as the vendor says. */
  account: z.string().nullable(),
  access: z.enum(accesses),
  scopes: z.array(z.string()),
  state: z.enum(connectionStates),
  why: z.string().nullable(),
  endsAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  givenBy: z.string(),
  givenAt: z.string(),
});

const shownAccount = (c: Connection): z.infer<typeof AccountShown> => ({
  connection: c.id,
  kind: c.grantKind,
  shown: c.shown,
  account: c.account?.label ?? null,
  access: c.access,
  scopes: [...c.scopes],
  state: c.standing.state,
  why: 'why' in c.standing ? c.standing.why : null,
  endsAt: c.expiry.given?.toISOString() ?? null,
  lastUsedAt: c.lastUsed?.toISOString() ?? null,
  givenBy: c.made.by,
  givenAt: c.made.at.toISOString(),
});

const noAccount = (at: AtConnector): Problem =>
  new Problem('missing', 'connectors/no-account', {
    says: `${at.connector.name} has no account of the organization`,
    fix: `give it one with PUT /api/orgs/${at.ctx.org}/connectors/${at.connector.id}/account; the catalogue names the kinds and their fields`,
  });

/** The account that an organization gave a connector. What is secret of it goes in and never comes out. */
export const accountOperations = (how: Pick<Connecting, 'vendorOf'>): readonly Operation[] => {
  const at = (ctx: Ctx, con: string): Promise<AtConnector> => withinOrg(inOrg(ctx), how.vendorOf, idOf(con));
  const found = async (place: AtConnector): Promise<Connection> => {
    const { ctx, connector } = place;
    const connection = await ctx.db.read(scopeOf(ctx), (db) => findLiveConnection(db, connector.id, 'organization'));
    if (!connection) throw noAccount(place);
    return connection;
  };
  return [
    operation({
      id: 'connectors.get_account',
      at: 'GET /orgs/:org/connectors/:con/account',
      can: 'connector.manage',
      says: "Shows the organization's account at a connector, without what is secret of it.",
      params: OneConnector,
      reply: AccountShown,
      handle: async (ctx, { params }) => shownAccount(await found(await at(ctx, params.con))),
    }),
    operation({
      id: 'connectors.give_account',
      at: 'PUT /orgs/:org/connectors/:con/account',
      can: 'connector.manage',
      says: "Gives a connector the organization's account, or another in its place. It is tried at the vendor before it is kept, unless `unchecked` is said.",
      params: OneConnector,
      body: z.strictObject({
        kind: z.string().min(1).max(60),
        fields: z.record(z.string().max(60), z.unknown()),
        /** When what is given ends, where it does not say so itself. */
        endsAt: z.iso.datetime({ offset: true }).optional(),
        unchecked: z.boolean().default(false),
      }),
      reply: AccountShown,
      async handle(ctx, { params, body }) {
        const { endsAt, ...wish } = body;
        const ends = endsAt === undefined ? undefined : new Date(endsAt);
        return shownAccount(await giveAccount(await at(ctx, params.con), { ...wish, ends }));
      },
    }),
    operation({
      id: 'connectors.take_account',
      at: 'DELETE /orgs/:org/connectors/:con/account',
      can: 'connector.manage',
      says: "Takes the organization's account from a connector: from now on it is used by nobody and what was given is gone.",
      params: OneConnector,
      status: 204,
      reply: z.undefined(),
      async handle(ctx, { params }) {
        const place = await at(ctx, params.con);
        await endConnection(place.ctx, (await found(place)).id, 'revoked');
        return undefined;
      },
    }),
  ];
};
