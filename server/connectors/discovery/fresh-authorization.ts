import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { egressRules, type Connector } from '../connector.ts';
import { findAuthorization } from './authorization.sql.ts';
import { discoverAuthorization } from './discover-authorization.ts';
import type { FoundAuthorization } from './found-authorization.ts';
import { keepAuthorization } from './keep-authorization.ts';

/** Asks a connector anew how it is to be authorized at, and writes down what it says. Before anybody is sent anywhere, and when an administrator checks. */
export async function freshAuthorization(ctx: OrgCtx, connector: Connector): Promise<FoundAuthorization> {
  const known = await ctx.db.read(scopeOf(ctx), (db) => findAuthorization(db, connector.id));
  const found = await discoverAuthorization(ctx.egress, asked(connector, known?.found));
  await change(ctx, async (tx) => {
    const told = await keepAuthorization(tx, connector.id, found, ctx.now);
    return told ? { value: undefined, events: [told] } : { value: undefined, unchanged: true };
  });
  return found;
}

/** What a connector is asked with: only its own hosts inside the network, and what is known of it already first. */
export const asked = (
  c: Pick<Connector, 'url' | 'privateHost' | 'origins' | 'originsPrivate' | 'tunnel'>,
  known: FoundAuthorization | undefined,
): Parameters<typeof discoverAuthorization>[1] => ({
  url: c.url,
  rules: egressRules(c),
  prefer: [...(known ? [known.issuer] : []), ...Object.values(c.origins)],
});
