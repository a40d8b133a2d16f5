import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { jcs } from '@gatehouse/contract/jcs.ts';
import { isRecord } from '../tool.ts';
import { visible } from '#kernel/visible.ts';
import { loadDocument, type Source } from './load-document.ts';
import { openApiEvents } from './openapi.events.ts';
import type { Operation, Proposed } from './operation.ts';
import { listOperations } from './operation.sql.ts';
import { proposeOperations } from './propose-operations.ts';
import type { OpenApiDocument } from './read-document.ts';
import { securityOf, type ProposedSecurity } from './security.ts';
import { serversOf, type StatedServer } from './server-choice.ts';
import { openApiConnector } from './openapi-connector.ts';

/** Against what was imported before: a changed operation waits for a review when it is imported. */
export type Differs = 'new' | 'same' | 'changed';
export type Preview = {
  doc: OpenApiDocument;
  sha256: string;
  servers: StatedServer[];
  security: ProposedSecurity[];
  operations: (Proposed & { differs: Differs | undefined })[];
  /** Imported before, and not in this document, or not possible any more. */
  gone: { key: string; name: string }[];
};

/**
 * What a document would come to, before anything is made of it.
 * @param connector one that was imported before, with which it is compared
 */
export async function previewOpenApi(ctx: OrgCtx, source: Source, connector?: Id<'con'>): Promise<Preview> {
  const { before, credentialAt } = connector
    ? await importedBefore(ctx, connector)
    : { before: [], credentialAt: undefined };
  const { doc, sha256, from } = await loadDocument(ctx, source);
  const names = new Map(before.map((o) => [o.key, o.name]));
  const proposed = proposeOperations(doc, { names, credentialAt });
  const known = new Map(before.map((o) => [o.key, o]));
  const kept = new Set(proposed.flatMap((p) => (p.operation ? [p.operation.key] : [])));
  const preview: Preview = {
    doc,
    sha256,
    servers: serversOf(doc, from),
    security: securityOf(doc.root),
    operations: proposed.map((p) => ({ ...p, differs: connector && differs(known, p) })),
    gone: before.filter((o) => !kept.has(o.key)).map(({ key, name }) => ({ key, name })),
  };
  if (!from) return preview;
  return change(ctx, () =>
    Promise.resolve({
      value: preview,
      events: [event(openApiEvents, 'openapi.fetched', { host: from.host, sha256, operations: proposed.length })],
    }),
  );
}

async function importedBefore(
  ctx: OrgCtx,
  id: Id<'con'>,
): Promise<{ before: Operation[]; credentialAt: string | undefined }> {
  const { credentialAt } = await openApiConnector(ctx, id);
  return { before: await ctx.db.read(scopeOf(ctx), (db) => listOperations(db, id)), credentialAt };
}

function differs(known: ReadonlyMap<string, Operation>, p: Proposed): Differs {
  const before = p.operation && known.get(p.operation.key);
  if (!before || !p.operation) return 'new';
  // What an administrator said of its class is no difference of the document.
  return jcs({ ...before, class: null }) === jcs({ ...p.operation, class: null }) ? 'same' : 'changed';
}

/** What a document calls its service. */
export function titleOf({ root }: OpenApiDocument): { title: string; version: string } {
  const info = isRecord(root['info']) ? root['info'] : {};
  const text = (v: unknown, max: number): string =>
    typeof v === 'string' || typeof v === 'number' ? visible(String(v)).slice(0, max) : '';
  return { title: text(info['title'], 200).trim() || 'REST service', version: text(info['version'], 60) };
}
