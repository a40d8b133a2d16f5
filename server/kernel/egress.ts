import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { reach } from './address.ts';
import { Problem } from './problem.ts';
import { egressFetch } from './egress-fetch.ts';
import { MiB } from './limits.ts';
import type { Log } from './log.ts';

/** What one caller of the outside world is allowed. */
export type EgressRules = {
  /**
   * Hosts (`host` or `host:port`) whose private or loopback addresses may be reached, and by plain http, because the configuration of a
   * connector or connection names them. Link-local, metadata, multicast and reserved addresses are refused even then.
   */
  allowPrivate?: readonly string[];
  /**
   * A way that begins inside another network (EgressOptions.ways). The host is then a name there: nothing here looks it up or connects to it,
   * plain http included, and of the caps a dispatcher knows none.
   */
  via?: string;
  /** Largest answer in bytes that `fetch` reads, before and after decompression; above it the connection is closed. */
  maxBytes?: number;
  /** Whole time of a `fetch`, headers and body, in milliseconds. */
  timeoutMs?: number;
  /** Certificate authorities (PEM) that count instead of the system's: a key service inside has its own. */
  ca?: string;
};

/** Every outgoing request of the server goes through here. */
export interface Egress {
  /** A fetch whose address is checked and pinned at connect; follows no redirect. Works where a library wants a `fetch`. */
  fetch(url: string | URL, init: RequestInit | undefined, rules?: EgressRules): Promise<Response>;
  /**
   * The dispatcher behind it, for the gateway's hot path: same checks at connect, pooled per origin. Of the caps it knows only those that
   * `rules` gives: `timeoutMs` is the longest wait for headers and between two pieces of a body, because a stream may last for hours.
   */
  dispatcher(rules?: EgressRules): Dispatcher;
  close(): Promise<void>;
}

/** All addresses of a host. */
export type Lookup = (host: string) => Promise<string[]>;

export type EgressOptions = {
  log: Log;
  defaults?: { maxBytes?: number; timeoutMs?: number };
  /** Replaces the system's resolver. For tests of what a hostile resolver can do. */
  lookup?: Lookup;
  /** Gives the way of a name; without it there is none. */
  ways?: (via: string) => Dispatcher;
};

/** A metadata document, a token answer or a list of tools; who expects more says so. */
const DEFAULT_MAX_BYTES = 4 * MiB;
/** A vendor's slow day; a person waits no longer. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Finding, reaching and greeting a host. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Rule sets with open pools. Each connector may have its own; the one unused longest is closed. */
const MAX_POOLS = 256;

/** The only way out of the process. */
export function makeEgress({ log, defaults, lookup = everyAddress, ways = noWay }: EgressOptions): Egress {
  // INVARIANT (no borrowed connection): a connection lives in the agent of one rule set, so what one rule set may reach is never lent to another.
  const agents = new Map<string, Agent>();

  const dispatcher = (rules: EgressRules = {}): Dispatcher => {
    if (rules.via !== undefined) return ways(rules.via);
    const hosts = [...(rules.allowPrivate ?? [])].map(hostForm).sort();
    const key = JSON.stringify([hosts, rules.maxBytes, rules.timeoutMs, rules.ca]);
    const known = agents.get(key);
    if (known) {
      agents.delete(key);
      agents.set(key, known);
      return known;
    }
    const agent = new Agent({
      connect: checkedConnector(rules.allowPrivate ?? [], lookup, rules.ca),
      allowH2: false,
      ...(rules.maxBytes === undefined ? {} : { maxResponseSize: rules.maxBytes }),
      ...(rules.timeoutMs === undefined ? {} : { headersTimeout: rules.timeoutMs, bodyTimeout: rules.timeoutMs }),
    });
    agents.set(key, agent);
    const [oldest] = agents;
    if (oldest && agents.size > MAX_POOLS) {
      agents.delete(oldest[0]);
      // Graceful: answers that are under way end first.
      oldest[1].close().catch((err: unknown) => log.warn({ err }, 'an unused connection pool did not close'));
    }
    return agent;
  };

  return {
    async fetch(url, init, rules = {}) {
      try {
        const target = checkedUrl(url, rules);
        return await egressFetch(
          dispatcher({
            ...(rules.allowPrivate ? { allowPrivate: rules.allowPrivate } : {}),
            ...(rules.ca === undefined ? {} : { ca: rules.ca }),
            ...(rules.via === undefined ? {} : { via: rules.via }),
          }),
          target,
          init,
          {
            maxBytes: rules.maxBytes ?? defaults?.maxBytes ?? DEFAULT_MAX_BYTES,
            timeoutMs: rules.timeoutMs ?? defaults?.timeoutMs ?? DEFAULT_TIMEOUT_MS,
          },
        );
      } catch (e) {
        if (e instanceof Problem)
          log.warn({ problem: e.code, err: e.cause }, 'an outgoing request was refused or failed');
        throw e;
      }
    },
    dispatcher,
    async close() {
      const all = [...agents.values()];
      agents.clear();
      await Promise.all(all.map((a) => a.destroy()));
    },
  };
}

/** A URL that may be asked for: http or https, no userinfo, encrypted unless the rules name the host. Its address is checked at connect. */
export function checkedUrl(url: string | URL, rules: EgressRules): URL {
  const parsed = URL.parse(String(url));
  if (!parsed)
    throw new Problem('invalid', 'egress/url', {
      says: 'this is not a complete URL',
      fix: 'give one that begins with https://',
    });
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw new Problem('invalid', 'egress/scheme', {
      says: `${parsed.protocol}// is not a way to reach another system; https:// is`,
      fix: 'give an https:// URL',
    });
  if (parsed.username || parsed.password)
    throw new Problem('invalid', 'egress/userinfo', {
      says: `the URL of ${parsed.host} has a user name or password in it`,
      fix: 'take it out of the URL and give the credential where credentials are asked for',
    });
  if (
    parsed.protocol === 'http:' &&
    rules.via === undefined &&
    !names(rules.allowPrivate ?? [], parsed.hostname, portOf(parsed))
  )
    throw plainHttp(parsed.host);
  return parsed;
}

/**
 * Connects only to addresses that were judged. INVARIANT (one lookup): the addresses that the judge saw are the ones that the socket is
 * given, so a resolver that changes its mind between check and connect changes nothing.
 */
function checkedConnector(
  allowPrivate: readonly string[],
  lookup: Lookup,
  ca: string | undefined,
): buildConnector.connector {
  // One per port, because a rule may name a port and node's lookup hook does not say which one it resolves for.
  const connectors = new Map<number, buildConnector.connector>();

  const judgedAddresses = async (host: string, port: number): Promise<{ address: string; family: number }[]> => {
    const addresses = await lookup(host).catch((e: unknown) => {
      throw noAddress(host, e);
    });
    if (addresses.length === 0) throw noAddress(host, 'an empty answer');
    for (const a of addresses) judge(a, host, names(allowPrivate, host, port));
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };

  const hook = async (port: number, host: string, all: boolean, done: Parameters<LookupFunction>[2]): Promise<void> => {
    let found: { address: string; family: number }[];
    try {
      found = await judgedAddresses(host, port);
    } catch (e) {
      done(e instanceof Error ? e : new Error('refused'), '');
      return;
    }
    if (all) done(null, found);
    else done(null, found[0]?.address ?? '', found[0]?.family);
  };

  const connectorOf = (port: number): buildConnector.connector => {
    let connector = connectors.get(port);
    if (!connector) {
      const lookup: LookupFunction = (host, options, done) => void hook(port, host, options.all === true, done);
      connector = buildConnector({
        lookup,
        allowH2: false,
        timeout: CONNECT_TIMEOUT_MS,
        ...(ca === undefined ? {} : { ca }),
      });
      connectors.set(port, connector);
    }
    return connector;
  };

  return (options, done) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const host = hostForm(options.hostname);
    const named = names(allowPrivate, host, port);
    try {
      // For callers of `dispatcher`, whose URL nobody else looks at.
      if (options.protocol !== 'https:' && !named) throw plainHttp(host);
      // A literal address is never looked up. URL parsing has already made one spelling of 0x7f.1 and 2130706433.
      if (isIP(host)) judge(host, host, named);
    } catch (e) {
      done(e instanceof Error ? e : new Error('refused'), null);
      return;
    }
    connectorOf(port)(options, done);
  };
}

function judge(address: string, host: string, named: boolean): void {
  const r = reach(address);
  if (r === 'public' || (r === 'private' && named)) return;
  // The address itself goes to our log only: whoever may make us look up names must not learn what they mean inside.
  if (r === 'private')
    throw new Problem('invalid', 'egress/private-address', {
      says: `${host} is an address inside a private network, which nothing in the configuration allows`,
      fix: `if it is a system of yours, name ${host} among the private hosts of the connector that uses it`,
      because: address,
    });
  throw new Problem('invalid', 'egress/forbidden-address', {
    says: `${host} is an address that no outgoing request may go to (link-local, metadata, multicast or reserved)`,
    fix: 'give the host a public address, or a private one that the configuration names',
    because: address,
  });
}

const noWay = (): never => {
  throw new Problem('unavailable', 'egress/no-way', {
    says: 'this process has no way into the network that the address is in',
    fix: 'ask a running server: commands reach what is behind a tunnel only through it',
  });
};

const plainHttp = (host: string): Problem =>
  new Problem('invalid', 'egress/plain-http', {
    says: `${host} is asked for by plain http, which anybody on the way can read and change`,
    fix: `use https; for a system inside your own network, name ${host} among the private hosts of the connector that uses it`,
  });

const noAddress = (host: string, because: unknown): Problem =>
  new Problem('upstream', 'egress/no-address', {
    says: `the name ${host} has no address`,
    fix: 'check the spelling, and that the DNS which this server uses knows the name',
    because,
  });

async function everyAddress(host: string): Promise<string[]> {
  return (await systemLookup(host, { all: true })).map((a) => a.address);
}

const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

const names = (list: readonly string[], host: string, port: number): boolean => {
  const plain = hostForm(host);
  return list.some((entry) => {
    const e = hostForm(entry);
    return e === plain || e === (isIP(plain) === 6 ? `[${plain}]:${port}` : `${plain}:${port}`);
  });
};

/** Lower case, without the root's dot and without brackets around a lone IPv6 address. */
const hostForm = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[([^\]]*)\]$/, '$1')
    .replace(/\.$/, '');
