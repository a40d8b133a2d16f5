import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { readDomainName } from '#domains/domain-name.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { createConnection } from '../create-connection.ts';
import { createSamlConnection, type Source } from '../saml/create-saml-connection.ts';
import { idpSetupEvents } from './idp-setup.events.ts';
import { badField, noSuchLink } from './link.ts';
import { lockLink, saveConnectionOfLink } from './link.sql.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { findProvider } from './providers.ts';

/** What was brought back from the identity provider, as it was entered. */
export type BroughtBack =
  | {
      protocol: 'oidc';
      issuer: string;
      clientId: string;
      clientSecret: string;
      /** Of a provider that serves everybody: whose people are meant. Empty where nothing was entered. */
      hostedDomains: string;
      tenant: string;
    }
  | { protocol: 'saml'; metadata: string };

/**
 * Makes the connection from what the holder brought back. INVARIANT (an owner switches it on): unless the link was made with `activates`,
 * nobody signs in through it before an owner has looked at it, because a link can fall into other hands than it was meant for.
 */
export async function connectSignIn(visit: Visit, back: BroughtBack): Promise<Id<'sso'>> {
  const { ctx, link } = visit;
  if (link.connection)
    throw badField('sign-in is connected already', 'replace the secret on this page, or begin again');
  const name = findProvider(link.provider)?.name ?? 'Identity provider';
  const common = {
    name: link.provider === 'generic' ? link.name : name,
    allowPrivate: link.allowPrivate,
    matchDirectory: undefined,
    state: link.activates ? ('active' as const) : ('disabled' as const),
  };
  const id = await made().catch((e: unknown) => {
    throw inWordsOfThePage(connectedAlready(e, visit.by));
  });
  await change({ ...ctx, org: undefined }, async (tx) => {
    const now = await lockLink(tx, link.org, link.id);
    if (!now) throw noSuchLink();
    if (now.connection)
      throw badField('sign-in was connected in another window at the same time', 'reload this page to see it');
    await saveConnectionOfLink(tx, link.id, id);
    return {
      value: undefined,
      events: [
        event(idpSetupEvents, 'idp_setup.connection_made', { link: link.id, connection: id, active: link.activates }),
      ],
    };
  });
  return id;

  async function made(): Promise<Id<'sso'>> {
    if (back.protocol === 'saml')
      return (await createSamlConnection(ctx, { ...common, source: samlSource(back.metadata), settings: {} }))
        .connection.id;
    const { clientSecret, ...fields } = oidcFields(back);
    return (await createConnection(ctx, { ...common, ...fields, clientSecret: new Secret(clientSecret) })).id;
  }
}

const MAX_ISSUER = 300;

/** Checks by hand what a schema would refuse in words for programmers. */
function oidcFields(back: Extract<BroughtBack, { protocol: 'oidc' }>) {
  const issuer = back.issuer.trim().replace(/\/\.well-known\/openid-configuration\/?$/, '');
  if (issuer === '') throw badField('the issuer is missing', 'copy it from the place named beside the field');
  if (!/^https?:$/.test(URL.parse(issuer)?.protocol ?? '') || issuer.length > MAX_ISSUER || /[{}<>]/.test(issuer))
    throw badField(
      `the issuer is not an address: ${issuer.slice(0, MAX_ISSUER)}`,
      'it begins with https:// and has your own values in the place of what stands in braces',
    );
  const clientId = back.clientId.trim();
  if (clientId === '' || clientId.length > 300)
    throw badField('the client id is missing or too long', 'copy it from the place named beside the field');
  const tenant = back.tenant.trim();
  if (tenant !== '' && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant))
    throw badField(
      `this is not the id of a tenant: ${tenant.slice(0, 100)}`,
      'copy Directory (tenant) ID from Overview',
    );
  return {
    issuer,
    clientId,
    clientSecret: secretField(back.clientSecret),
    hostedDomains: domainsField(back.hostedDomains),
    tenants: tenant === '' ? [] : [tenant.toLowerCase()],
  };
}

const MAX_HOSTED = 50;

/** Domains as somebody types several of them. */
function domainsField(text: string): string[] {
  const typed = text.split(/[\s,;]+/).filter((t) => t !== '');
  const domains = typed.map((t) => {
    const name = readDomainName(t)?.name;
    if (name === undefined)
      throw badField(
        `this is not a domain: ${t.slice(0, 100)}`,
        'enter domains like acme.example, with commas between them',
      );
    return name;
  });
  if (domains.length > MAX_HOSTED)
    throw badField(
      `these are ${domains.length} domains; ${MAX_HOSTED} is the most`,
      'leave out those that have no people',
    );
  return [...new Set(domains)];
}

/** A client secret as it was pasted. */
export function secretField(text: string): string {
  const secret = text.trim();
  if (secret === '' || secret.length > 2000)
    throw badField(
      'the client secret is missing or too long',
      'copy it again; if it was shown one time and is gone, make another there',
    );
  return secret;
}

function samlSource(text: string): Source {
  const metadata = text.trim();
  if (metadata === '') throw badField('the metadata is missing', 'paste its address, or the whole text of the file');
  if (metadata.startsWith('<')) return { kind: 'metadata_xml', xml: metadata };
  if (URL.parse(metadata)?.protocol.startsWith('http') && !/\s/.test(metadata) && metadata.length <= 2000)
    return { kind: 'metadata_url', url: metadata };
  throw badField(
    'this is neither an address nor metadata',
    'paste an address that begins with https://, or the whole file from its first < on',
  );
}

/** Problems of the API name its fields; the page has others. */
function inWordsOfThePage(e: unknown): unknown {
  if (!(e instanceof Problem)) return e;
  const { kind, code, says } = e;
  if (code === 'identity/tenant-needed')
    return new Problem(kind, code, {
      says,
      fix: 'enter the id of your tenant below, or take the issuer of your tenant alone',
    });
  if (code === 'identity/hosted-domain-needed')
    return new Problem(kind, code, { says, fix: 'enter the domains of your Google Workspace below' });
  return e;
}

/** The holder does not see connections that were not made through this link; who sent it does. */
function connectedAlready(e: unknown, by: string): unknown {
  return e instanceof Problem &&
    (e.code === 'identity/connected-already' || e.code === 'identity/saml-connected-already')
    ? new Problem('conflict', e.code, { says: e.says, fix: `ask ${by}, who sees all connections, to change that one` })
    : e;
}
