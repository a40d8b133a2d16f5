import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { appWays, type ConnectorApp } from '#vault/connector-app.ts';
import { deleteApp, findApp } from '#vault/connector-app.sql.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { idOf, inOrg, OneConnector } from '../connector-door.ts';
import { redirectUri } from './consent.ts';
import { withinOrg, type AtConnector, type Connecting } from './place.ts';
import { setApp } from './set-app.ts';

const AppShown = z.object({
  clientId: z.string(),
  kind: z.enum(['secret', 'key', 'none']),
  /** Whether an administrator entered it, it is our own document, or we registered it ourselves. */
  way: z.enum(appWays),
  /** For the vendor, where it is a key. */
  certificate: z.string().nullable(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).nullable(),
  redirectUri: z.string(),
  requireSameAddress: z.boolean(),
  endsAt: z.string().nullable(),
  failingSince: z.string().nullable(),
  setBy: z.string(),
  setAt: z.string(),
});

function shownApp(app: ConnectorApp, origin: string): z.infer<typeof AppShown> {
  const key = app.proof.kind === 'key' ? app.proof : undefined;
  return {
    clientId: app.clientId,
    kind: app.proof.kind,
    way: app.way,
    certificate: key?.certificate ?? null,
    jwks: key ? { keys: [jwkOf(key.certificate, key.keyId)] } : null,
    redirectUri: redirectUri(origin, app.connector),
    requireSameAddress: app.sameAddress,
    endsAt: app.ends?.toISOString() ?? null,
    failingSince: app.failingSince?.toISOString() ?? null,
    setBy: app.set.by,
    setAt: app.set.at.toISOString(),
  };
}

const jwkOf = (certificate: string, keyId: string): Record<string, unknown> => ({
  ...createPublicKey(certificate).export({ format: 'jwk' }),
  use: 'sig',
  alg: 'PS256',
  kid: keyId,
  'x5t#S256': keyId,
  x5c: [certificate.replace(/-----[^-]+-----|\s/g, '')],
});

const noApp = (at: AtConnector): Problem =>
  new Problem('missing', 'connectors/no-app-yet', {
    says: `no app is registered for ${at.connector.name}`,
    fix: `register one at the vendor with the redirect address ${redirectUri(at.ctx.origin, at.connector.id)}`,
    more: { redirectUri: redirectUri(at.ctx.origin, at.connector.id) },
  });

/** The app that an organization registered at a vendor. What is secret of it goes in and never comes out. */
export const appOperations = (how: Pick<Connecting, 'vendorOf'>): readonly Operation[] => {
  const at = (ctx: Ctx, con: string): Promise<AtConnector> => withinOrg(inOrg(ctx), how.vendorOf, idOf(con));
  return [
    operation({
      id: 'connectors.get_app',
      at: 'GET /orgs/:org/connectors/:con/app',
      can: 'connector.manage',
      says: 'Shows the app that is registered at the vendor for a connector, without its secret.',
      params: OneConnector,
      reply: AppShown,
      async handle(ctx, { params }) {
        const place = await at(ctx, params.con);
        const app = await ctx.db.read(scopeOf(ctx), (db) => findApp(db, place.connector.id));
        if (!app) throw noApp(place);
        return shownApp(app, ctx.origin);
      },
    }),
    operation({
      id: 'connectors.set_app',
      at: 'PUT /orgs/:org/connectors/:con/app',
      can: 'connector.manage',
      says: 'Registers the app of a connector: its client id, and a secret of the vendor’s or a key of ours whose certificate the vendor gets. Without either, what is there stays.',
      params: OneConnector,
      body: z
        .strictObject({
          clientId: z.string().trim().min(1).max(500),
          clientSecret: z.string().min(1).max(8000).optional(),
          key: z.literal(true).optional(),
          endsAt: z.iso.datetime({ offset: true }).optional(),
          requireSameAddress: z.boolean().optional(),
        })
        .refine((b) => b.clientSecret === undefined || b.key === undefined, 'give a secret or ask for a key, not both'),
      reply: AppShown,
      async handle(ctx, { params, body }) {
        const app = await setApp(await at(ctx, params.con), {
          clientId: body.clientId,
          proof: body.key
            ? { kind: 'key' }
            : body.clientSecret === undefined
              ? undefined
              : { kind: 'secret', secret: new Secret(body.clientSecret) },
          ends: body.endsAt === undefined ? undefined : new Date(body.endsAt),
          sameAddress: body.requireSameAddress,
        });
        return shownApp(app, ctx.origin);
      },
    }),
    operation({
      id: 'connectors.remove_app',
      at: 'DELETE /orgs/:org/connectors/:con/app',
      can: 'connector.manage',
      says: 'Forgets the app of a connector. Connections stay and cannot be renewed until there is one again.',
      params: OneConnector,
      status: 204,
      reply: z.undefined(),
      async handle(ctx, { params }) {
        const { connector } = await at(ctx, params.con);
        await change(inOrg(ctx), async (tx) =>
          (await deleteApp(tx, connector.id)) === 0
            ? { value: undefined, unchanged: true }
            : {
                value: undefined,
                events: [event(vaultEvents, 'connector_app.removed', { connector: connector.id })],
              },
        );
        return undefined;
      },
    }),
  ];
};
