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
import { discoverAuthorization } from './discovery/discover-authorization.ts';
import { refuseFound, type FoundAuthorization } from './discovery/found-authorization.ts';
import { asked } from './discovery/fresh-authorization.ts';
import { keepAuthorization } from './discovery/keep-authorization.ts';
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
  /** Whose account calls use; absent: nobody's where the server lets everyone in, else each person's own, as the server says itself. */
  actAs?: 'none' | 'person' | 'organization' | undefined;
  /** The one to be used where the server names several or none; inside the network, it may be only because it is named here. */
  authorizationServer?: string | undefined;
};
/** `refused` are tools that cannot be offered, with the reason. */
export type Added = {
  connector: Connector;
  /** Unknown until somebody with an account has asked. */
  server: Catalogue['server'] | undefined;
  transport: Transport | undefined;
  refused: { name: string; why: string }[];
  /** How it wants to be authorized at, where it says so. */
  found: FoundAuthorization | undefined;
};

/**
 * Makes an MCP server available. Its tools are known at once and usable by nobody: they wait for a review and for a rule. One that lets in only who has
 * an account is asked how to get one; its tools are known when the first person who is connected lists them.
 */
export async function addConnector(ctx: OrgCtx, n: NewConnector): Promise<Added> {
  const id = newId('con', ctx.now.getTime());
  const privateHost = n.allowPrivate ? URL.parse(n.url)?.host : undefined;
  const tunnel = n.tunnel === undefined ? undefined : await tunnelTo(ctx, n.tunnel, n);
  const { href } = checkedUrl(n.url, egressRules({ privateHost, tunnel }));
  const place = { url: href, privateHost, tunnel, ...loginOf(n) };
  const { catalogue, found } = await knownOf(ctx, n, place);
  const { refused, ...said } = catalogue ? sorted(catalogue) : { refused: [] };
  const auth: ConnectorAuth =
    n.bearer === undefined
      ? { kind: 'none' }
      : {
          kind: 'bearer',
          generation: 1,
          sealed: await ctx.seal.seal(bearerAad(ctx.org, id, 1), Buffer.from(n.bearer)),
        };
  const connector: Connector = {
    ...place,
    id,
    type: OWN_SERVER,
    mode: 'remote',
    actAs: found ? actAsOf(n, found) : 'none',
    access: 'read_write',
    settings: {},
    slug: n.slug,
    name: n.name,
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
      ...(found ? { actAs: connector.actAs } : {}),
    });
    const observed = 'tools' in said ? await observeTools(tx, id, said, ctx.now) : undefined;
    const told = found && (await keepAuthorization(tx, id, found, ctx.now));
    return {
      value: { connector, server: catalogue?.server, transport: catalogue?.transport, refused, found },
      events: [added, ...(observed?.events ?? []), ...(told ? [told] : [])],
    };
  });
}

/** What the server shows to nobody in particular or to the bearer that was given; else how it wants to be authorized at. */
async function knownOf(
  ctx: OrgCtx,
  n: NewConnector,
  place: Parameters<typeof asked>[0],
): Promise<{ catalogue?: Catalogue; found?: FoundAuthorization }> {
  const find = async (): Promise<{ found: FoundAuthorization }> => ({
    found: await discoverAuthorization(ctx.egress, asked(place, undefined)),
  });
  if (n.actAs === 'person' || n.actAs === 'organization') {
    if (n.bearer === undefined) return find();
    throw new Problem('invalid', 'connectors/bearer-and-account', {
      says: 'a server is called with the bearer that is given for everyone, or with accounts, and not with both',
      fix: 'leave out bearer or actAs',
    });
  }
  const bearer = n.bearer === undefined ? undefined : new Secret(n.bearer);
  try {
    return {
      catalogue: await fetchCatalogue(ctx.egress, {
        url: place.url,
        privateHost: place.privateHost,
        tunnel: place.tunnel,
        bearer,
      }),
    };
  } catch (e) {
    if (!(e instanceof Problem) || e.code !== 'connectors/not-let-in' || bearer || n.actAs === 'none') throw e;
    return find().catch((none: unknown) => {
      if (!(none instanceof Problem) || none.code !== 'connectors/no-metadata') throw none;
      throw new Problem(e.kind, e.code, {
        says: `${e.says}, and does not say how to get one: ${none.says}`,
        fix: e.fix,
      });
    });
  }
}

/** Each person's own account where people can consent, else the organization's. */
function actAsOf(n: NewConnector, found: FoundAuthorization): 'person' | 'organization' {
  const persons = found.authorize !== null && found.pkce;
  const actAs =
    n.actAs === 'organization' || (n.actAs === undefined && !persons && found.grants.includes('client_credentials'))
      ? 'organization'
      : 'person';
  if (actAs === 'person') refuseFound({ name: n.name, found });
  return actAs;
}

function loginOf(n: NewConnector): Pick<Connector, 'origins' | 'originsPrivate'> {
  if (n.authorizationServer === undefined) return { origins: {}, originsPrivate: false };
  const allowPrivate = n.allowPrivate ? [URL.parse(n.authorizationServer)?.host ?? ''] : [];
  // As it is written: an issuer is compared to the last character.
  checkedUrl(n.authorizationServer, { allowPrivate });
  return { origins: { login: n.authorizationServer }, originsPrivate: n.allowPrivate === true };
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
