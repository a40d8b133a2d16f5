import { change } from '#audit/change.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { lockConnector } from '../connector.sql.ts';
import type { Difference } from '../observe-tools.ts';
import { noConnector } from '../refresh-tools.ts';
import { reviewer } from '../review-tools.ts';
import { chosenOperations, type Choice } from './choose-operations.ts';
import { keepOperations } from './import-openapi.ts';
import { loadDocument, type Source } from './load-document.ts';
import { openApiConnector } from './openapi-connector.ts';
import type { Operation } from './operation.ts';
import { findDocument, listOperations, type ImportedDocument } from './operation.sql.ts';
import { titleOf } from './preview-openapi.ts';
import { proposeOperations } from './propose-operations.ts';

export type Reimported = { difference: Difference; document: ImportedDocument; operations: readonly Operation[] };

/**
 * Takes a newer document for a connector. Names stay with their operations; what changed waits for a review from the same moment, what is gone is
 * closed. Where the service is and how it knows who calls stays as it was chosen, whatever the document says now.
 * @param wish left out: the operations that were chosen before, as far as the document still has them
 */
export async function reimportOpenApi(
  ctx: OrgCtx,
  id: Id<'con'>,
  source: Source,
  wish?: 'all' | readonly Choice[],
): Promise<Reimported> {
  const { credentialAt } = await openApiConnector(ctx, id);
  const { doc, sha256, from } = await loadDocument(ctx, source);
  const { title, version } = titleOf(doc);
  return change(ctx, async (tx) => {
    const connector = await lockConnector(tx, id);
    const before = await findDocument(tx, id);
    if (!connector || !before) throw noConnector(id);
    const known = await listOperations(tx, id);
    const proposed = proposeOperations(doc, { names: new Map(known.map((o) => [o.key, o.name])), credentialAt });
    const possible = new Set(proposed.flatMap((p) => (p.operation ? [p.operation.key] : [])));
    const classes = new Map(known.map((o) => [o.key, o.class]));
    const choice = wish ?? known.filter((o) => possible.has(o.key)).map(({ key }): Choice => ({ key }));
    const chosen = chosenOperations(proposed, choice);
    // What was said of an operation's class before goes on, unless it is said anew.
    const said = new Set(choice === 'all' ? [] : choice.flatMap((c) => (c.class === undefined ? [] : [c.key])));
    const operations = chosen.map((o) => (said.has(o.key) ? o : { ...o, class: classes.get(o.key) ?? o.class }));
    const document: ImportedDocument = {
      connector: id,
      source: from ? from.origin + from.pathname : null,
      sha256,
      openapi: doc.version,
      title,
      serviceVersion: version,
      generation: before.generation + 1,
      importedBy: reviewer(ctx),
      importedAt: ctx.now,
    };
    const auth = String(Reflect.get(Object(connector.settings['auth']), 'kind'));
    const { difference, events } = await keepOperations(tx, connector, document, operations, auth, ctx.now);
    const none = { added: [], changed: [], restored: [], removed: [] };
    return { value: { difference: difference?.difference ?? none, document, operations }, events };
  });
}

/** What was imported last, for people. */
export async function readImported(
  ctx: OrgCtx,
  id: Id<'con'>,
): Promise<{ document: ImportedDocument; operations: readonly Operation[] }> {
  await openApiConnector(ctx, id);
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const document = await findDocument(db, id);
    if (!document) throw noConnector(id);
    return { document, operations: await listOperations(db, id) };
  });
}
