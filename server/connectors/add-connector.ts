import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { checkedUrl } from '#kernel/egress.ts';
import { newId, parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { checkReaches, noTunnel } from '#tunnels/tunnel.ts';
import { findTunnel } from '#tunnels/tunnel.sql.ts';
import { slugTaken } from './add-vendor-connector.ts';
import { connectorEvents } from './connectors.events.ts';
import { bearerAad, egressRules, OWN_SERVER, type Connector, type ConnectorAuth } from './connector.ts';
import { insertConnector } from './connector.sql.ts';
import { fetchCatalogue, type Catalogue, type Transport } from './fetch-catalogue.ts';
import { observeTools, type Sighted } from './observe-tools.ts';
import { seen, seenInstructions, type Seen } from './tool.ts';

export type NewConnector = {
  slug: string;
  name: string;
  url: string;
  bearer?: string | undefined;
  /** Lets this connector's own host be an address inside the network. */
  allowPrivate?: boolean | undefined;
  /** Reaches it through this tunnel, whose agents alone know what the host means. */
  tunnel?: string | undefined;
};
/** `refused` are tools that cannot be offered, with the reason. */
export type Added = {
  connector: Connector;
  server: Catalogue['server'];
  transport: Transport;
  refused: { name: string; why: string }[];
};

/** Makes an MCP server available. Its tools are known at once and usable by nobody: they wait for a review and for a rule. */
export async function addConnector(ctx: OrgCtx, n: NewConnector): Promise<Added> {
  const id = newId('con', ctx.now.getTime());
  const privateHost = n.allowPrivate ? URL.parse(n.url)?.host : undefined;
  const tunnel = n.tunnel === undefined ? undefined : await tunnelTo(ctx, n.tunnel, n);
  const { href } = checkedUrl(n.url, egressRules({ privateHost, tunnel }));
  const catalogue = await fetchCatalogue(ctx.egress, {
    url: href,
    privateHost,
    tunnel,
    bearer: n.bearer === undefined ? undefined : new Secret(n.bearer),
  });
  const { refused, ...said } = sorted(catalogue);
  const auth: ConnectorAuth =
    n.bearer === undefined
      ? { kind: 'none' }
      : {
          kind: 'bearer',
          generation: 1,
          sealed: await ctx.seal.seal(bearerAad(ctx.org, id, 1), Buffer.from(n.bearer)),
        };
  const connector: Connector = {
    id,
    type: OWN_SERVER,
    mode: 'remote',
    actAs: 'none',
    access: 'read_write',
    settings: {},
    origins: {},
    originsPrivate: false,
    slug: n.slug,
    name: n.name,
    url: href,
    privateHost,
    tunnel,
    auth,
    state: 'on',
    created: ctx.now,
  };

  return change(ctx, async (tx) => {
    if ((await insertConnector(tx, connector)) === 0) throw slugTaken(n.slug);
    const added = event(connectorEvents, 'connector.added', {
      connector: id,
      slug: n.slug,
      host: new URL(href).host,
      auth: auth.kind,
      privateHost: privateHost !== undefined,
      tunnel,
    });
    const observed = await observeTools(tx, id, said, ctx.now);
    return {
      value: { connector, server: catalogue.server, transport: catalogue.transport, refused },
      events: observed ? [added, ...observed.events] : [added],
    };
  });
}

/** What a catalogue offers, apart from what cannot be reviewed. */
export function sorted(catalogue: Catalogue): Required<Sighted> & { refused: { name: string; why: string }[] } {
  const tools: Seen[] = [];
  const refused: { name: string; why: string }[] = [];
  for (const definition of catalogue.tools) {
    const s = seen(definition);
    if ('refused' in s) refused.push({ name: s.name, why: s.refused });
    else tools.push(s);
  }
  const told = seenInstructions(catalogue.instructions);
  if (told && 'refused' in told) refused.push({ name: told.name, why: told.refused });
  return { tools, complete: true, instructions: told && 'pin' in told ? told : null, refused };
}

/** The tunnel that is to lead to a connector, if it may. */
export async function tunnelTo(
  ctx: OrgCtx,
  named: string,
  to: { url: string; allowPrivate?: boolean | undefined },
): Promise<Id<'tun'>> {
  if (to.allowPrivate)
    throw new Problem('invalid', 'connectors/two-ways', {
      says: 'the connector would be reached from here at a private address and through a tunnel too',
      fix: 'leave out allowPrivate or tunnel',
    });
  const id = parseId('tun', named);
  const found = id && (await ctx.db.read(scopeOf(ctx), (db) => findTunnel(db, id)));
  if (!found) throw noTunnel(named.slice(0, 60));
  checkReaches(found, checkedUrl(to.url, { via: found.id }));
  return found.id;
}
