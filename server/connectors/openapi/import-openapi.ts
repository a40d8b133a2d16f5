import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Access } from '#vault/vendor-auth.ts';
import { tunnelTo } from '../add-connector.ts';
import { slugTaken } from '../add-vendor-connector.ts';
import type { Connector } from '../connector.ts';
import { insertConnector } from '../connector.sql.ts';
import { connectorEvents } from '../connectors.events.ts';
import { observeTools } from '../observe-tools.ts';
import { reviewer } from '../review-tools.ts';
import { chosenFor } from '../vendor-choice.ts';
import type { Auth } from './auth.ts';
import { presentingOf } from './auth.ts';
import { chosenOperations, type Choice } from './choose-operations.ts';
import { loadDocument, type Source } from './load-document.ts';
import { offered } from './offered-operations.ts';
import { openApiEvents } from './openapi.events.ts';
import { OPENAPI, openApiManifest } from './openapi-manifest.ts';
import type { Operation } from './operation.ts';
import { replaceOperations, saveDocument, type ImportedDocument } from './operation.sql.ts';
import { titleOf } from './preview-openapi.ts';
import { proposeOperations } from './propose-operations.ts';
import { securityOf } from './security.ts';
import { baseOf, serversOf, type ServerChoice } from './server-choice.ts';

export type ImportWish = Source & {
  slug: string;
  /** Default: what the document calls its service. */
  name?: string | undefined;
  server?: ServerChoice | undefined;
  operations: 'all' | readonly Choice[];
  /** How the service knows who calls; or the name of one of the document's schemes. */
  auth?: Auth | undefined;
  scheme?: string | undefined;
  authorizeUrl?: string | undefined;
  tokenUrl?: string | undefined;
  whoami?: string | undefined;
  access?: Access | undefined;
};
export type Imported = { connector: Connector; operations: readonly Operation[] };

/**
 * Makes a REST service available: a connector whose tools are the chosen operations. They are known at once and usable by nobody: they wait for a
 * review and for a rule, as those of any server.
 */
export async function importOpenApi(ctx: OrgCtx, w: ImportWish): Promise<Imported> {
  const { doc, sha256, from } = await loadDocument(ctx, w);
  const { title, version } = titleOf(doc);
  const { auth, authorize, token } = authOf(doc.root, w);
  const present = presentingOf(auth);
  const proposed = proposeOperations(doc, {
    credentialAt: present.as === 'nothing' ? undefined : `${present.as}:${present.name.toLowerCase()}`,
  });
  const operations = chosenOperations(proposed, w.operations);
  const servers = serversOf(doc, from);
  const [only] = servers;
  const server = w.server ?? (servers.length === 1 && only ? { url: only.url } : undefined);
  if (!server)
    throw new Problem('invalid', 'connectors/openapi-server', {
      says: `the document names ${servers.length === 0 ? 'no server' : `${servers.length} servers`}, and none was chosen`,
      fix: 'say in server.url where the service is',
    });
  const settings = { title, auth, ...(w.whoami === undefined ? {} : { whoami: w.whoami }) };
  const manifest = openApiManifest(settings) ?? openApiManifest({ title, auth: { kind: 'none' } });
  if (!manifest) throw new Error('a service without credentials has a manifest');
  const origins = {
    api: baseOf(servers, server),
    ...(authorize === undefined ? {} : { authorize }),
    ...(token === undefined ? {} : { token }),
  };
  const { allowPrivate } = w;
  const tunnel = w.tunnel === undefined ? undefined : await tunnelTo(ctx, w.tunnel, { url: origins.api, allowPrivate });
  const connector: Connector = {
    ...chosenFor(manifest, {
      mode: 'builtin',
      access: w.access ?? 'read_write',
      settings,
      origins,
      originsPrivate: allowPrivate ?? false,
      tunnel,
    }),
    id: newId('con', ctx.now.getTime()),
    type: OPENAPI,
    slug: w.slug,
    name: w.name ?? title.slice(0, 100),
    privateHost: undefined,
    tunnel,
    auth: { kind: 'none' },
    state: 'on',
    created: ctx.now,
  };
  const document: ImportedDocument = {
    connector: connector.id,
    source: from ? from.origin + from.pathname : null,
    sha256,
    openapi: doc.version,
    title,
    serviceVersion: version,
    generation: 1,
    importedBy: reviewer(ctx),
    importedAt: ctx.now,
  };
  return change(ctx, async (tx) => {
    if ((await insertConnector(tx, connector)) === 0) throw slugTaken(connector.slug);
    const added = event(connectorEvents, 'connector.added', {
      connector: connector.id,
      slug: connector.slug,
      host: new URL(connector.url).host,
      auth: 'none',
      privateHost: connector.originsPrivate,
      tunnel,
      type: connector.type,
      mode: connector.mode,
      actAs: connector.actAs,
      access: connector.access,
    });
    const { events } = await keepOperations(tx, connector, document, operations, auth.kind, ctx.now);
    return { value: { connector, operations }, events: [added, ...events] };
  });
}

/** Puts the operations in place of what was there, and has their tools seen. The caller holds the connector's lock or has just made it. */
export async function keepOperations(
  tx: Tx,
  c: Connector,
  document: ImportedDocument,
  operations: readonly Operation[],
  auth: string,
  now: Date,
): Promise<{ difference: Awaited<ReturnType<typeof observeTools>>; events: readonly [AuditEvent, ...AuditEvent[]] }> {
  await saveDocument(tx, document);
  await replaceOperations(tx, c.id, operations);
  const difference = await observeTools(tx, c.id, offered(operations, c), now);
  const { sha256, source } = document;
  const host = source === null ? null : new URL(source).host;
  return {
    difference,
    events: [
      event(openApiEvents, 'openapi.imported', {
        connector: c.id,
        slug: c.slug,
        source: host,
        sha256,
        operations: operations.length,
        auth,
      }),
      ...(difference?.events ?? []),
    ],
  };
}

/** What was said of the credential; a document that asks for none needs nothing said. */
function authOf(
  root: Readonly<Record<string, unknown>>,
  w: ImportWish,
): { auth: Auth; authorize: string | undefined; token: string | undefined } {
  const schemes = securityOf(root);
  const named = w.scheme === undefined ? undefined : schemes.find((s) => s.scheme === w.scheme);
  if (w.scheme !== undefined && !named?.auth)
    throw unclear(
      named
        ? `the scheme ${w.scheme} cannot be used: ${named.why ?? ''}`
        : `the document has no scheme ${JSON.stringify(w.scheme.slice(0, 60))}`,
      schemes,
    );
  const auth = w.auth ?? named?.auth ?? (schemes.length === 0 ? ({ kind: 'none' } as const) : undefined);
  if (!auth)
    throw unclear('the document says that the service asks who calls, and nothing says how it is to be told', schemes);
  const authorize = auth.kind === 'oauth2' ? (w.authorizeUrl ?? named?.authorizeUrl ?? undefined) : undefined;
  const token =
    auth.kind === 'oauth2' || auth.kind === 'client_credentials'
      ? (w.tokenUrl ?? named?.tokenUrl ?? undefined)
      : undefined;
  return { auth, authorize, token };
}

const unclear = (says: string, schemes: readonly { scheme: string; auth: Auth | null }[]): Problem =>
  new Problem('invalid', 'connectors/openapi-auth', {
    says,
    fix: `give auth, or in scheme one of: ${schemes.flatMap((s) => (s.auth ? [s.scheme] : [])).join(', ') || 'none that can be used'}; auth of the kind none calls without a credential`,
  });
