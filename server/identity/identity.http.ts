import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { createConnection } from './create-connection.ts';
import { changeConnectionRules } from './oidc/change-connection-rules.ts';
import { logoutUri } from './oidc/receive-logout.ts';
import { useClientKey } from './oidc/use-client-key.ts';
import { meOperations } from './me.http.ts';
import { replaceClientSecret } from './replace-client-secret.ts';
import { setConnectionState } from './set-connection-state.ts';
import { signInMethods, Stage, type SignInTrace } from './sign-in-trace.ts';
import { findTrace, listTraces } from './sign-in-trace.sql.ts';
import {
  authMethods,
  noSuchConnection,
  idJagModes,
  parModes,
  redirectUri,
  type SsoConnection,
} from './sso-connection.ts';
import { findConnection, listConnections } from './sso-connection.sql.ts';

const OrgPath = z.object({ org: z.string() });
const Time = z.iso.datetime({ offset: true });
const Name = z.string().trim().min(1).max(200);

const noSuchTrace = (): Problem =>
  new Problem('missing', 'identity/no-such-trace', { says: 'there is no such sign-in in this organization' });

/** An id in a path; one that cannot be ours is answered like one that does not exist. */
const idOf = <K extends string>(kind: K, missing: () => Problem) =>
  z.string().transform((text): Id<K> => {
    const id = parseId(kind, text);
    if (!id) throw missing();
    return id;
  });
const ConnectionPath = OrgPath.extend({ connection: idOf('sso', noSuchConnection) });

/** Connections and traces are the parent's: the organization in the path says who asks, not whose they are. */
const ofParent = (ctx: Ctx) => ({ parent: ctx.parent });

/** What of a provider's people is let in, and how it is asked. */
const ConnectionRules = {
  hostedDomains: z.array(z.string().trim().min(1).max(253)).max(50).exactOptional(),
  tenants: z.array(z.string().trim().min(1).max(100)).max(50).exactOptional(),
  par: z.enum(parModes).exactOptional(),
};
/** What may be changed later: also whether assertions for agents (ID-JAG) are taken, which connecting never switches on. */
const ChangedRules = { ...ConnectionRules, idJag: z.enum(idJagModes).exactOptional() };

const ShownConnection = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.literal('oidc'),
  issuer: z.string(),
  clientId: z.string(),
  authMethod: z.enum(authMethods),
  allowPrivate: z.array(z.string()),
  matchDirectory: z.boolean(),
  hostedDomains: z.array(z.string()),
  tenants: z.array(z.string()),
  par: z.enum(parModes),
  idJag: z.enum(idJagModes),
  state: z.enum(['active', 'disabled']),
  /** Our public keys, where the connection authenticates with one. */
  jwksUri: z.string().nullable(),
  /** May be registered there, so that signing out there ends sessions here. */
  backChannelLogoutUri: z.string(),
  /** To be registered at the identity provider. */
  redirectUri: z.string(),
  signInUrl: z.string(),
  discoveredAt: Time,
  createdAt: Time,
});
const shown = (c: SsoConnection, origin: string): z.infer<typeof ShownConnection> => ({
  id: c.id,
  name: c.name,
  kind: 'oidc',
  issuer: c.issuer,
  clientId: c.clientId,
  authMethod: c.authMethod,
  allowPrivate: c.allowPrivate,
  matchDirectory: c.matchDirectory,
  hostedDomains: c.hostedDomains,
  tenants: c.tenants,
  par: c.par,
  idJag: c.idJag,
  state: c.state,
  jwksUri: c.authMethod === 'private_key_jwt' ? `${origin}/api/oidc/${c.id}/jwks` : null,
  backChannelLogoutUri: logoutUri(origin, c.id),
  redirectUri: redirectUri(origin),
  signInUrl: `${origin}/sign-in/start/${c.id}`,
  discoveredAt: c.discoveredAt.toISOString(),
  createdAt: c.createdAt.toISOString(),
});

const ShownTrace = z.object({
  id: z.string(),
  at: Time,
  method: z.enum(signInMethods),
  /** Of single sign-on only. */
  connection: z.string().nullable(),
  user: z.string().nullable(),
  /** What the identity provider calls the person; else the passkey or the link. */
  subject: z.string().nullable(),
  outcome: z.string(),
  stages: z.array(Stage),
});
const shownTrace = (t: SignInTrace): z.infer<typeof ShownTrace> => ({ ...t, at: t.at.toISOString() });

const setState = (verb: 'enable' | 'disable', state: SsoConnection['state'], says: string): Operation =>
  operation({
    id: `identity.${verb}_connection`,
    at: `POST /orgs/:org/sso-connections/:connection/${verb}`,
    can: 'sso.manage',
    says,
    params: ConnectionPath,
    reply: ShownConnection,
    handle: async (ctx, { params }) => shown(await setConnectionState(ctx, params.connection, state), ctx.origin),
  });

/** Connections, traces and a person's own sessions, under `/api`. */
export const identityOperations: readonly Operation[] = [
  operation({
    id: 'identity.create_connection',
    at: 'POST /orgs/:org/sso-connections',
    can: 'sso.manage',
    says: 'Connects an OpenID Connect identity provider from its issuer; its discovery document is fetched and judged at once.',
    params: OrgPath,
    body: z
      .strictObject({
        kind: z.literal('oidc').default('oidc'),
        name: Name,
        issuer: z.url({ protocol: /^https?$/ }).max(300),
        clientId: z.string().min(1).max(300),
        clientSecret: z.string().min(1).max(2000).optional(),
        /** Instead of a secret: a key of ours, published at jwksUri. */
        privateKeyJwt: z.literal(true).exactOptional(),
        ...ConnectionRules,
        /** true: the issuer's own host; or all its hosts (`host` or `host:port`) that are inside a private network. */
        allowPrivate: z.union([z.boolean(), z.array(z.string().min(1).max(260)).max(10)]).default(false),
        matchDirectory: z.boolean().optional(),
      })
      .refine((b) => !(b.privateKeyJwt && b.clientSecret !== undefined), 'give a secret or privateKeyJwt, not both'),
    reply: ShownConnection,
    status: 201,
    headers: (c, ctx) => ({ location: `/api/orgs/${ctx.org}/sso-connections/${c.id}` }),
    async handle(ctx, { body }) {
      const {
        name,
        issuer,
        clientId,
        matchDirectory,
        allowPrivate: inside,
        clientSecret: secret,
        kind: _kind,
        ...rest
      } = body;
      const clientSecret = secret === undefined ? undefined : new Secret(secret);
      const allowPrivate = typeof inside === 'boolean' ? (inside ? [new URL(issuer).host] : []) : inside;
      const wanted = { ...rest, name, issuer, clientId, clientSecret, allowPrivate, matchDirectory };
      return shown(await createConnection(ctx, wanted), ctx.origin);
    },
  }),
  operation({
    id: 'identity.list_connections',
    at: 'GET /orgs/:org/sso-connections',
    can: 'sso.manage',
    says: 'Lists the identity providers; q searches name and issuer.',
    params: OrgPath,
    query: ListQuery.extend({ state: z.enum(['active', 'disabled']).optional() }),
    reply: listOf(ShownConnection),
    async handle(ctx, { query }) {
      const { cursor: after, ...filter } = query;
      const rows = await ctx.db.read(ofParent(ctx), (db) => listConnections(db, { ...filter, after }));
      const page = listed(rows, query.limit, (c) => [c.name.toLowerCase(), c.id]);
      return { ...page, items: page.items.map((c) => shown(c, ctx.origin)) };
    },
  }),
  operation({
    id: 'identity.read_connection',
    at: 'GET /orgs/:org/sso-connections/:connection',
    can: 'sso.manage',
    says: 'Shows one identity provider.',
    params: ConnectionPath,
    reply: ShownConnection,
    async handle(ctx, { params }) {
      const found = await ctx.db.read(ofParent(ctx), (db) => findConnection(db, params.connection));
      if (!found) throw noSuchConnection();
      return shown(found, ctx.origin);
    },
  }),
  operation({
    id: 'identity.change_connection',
    at: 'PATCH /orgs/:org/sso-connections/:connection',
    can: 'sso.manage',
    says: 'Changes which accounts of an OpenID provider are let in (hd, tid), whether requests are pushed, and whether its assertions give agents tokens (idJag).',
    params: ConnectionPath,
    body: z.strictObject(ChangedRules),
    reply: ShownConnection,
    handle: async (ctx, { params, body }) =>
      shown(await changeConnectionRules(ctx, params.connection, body), ctx.origin),
  }),
  operation({
    id: 'identity.use_client_key',
    at: 'POST /orgs/:org/sso-connections/:connection/client-key',
    can: 'sso.manage',
    says: 'Authenticates at the identity provider with the next key of ours from now on; a secret is forgotten.',
    params: ConnectionPath,
    reply: ShownConnection,
    handle: async (ctx, { params }) => shown(await useClientKey(ctx, params.connection), ctx.origin),
  }),
  setState('disable', 'disabled', 'Switches signing in through an identity provider off; sessions go on.'),
  setState('enable', 'active', 'Switches signing in through an identity provider on again.'),
  operation({
    id: 'identity.replace_client_secret',
    at: 'PUT /orgs/:org/sso-connections/:connection/client-secret',
    can: 'sso.manage',
    says: 'Replaces the client secret of an identity provider.',
    params: ConnectionPath,
    body: z.strictObject({ clientSecret: z.string().min(1).max(2000) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params, body }) => replaceClientSecret(ctx, params.connection, new Secret(body.clientSecret)),
  }),
  operation({
    id: 'identity.list_sign_ins',
    at: 'GET /orgs/:org/sign-ins',
    can: 'trace.read',
    says: 'Lists sign-ins of every method with what happened at each stage, newest first; q searches outcome, subject, e-mail and stages, or finds an id.',
    params: OrgPath,
    query: ListQuery.extend({ outcome: z.string().max(100).optional(), method: z.enum(signInMethods).optional() }),
    reply: listOf(ShownTrace),
    async handle(ctx, { query }) {
      const { cursor: after, ...filter } = query;
      const rows = await ctx.db.read(ofParent(ctx), (db) => listTraces(db, { ...filter, after }));
      const page = listed(rows, query.limit, (t) => [t.id]);
      return { ...page, items: page.items.map(shownTrace) };
    },
  }),
  operation({
    id: 'identity.read_sign_in',
    at: 'GET /orgs/:org/sign-ins/:trace',
    can: 'trace.read',
    says: 'Shows one sign-in by the number that its person saw.',
    params: OrgPath.extend({ trace: idOf('sgn', noSuchTrace) }),
    reply: ShownTrace,
    async handle(ctx, { params }) {
      const found = await ctx.db.read(ofParent(ctx), (db) => findTrace(db, params.trace));
      if (!found) throw noSuchTrace();
      return shownTrace(found);
    },
  }),
  ...meOperations,
];
