// Longer than 300 lines: all that can be set from outside is read in one place, and nowhere else.
import { z } from 'zod';
import { reach } from '#kernel/address.ts';
import { plainRange } from '#kernel/client-address.ts';
import type { DnsOptions } from '#kernel/dns.ts';
import { Problem } from '#kernel/problem.ts';
import { readMailFrom, readSmtpUrl, type SmtpConfig } from '#notify/smtp.ts';
import { kmsVariables, readKms, type KmsConfig } from './config-kms.ts';

/** Where the data is. Either ours beside the process, or yours. */
export type DatabaseConfig = { kind: 'embedded' } | { kind: 'external'; url: string; ownerUrl: string | undefined };

/** Everything that can be set from outside; frozen, read once. */
export type Config = {
  /** Folder for the embedded database, the key file and nothing else. */
  data: string;
  listen: { host: string; port: number };
  /** Public origin without trailing slash; issuer of our tokens, audience of our cookies. Follows the port where it is not set. */
  origin: string | undefined;
  tls: { cert: string; key: string } | undefined;
  database: DatabaseConfig;
  /** What wraps the keys that secrets are sealed with. */
  kms: KmsConfig;
  roles: readonly NodeRole[];
  logLevel: string;
  /** RFC 7591 dynamic client registration: anybody may register a client. Off unless a client of yours cannot do without. */
  dynamicRegistration: boolean;
  /** Where other nodes reach this one (`host:port`); found out where it is not set. */
  nodeAddress: string | undefined;
  /** Bearer token for /metrics; without it only this machine may read them. */
  metricsToken: string | undefined;
  otlpEndpoint: string | undefined;
  /** The mail server; without one, mails are kept as not sent. */
  smtp: SmtpConfig | undefined;
  /** For how long it is kept what a call was decided on, so that drafts of the policies can be tried on it. */
  callFactsDays: number;
  /** Where names are asked for; the world's root servers and two of this machine's resolvers where it is not set. */
  dns: Pick<DnsOptions, 'roots' | 'resolvers' | 'private'>;
  /** CIDRs of the proxies in front, whose word on where a request came from is believed. */
  trustedProxies: readonly string[];
};

export const nodeRoles = ['web', 'gateway', 'worker'] as const;
export type NodeRole = (typeof nodeRoles)[number];

type Variable = { name: string; says: string; default?: string };

/** Every variable, for the reference (docs/generated/config.md) and for finding misspelt ones. */
export const variables: readonly Variable[] = [
  {
    name: 'GATEHOUSE_DATA',
    says: 'Folder for the embedded database and the key file.',
    default: '.gatehouse/data in the checkout',
  },
  {
    name: 'GATEHOUSE_HOST',
    says: 'Address to listen on. Anything but this machine needs an https origin.',
    default: '127.0.0.1',
  },
  { name: 'GATEHOUSE_PORT', says: 'Port to listen on.', default: '7400' },
  {
    name: 'GATEHOUSE_ORIGIN',
    says: 'Public origin, e.g. https://gate.example.com, without path or trailing slash. Clients and cookies are bound to it.',
    default: 'http://localhost:<port>',
  },
  {
    name: 'GATEHOUSE_TLS_CERT',
    says: 'PEM file of the certificate chain. Goes with GATEHOUSE_TLS_KEY; leave both out behind a proxy that ends TLS.',
  },
  { name: 'GATEHOUSE_TLS_KEY', says: 'PEM file of the private key. Goes with GATEHOUSE_TLS_CERT.' },
  {
    name: 'DATABASE_URL',
    says: 'Your PostgreSQL (15 or later) with the login gatehouse, see server/schema/roles.sql. Without it an embedded one is started.',
  },
  {
    name: 'DATABASE_OWNER_URL',
    says: 'The same database with the login gatehouse_owner, to migrate at start. Goes with DATABASE_URL; without it the schema must be current.',
  },
  ...kmsVariables,
  {
    name: 'GATEHOUSE_ROLES',
    says: 'What this node does: web, gateway, worker, separated by commas.',
    default: nodeRoles.join(','),
  },
  {
    name: 'GATEHOUSE_NODE_ADDRESS',
    says: 'Where the other nodes reach this one with requests for the tunnel agents that it holds, e.g. 10.0.3.7:7400.',
    default: 'the address that it listens on, or by which it reaches the database',
  },
  { name: 'GATEHOUSE_LOG_LEVEL', says: 'trace, debug, info, warn, error or silent.', default: 'info' },
  {
    name: 'GATEHOUSE_DYNAMIC_REGISTRATION',
    says: 'on lets any client register itself (RFC 7591). Clients with a metadata document do not need it.',
    default: 'off',
  },
  { name: 'GATEHOUSE_METRICS_TOKEN', says: 'Bearer token for /metrics. Without it only this machine may read them.' },
  {
    name: 'GATEHOUSE_TRUSTED_PROXIES',
    says: 'Addresses or ranges of the proxies in front, separated by commas, whose X-Forwarded-For says where a request came from. Organizations may let in some addresses only.',
    default: 'none: the address that connects counts',
  },
  {
    name: 'GATEHOUSE_DNS_RESOLVERS',
    says: 'Two recursive resolvers to compare with when a domain is checked: addresses, separated by commas, with :port where it is not 53.',
    default: "two of this machine's own",
  },
  {
    name: 'GATEHOUSE_DNS_ROOTS',
    says: 'Root servers, for a network with a name system of its own. Servers below them are asked on the same port.',
    default: "the world's",
  },
  {
    name: 'GATEHOUSE_DNS_PRIVATE',
    says: 'on lets a delegation point to name servers inside your network.',
    default: 'off',
  },
  {
    name: 'GATEHOUSE_SMTP_URL',
    says: 'Mail server: smtps://user:password@host:465, or smtp://user:password@host:587 (STARTTLS). Goes with GATEHOUSE_MAIL_FROM; without it mails are kept as not sent.',
  },
  {
    name: 'GATEHOUSE_MAIL_FROM',
    says: 'Whom mail comes from, e.g. Gatehouse <gate@example.com>. Goes with GATEHOUSE_SMTP_URL.',
  },
  {
    name: 'GATEHOUSE_CALL_FACTS_DAYS',
    says: 'For how many days it is kept what each call was decided on (groups, class, surface, the arguments that rules look at), so that drafts of the policies can be tried on it.',
    default: '90',
  },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', says: 'Collector for traces (OTLP over HTTP). Without it nothing is traced.' },
];

const refuse = (variable: string, found: string, expected: string): Problem =>
  new Problem('invalid', 'config/invalid', { says: `${variable} ${found}`, fix: expected, more: { variable } });

const loopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Reads the environment. Config is whole or it is absent: half of a group, a misspelt name or a value of the wrong form stops the start
 * and says which.
 * @param folder where `.gatehouse` goes unless GATEHOUSE_DATA says otherwise
 */
export function readConfig(env: Record<string, string | undefined>, folder: string): Config {
  const get = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  for (const name of Object.keys(env))
    if (name.startsWith('GATEHOUSE_') && !variables.some((v) => v.name === name)) {
      const near = variables.find((v) => v.name.startsWith(name.slice(0, 14)))?.name;
      throw refuse(
        name,
        'is not a setting',
        near ? `did you mean ${near}? All are in docs/generated/config.md` : 'all are in docs/generated/config.md',
      );
    }
  const oneOf = <T extends string>(name: string, values: readonly T[], otherwise: T): T => {
    const value = get(name) ?? otherwise;
    const known = values.find((v) => v === value);
    if (known === undefined) throw refuse(name, `is "${value}"`, `set it to ${values.join(', ')}`);
    return known;
  };
  const pair = (a: string, b: string): [string, string] | undefined => {
    const [x, y] = [get(a), get(b)];
    if (x !== undefined && y !== undefined) return [x, y];
    if (x === undefined && y === undefined) return undefined;
    throw refuse(
      x === undefined ? a : b,
      'is not set',
      `set it too: ${x === undefined ? b : a} is set and is half of a pair; or set neither`,
    );
  };

  const port = z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .safeParse(get('GATEHOUSE_PORT') ?? '7400');
  if (!port.success)
    throw refuse('GATEHOUSE_PORT', `is "${get('GATEHOUSE_PORT')}"`, 'set it to a port number from 0 to 65535');
  const tls = pair('GATEHOUSE_TLS_CERT', 'GATEHOUSE_TLS_KEY');
  const host = get('GATEHOUSE_HOST') ?? '127.0.0.1';
  const origin = get('GATEHOUSE_ORIGIN');
  if (origin !== undefined) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.origin !== origin)
      throw refuse(
        'GATEHOUSE_ORIGIN',
        `is "${origin}"`,
        `set it to scheme and host only, in lower case, without a trailing slash${url && url.origin !== 'null' ? `: ${url.origin}` : ', e.g. https://gate.example.com'}`,
      );
    if (url.protocol === 'http:' && !loopback(url.hostname))
      throw refuse(
        'GATEHOUSE_ORIGIN',
        `is "${origin}", which is not encrypted`,
        'set an https origin: tokens and cookies travel over it. Plain http works on this machine only',
      );
  } else if (!loopback(host))
    throw refuse(
      'GATEHOUSE_ORIGIN',
      `is not set, but GATEHOUSE_HOST is ${host}`,
      'set it to the https origin that people and agents will use',
    );

  const url = get('DATABASE_URL');
  const ownerUrl = get('DATABASE_OWNER_URL');
  if (url === undefined && ownerUrl !== undefined)
    throw refuse(
      'DATABASE_URL',
      'is not set',
      'set it too: DATABASE_OWNER_URL is set and is half of a pair; or set neither',
    );
  for (const [name, value] of [
    ['DATABASE_URL', url],
    ['DATABASE_OWNER_URL', ownerUrl],
  ] as const)
    if (value !== undefined && !/^postgres(ql)?:\/\//.test(value))
      throw refuse(name, 'is not a PostgreSQL URL', 'set it to postgresql://login:password@host:5432/database');

  const roles = (get('GATEHOUSE_ROLES') ?? nodeRoles.join(',')).split(',').map((r) => r.trim());
  const known = roles.flatMap((r) => nodeRoles.filter((n) => n === r));
  if (known.length !== roles.length)
    throw refuse(
      'GATEHOUSE_ROLES',
      `is "${get('GATEHOUSE_ROLES')}"`,
      `set it to some of ${nodeRoles.join(', ')}, separated by commas`,
    );
  const otlp = get('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (otlp !== undefined && !URL.canParse(otlp))
    throw refuse('OTEL_EXPORTER_OTLP_ENDPOINT', `is "${otlp}"`, 'set it to a URL');
  const nodeAddress = get('GATEHOUSE_NODE_ADDRESS');
  if (nodeAddress !== undefined && !/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/.test(nodeAddress))
    throw refuse('GATEHOUSE_NODE_ADDRESS', `is "${nodeAddress}"`, 'set it to host and port, e.g. 10.0.3.7:7400');
  const metricsToken = get('GATEHOUSE_METRICS_TOKEN');
  if (metricsToken !== undefined && metricsToken.length < 16)
    throw refuse('GATEHOUSE_METRICS_TOKEN', 'is shorter than 16 characters', 'set a longer random one');

  const callFactsDays = get('GATEHOUSE_CALL_FACTS_DAYS') ?? '90';
  if (!/^[1-9]\d{0,3}$/.test(callFactsDays))
    throw refuse(
      'GATEHOUSE_CALL_FACTS_DAYS',
      `is "${callFactsDays}"`,
      'set it to a number of days from 1 to 9999, or leave it out for 90',
    );

  const mail = pair('GATEHOUSE_SMTP_URL', 'GATEHOUSE_MAIL_FROM');
  let smtp: SmtpConfig | undefined;
  if (mail) {
    const [server, from] = [readSmtpUrl(mail[0]), readMailFrom(mail[1])];
    if ('found' in server) throw refuse('GATEHOUSE_SMTP_URL', server.found, server.expected);
    if ('found' in from) throw refuse('GATEHOUSE_MAIL_FROM', from.found, from.expected);
    smtp = { ...server, from };
  }

  const servers = (name: string): { address: string; port: number }[] | undefined => {
    const found = get(name)
      ?.split(',')
      .map((one) => {
        const text = one.trim();
        const [, address = text, port = '53'] =
          /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(text) ?? /^([\d.]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
        return { address, port: Number(port) };
      });
    const bad = found?.find((s) => reach(s.address) === 'never' || s.port < 1 || s.port > 65535);
    if (bad)
      throw refuse(
        name,
        `names "${bad.address}"`,
        'set it to addresses that can be reached, like 10.0.0.53 or [fd00::53]:5353, separated by commas',
      );
    return found;
  };

  const trustedProxies = (get('GATEHOUSE_TRUSTED_PROXIES')?.split(',') ?? []).map((text) => {
    const range = plainRange(text);
    if (range !== undefined) return range;
    throw refuse(
      'GATEHOUSE_TRUSTED_PROXIES',
      `names "${text.trim()}"`,
      'set it to addresses or ranges like 10.0.0.7, 10.1.0.0/16 or fd00::/8, separated by commas',
    );
  });

  return Object.freeze({
    data: get('GATEHOUSE_DATA') ?? `${folder}/.gatehouse/data`,
    listen: { host, port: port.data },
    origin,
    tls: tls && { cert: tls[0], key: tls[1] },
    database: url === undefined ? { kind: 'embedded' as const } : { kind: 'external' as const, url, ownerUrl },
    kms: readKms(get, refuse),
    roles: known,
    logLevel: oneOf('GATEHOUSE_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
    dynamicRegistration: oneOf('GATEHOUSE_DYNAMIC_REGISTRATION', ['on', 'off'], 'off') === 'on',
    nodeAddress,
    metricsToken,
    otlpEndpoint: otlp,
    smtp,
    callFactsDays: Number(callFactsDays),
    dns: {
      roots: servers('GATEHOUSE_DNS_ROOTS'),
      resolvers: servers('GATEHOUSE_DNS_RESOLVERS'),
      private: oneOf('GATEHOUSE_DNS_PRIVATE', ['on', 'off'], 'off') === 'on',
    },
    trustedProxies,
  });
}

/** The environment of this process; the only place that reads it. */
export const environment = (): Record<string, string | undefined> => process.env;
