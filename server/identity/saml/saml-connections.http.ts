import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { Stage } from '../sign-in-trace.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { addSamlCertificate } from './add-saml-certificate.ts';
import { changeSamlConnection } from './change-saml-connection.ts';
import { DAY_MS, type SamlConnection } from './connection.ts';
import { findSamlConnection, listCertificates, listEndingCertificates, listSamlConnections } from './connection.sql.ts';
import { createSamlConnection } from './create-saml-connection.ts';
import { judgeAgain } from './judge-again.ts';
import { ourKeys, rotateOurKey } from './our-keys.ts';
import { refreshMetadata } from './refresh-metadata.ts';
import { removeSamlCertificate } from './remove-saml-certificate.ts';
import { setSamlState } from './set-saml-state.ts';
import {
  Name,
  ourValues,
  OurValues,
  Pem,
  Settings,
  shown,
  shownCertificate,
  ShownCertificate,
  ShownConnection,
  SourceBody,
  sourceOf,
  Time,
} from './shown-saml-connection.ts';

const OrgPath = z.object({ org: z.string() });
const idOf = <K extends string>(kind: K, missing: () => Problem) =>
  z.string().transform((text): Id<K> => {
    const id = parseId(kind, text);
    if (!id) throw missing();
    return id;
  });
const ConnectionPath = OrgPath.extend({ connection: idOf('sso', noSuchConnection) });
/** `/orgs/:org` operations have an org; the gate saw to it. */
function inside(ctx: Ctx): OrgCtx {
  if (!ctx.org)
    throw new Problem('bug', 'identity/no-org-in-path', { says: 'an operation of an organization came without one' });
  return { ...ctx, org: ctx.org };
}

const withCertificates = (ctx: Ctx, c: SamlConnection): Promise<z.infer<typeof ShownConnection>> =>
  ctx.db.read({ parent: ctx.parent }, async (db) => shown(c, await listCertificates(db, c.id), ctx.origin));

const setState = (verb: 'enable' | 'disable', state: SamlConnection['state'], says: string): Operation =>
  operation({
    id: `identity.${verb}_saml_connection`,
    at: `POST /orgs/:org/saml-connections/:connection/${verb}`,
    can: 'sso.manage',
    says,
    params: ConnectionPath,
    reply: ShownConnection,
    handle: async (ctx, { params }) => withCertificates(ctx, await setSamlState(ctx, params.connection, state)),
  });

const noSuchTrace = (): Problem =>
  new Problem('missing', 'identity/no-such-trace', { says: 'there is no such sign-in in this organization' });

/** SAML connections, our values to paste, certificates that end, and judging again; under `/api`. */
export const samlConnectionOperations: readonly Operation[] = [
  operation({
    id: 'identity.create_saml_connection',
    at: 'POST /orgs/:org/saml-connections',
    can: 'sso.manage',
    says: 'Connects an identity provider over SAML 2.0: from its metadata address, from its metadata, or by hand.',
    params: OrgPath,
    body: Settings.extend({
      name: Name,
      from: SourceBody,
      /** true: the host of the metadata or sign-in address; or all hosts (`host` or `host:port`) that are inside a private network. */
      allowPrivate: z.union([z.boolean(), z.array(z.string().min(1).max(260)).max(10)]).default(false),
      matchDirectory: z.boolean().optional(),
    }),
    reply: ShownConnection,
    status: 201,
    headers: (c, ctx) => ({ location: `/api/orgs/${ctx.org}/saml-connections/${c.id}` }),
    async handle(ctx, { body }) {
      const { name, from, allowPrivate: asked, matchDirectory, ...settings } = body;
      const first = from.kind === 'metadata_url' ? from.url : from.kind === 'by_hand' ? from.signInUrl : undefined;
      const allowPrivate =
        typeof asked === 'boolean' ? (asked && first !== undefined ? [new URL(first).host] : []) : asked;
      const made = await createSamlConnection(inside(ctx), {
        name,
        source: sourceOf(from),
        allowPrivate,
        matchDirectory,
        settings,
      });
      return shown(made.connection, made.certificates, ctx.origin);
    },
  }),
  operation({
    id: 'identity.list_saml_connections',
    at: 'GET /orgs/:org/saml-connections',
    can: 'sso.manage',
    says: 'Lists the SAML connections; q searches name and entity ID.',
    params: OrgPath,
    query: ListQuery.extend({ state: z.enum(['active', 'disabled']).optional() }),
    reply: listOf(ShownConnection),
    handle: (ctx, { query }) =>
      ctx.db.read({ parent: ctx.parent }, async (db) => {
        const { cursor: after, ...filter } = query;
        const rows = await listSamlConnections(db, { ...filter, after });
        const page = listed(rows, query.limit, (c) => [c.name.toLowerCase(), c.id]);
        const items: z.infer<typeof ShownConnection>[] = [];
        for (const c of page.items) items.push(shown(c, await listCertificates(db, c.id), ctx.origin));
        return { ...page, items };
      }),
  }),
  operation({
    id: 'identity.read_saml_connection',
    at: 'GET /orgs/:org/saml-connections/:connection',
    can: 'sso.manage',
    says: 'Shows one SAML connection with its certificates.',
    params: ConnectionPath,
    reply: ShownConnection,
    async handle(ctx, { params }) {
      const c = await ctx.db.read({ parent: ctx.parent }, (db) => findSamlConnection(db, params.connection));
      if (!c) throw noSuchConnection();
      return withCertificates(ctx, c);
    },
  }),
  operation({
    id: 'identity.change_saml_connection',
    at: 'PATCH /orgs/:org/saml-connections/:connection',
    can: 'sso.manage',
    says: 'Changes settings of a SAML connection.',
    params: ConnectionPath,
    body: z.strictObject({
      ...Settings.shape,
      name: Name.exactOptional(),
      matchDirectory: z.boolean().exactOptional(),
    }),
    reply: ShownConnection,
    handle: async (ctx, { params, body }) =>
      withCertificates(ctx, await changeSamlConnection(ctx, params.connection, body)),
  }),
  setState('disable', 'disabled', 'Switches signing in through a SAML connection off; sessions go on.'),
  setState('enable', 'active', 'Switches signing in through a SAML connection on again.'),
  operation({
    id: 'identity.refresh_saml_metadata',
    at: 'POST /orgs/:org/saml-connections/:connection/refresh',
    can: 'sso.manage',
    says: 'Asks the identity provider for its metadata now instead of at the next hour.',
    params: ConnectionPath,
    reply: ShownConnection,
    handle: async (ctx, { params }) => withCertificates(ctx, await refreshMetadata(ctx, params.connection)),
  }),
  operation({
    id: 'identity.add_saml_certificate',
    at: 'POST /orgs/:org/saml-connections/:connection/certificates',
    can: 'sso.manage',
    says: 'Trusts a further certificate of the identity provider, beside those that are there.',
    params: ConnectionPath,
    body: z.strictObject({ certificate: Pem }),
    reply: ShownCertificate,
    status: 201,
    handle: async (ctx, { params, body }) =>
      shownCertificate(await addSamlCertificate(ctx, params.connection, body.certificate)),
  }),
  operation({
    id: 'identity.remove_saml_certificate',
    at: 'DELETE /orgs/:org/saml-connections/:connection/certificates/:fingerprint',
    can: 'sso.manage',
    says: 'Stops trusting a certificate of the identity provider at once.',
    params: ConnectionPath.extend({ fingerprint: z.string().max(64) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => removeSamlCertificate(ctx, params.connection, params.fingerprint),
  }),
  operation({
    id: 'identity.list_ending_saml_certificates',
    at: 'GET /orgs/:org/saml-certificates/ending',
    can: 'sso.manage',
    says: 'Lists certificates of identity providers that end within some days, soonest first, and whether another is there to take over.',
    params: OrgPath,
    query: z.object({ days: z.coerce.number().int().min(0).max(366).default(30) }),
    reply: z.object({
      items: z.array(
        z.object({
          connection: z.string(),
          name: z.string(),
          fingerprint: z.string(),
          subject: z.string(),
          notAfter: Time,
          daysLeft: z.number(),
          replaced: z.boolean(),
        }),
      ),
    }),
    async handle(ctx, { query }) {
      const before = new Date(ctx.now.getTime() + query.days * DAY_MS);
      const rows = await ctx.db.read({ parent: ctx.parent }, (db) => listEndingCertificates(db, before, 200));
      return {
        items: rows.map(({ others, notAfter, ...k }) => ({
          ...k,
          notAfter: notAfter.toISOString(),
          daysLeft: Math.floor((notAfter.getTime() - ctx.now.getTime()) / DAY_MS),
          replaced: others > 0,
        })),
      };
    },
  }),
  operation({
    id: 'identity.read_saml_values',
    at: 'GET /orgs/:org/saml',
    can: 'sso.manage',
    says: 'Shows what to enter at an identity provider: our addresses, our name, the attributes, our keys.',
    params: OrgPath,
    reply: OurValues,
    handle: async (ctx) => ourValues(inside(ctx), await ourKeys(inside(ctx))),
  }),
  operation({
    id: 'identity.rotate_saml_key',
    at: 'POST /orgs/:org/saml/rotate-key',
    can: 'sso.manage',
    says: 'Makes a new key for our requests and for encrypted assertions; the one before goes on reading until the next change.',
    params: OrgPath,
    reply: OurValues,
    handle: async (ctx) => ourValues(inside(ctx), await rotateOurKey(inside(ctx))),
  }),
  operation({
    id: 'identity.judge_saml_response_again',
    at: 'POST /orgs/:org/sign-ins/:trace/judge-again',
    can: 'trace.read',
    says: 'Judges a refused SAML response with the configuration of now and the clock of then, and shows each stage. Signs nobody in.',
    params: OrgPath.extend({ trace: idOf('sgn', noSuchTrace) }),
    reply: z.object({
      outcome: z.string(),
      stages: z.array(Stage),
      received: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
    }),
    async handle(ctx, { params }) {
      const { received, identity: _identity, ...rest } = await judgeAgain(inside(ctx), params.trace);
      return { ...rest, received: received.map((r) => ({ name: r.name, values: [...r.values] })) };
    },
  }),
];
