import { change } from '#audit/change.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { sorted } from './add-connector.ts';
import { bearerAad, type Connector } from './connector.ts';
import { findConnector, lockConnector } from './connector.sql.ts';
import { fetchCatalogue } from './fetch-catalogue.ts';
import { observeTools, type Difference } from './observe-tools.ts';
import { settleBuiltin } from './settle-builtin.ts';

export type Refreshed = Difference & { refused: { name: string; why: string }[] };

/** Asks the upstream for its tools again; what differs from its review stops being usable at once. */
export async function refreshTools(ctx: OrgCtx, id: Id<'con'>): Promise<Refreshed> {
  const connector = await ctx.db.read(scopeOf(ctx), (db) => findConnector(db, id));
  if (!connector) throw noConnector(id);
  if (connector.mode === 'builtin')
    return { added: [], changed: [], restored: [], removed: [], ...(await settleBuiltin(ctx, id)), refused: [] };
  if (connector.actAs !== 'none')
    throw new Problem('conflict', 'connectors/listed-by-people', {
      says: `${connector.name} shows its tools to an account only, and nobody's account is used for this`,
      fix: 'connect your own account and list the tools with an MCP client; what it shows is then there for a review',
    });
  const catalogue = await fetchCatalogue(ctx.egress, {
    url: connector.url,
    privateHost: connector.privateHost,
    tunnel: connector.tunnel,
    bearer: await openBearer(ctx, connector),
  });
  const { refused, ...said } = sorted(catalogue);
  return change(ctx, async (tx) => {
    if (!(await lockConnector(tx, id))) throw noConnector(id);
    const observed = await observeTools(tx, id, said, ctx.now);
    if (!observed) return { value: { added: [], changed: [], restored: [], removed: [], refused }, unchanged: true };
    return { value: { ...observed.difference, refused }, events: observed.events };
  });
}

/** The credential that a connector sends, for the line that sends it. */
export async function openBearer(ctx: Pick<OrgCtx, 'seal' | 'org'>, c: Connector): Promise<Secret | undefined> {
  if (c.auth.kind === 'none') return undefined;
  return new Secret(await ctx.seal.open(bearerAad(ctx.org, c.id, c.auth.generation), c.auth.sealed));
}

export const noConnector = (id: string): Problem =>
  new Problem('missing', 'connectors/no-connector', { says: `there is no connector ${id} in this organization` });
