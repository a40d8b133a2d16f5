import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Connector } from '../connector.ts';
import { findConnector } from '../connector.sql.ts';
import { noConnector } from '../refresh-tools.ts';
import { OPENAPI, openApiManifest } from './openapi-manifest.ts';

/** A connector that was imported; another one is refused by its name. `credentialAt`: where its key goes, where no argument may. */
export async function openApiConnector(
  ctx: OrgCtx,
  id: Id<'con'>,
): Promise<{ connector: Connector; credentialAt: string | undefined }> {
  const connector = await ctx.db.read(scopeOf(ctx), (db) => findConnector(db, id));
  if (!connector) throw noConnector(id);
  if (connector.type !== OPENAPI)
    throw new Problem('conflict', 'connectors/not-imported', {
      says: `${connector.slug} was not imported by an OpenAPI document`,
      fix: 'import the document as a connector of its own',
    });
  return { connector, credentialAt: credentialAt(connector) };
}

const credentialAt = (c: Connector): string | undefined => {
  const present = openApiManifest(c.settings)?.present;
  return !present || present.as === 'nothing' ? undefined : `${present.as}:${present.name.toLowerCase()}`;
};
