import { z } from 'zod';
import { read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Operation } from './operation.ts';

const DocumentRow = z.object({
  connector: z.custom<Id<'con'>>(),
  source: z.string().nullable(),
  sha256: z.string(),
  openapi: z.enum(['3.0', '3.1']),
  title: z.string(),
  serviceVersion: z.string(),
  generation: z.number(),
  importedBy: z.string(),
  importedAt: z.date(),
});
/** The document that a connector was imported by last. */
export type ImportedDocument = z.infer<typeof DocumentRow>;

/** Of every imported connector of the org. */
export const listDocuments = (db: Reader): Promise<ImportedDocument[]> =>
  db.many(read(DocumentRow)`
    select connector, source, sha256, openapi, title, service_version as "serviceVersion", generation, imported_by as "importedBy", imported_at as "importedAt"
      from openapi_document where org = app_org() order by connector`);

export const findDocument = (db: Reader, connector: Id<'con'>): Promise<ImportedDocument | undefined> =>
  db.maybe(read(DocumentRow)`
    select connector, source, sha256, openapi, title, service_version as "serviceVersion", generation, imported_by as "importedBy", imported_at as "importedAt"
      from openapi_document where org = app_org() and connector = ${connector}`);

export const saveDocument = (tx: Tx, d: ImportedDocument): Promise<number> =>
  tx.run(write`
    insert into openapi_document (org, connector, source, sha256, openapi, title, service_version, generation, imported_by, imported_at)
    values (app_org(), ${d.connector}, ${d.source}, ${d.sha256}, ${d.openapi}, ${d.title}, ${d.serviceVersion}, ${d.generation}, ${d.importedBy}, ${d.importedAt})
    on conflict (org, connector) do update
      set source = excluded.source, sha256 = excluded.sha256, openapi = excluded.openapi, title = excluded.title,
          service_version = excluded.service_version, generation = excluded.generation, imported_by = excluded.imported_by, imported_at = excluded.imported_at`);

const OperationRow = z
  .object({
    // What we wrote ourselves (choose-operations.ts), so its form is known.
    operation: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(z.custom<Operation>()),
  })
  .transform((r) => r.operation);

/** The chosen operations of a connector, as the document has them in order. */
export const listOperations = (db: Reader, connector: Id<'con'>): Promise<Operation[]> =>
  db.many(read(OperationRow)`
    select operation from openapi_operation where org = app_org() and connector = ${connector} order by n`);

/** Puts these in place of all that were there. */
export async function replaceOperations(tx: Tx, connector: Id<'con'>, all: readonly Operation[]): Promise<void> {
  await tx.run(write`delete from openapi_operation where org = app_org() and connector = ${connector}`);
  const rows = sql`unnest(${all.map((o) => o.name)}::text[], ${all.map((o) => o.key)}::text[], ${all.map((_, i) => i)}::int[], ${all.map((o) => JSON.stringify(o))}::text[]) as o(name, key, n, operation)`;
  await tx.run(write`
    insert into openapi_operation (org, connector, name, key, n, operation)
    select app_org(), ${connector}, o.name, o.key, o.n, o.operation from ${rows}`);
}
