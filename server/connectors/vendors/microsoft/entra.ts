import { z } from 'zod';
import type { Manifest } from '../../kit/manifest.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { GrantRefused } from '#vault/organization-grant.ts';
import type { OAuthFacts, TokenAnswer } from '#vault/oauth-facts.ts';
import type { Account, Settings } from '#vault/vendor-auth.ts';
import { classifyEntra, explainEntra } from './aadsts.ts';

/** The tenant that every personal Microsoft account is of. */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** The worldwide cloud; a connector of a national cloud replaces both. */
export const microsoftOrigins = {
  login: 'https://login.microsoftonline.com',
  api: 'https://graph.microsoft.com',
} as const;

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const isGuid = (text: string): boolean => guid.test(text);
const domain = /^(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/i;

/**
 * Whose accounts may be connected. INVARIANT (one tenant): `common`, `organizations` and `consumers` let in accounts of everybody, so they are
 * refused here, and what Entra says of an account is compared with this setting.
 */
export const Tenant = z
  .string()
  .trim()
  .toLowerCase()
  .refine((t) => isGuid(t) || domain.test(t), {
    error:
      'expected the directory (tenant) id or a verified domain of your organization, e.g. contoso.com; common, organizations and consumers would let in accounts of others',
  })
  .refine((t) => t !== PERSONAL_TENANT, { error: 'this is the tenant of personal Microsoft accounts' })
  .describe('Directory (tenant) id, as Entra shows it on the Overview page, or a verified domain');

/**
 * OAuth of the Microsoft identity platform v2.0 for one tenant. Entra gives all scopes that a person ever consented to for the app, so an app
 * registration of its own is what keeps a read-only connector's tokens read-only.
 */
export const microsoftOAuth = (scopes: OAuthFacts['scopes']): OAuthFacts => ({
  authorize: '{login}/{tenant}/oauth2/v2.0/authorize',
  token: '{login}/{tenant}/oauth2/v2.0/token',
  scopes,
  authorizeParameters: { response_mode: 'query', prompt: 'select_account' },
  // A certificate, as Entra recommends; an app that has a secret is let through with it, too.
  clientAuth: 'private_key_jwt',
  readToken,
  factsOf,
  // 60 to 90 minutes, as `expires_in` says; every refresh brings a refresh token that starts the 90 days anew, and the old one goes on.
  lifetimes: { access: 3600, idle: 90 * 24 * 3600, rotation: 'replaced' },
  classify: classifyEntra,
  explain: explainEntra,
});

/** Beside what a connector needs: who the person is, and that the consent outlives the hour. */
export const signIn = ['openid', 'profile', 'offline_access', 'User.Read'] as const;

const Token = z.object({
  token_type: z.string().regex(/^bearer$/i),
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  id_token: z.string().optional(),
  expires_in: z.coerce.number().positive().optional(),
  scope: z.string().optional(),
});

/**
 * Entra names scopes of Graph with or without Graph's address before them, and those of OpenID Connect not always: that
 * they were granted, the refresh token and the id_token say.
 */
export function readToken(answer: Readonly<Record<string, unknown>>): TokenAnswer {
  const read = Token.safeParse(answer);
  if (!read.success) throw new GrantRefused('later', 'the login of Microsoft gave no token that can be read');
  const t = read.data;
  const named = t.scope
    ?.split(' ')
    .filter((s) => s !== '')
    .map(plainScope);
  return {
    accessToken: t.access_token,
    refreshToken: t.refresh_token,
    expiresIn: t.expires_in,
    scopes: named && [
      ...new Set([
        ...named,
        ...(t.refresh_token === undefined ? [] : ['offline_access']),
        ...(t.id_token === undefined ? [] : ['openid', 'profile']),
      ]),
    ],
  };
}

const plainScope = (scope: string): string => /^https:\/\/[^/]+\/+([A-Za-z0-9._-]+)$/.exec(scope)?.[1] ?? scope;

/**
 * Tenant and account from the id_token. Its signature is not looked at: it came from the token endpoint itself, over TLS (OpenID Connect Core
 * §3.1.3.7, 6), and nobody else's is ever read.
 */
export function factsOf(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const token = answer['id_token'];
  const claims = typeof token === 'string' ? claimsOf(token) : {};
  const ids = ['tid', 'oid'].flatMap((name) => {
    const value = claims[name];
    return typeof value === 'string' && isGuid(value) ? [[name, value.toLowerCase()] as const] : [];
  });
  const upn = claims['preferred_username'];
  return Object.fromEntries(typeof upn === 'string' && upn !== '' ? [...ids, ['upn', upn] as const] : ids);
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

const Me = z.object({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  mail: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
});

/** Whose account it is: the person who consented, or the app. */
export async function graphAccount(vendor: VendorClient): Promise<Account> {
  const { app, tid } = vendor.facts;
  if (app !== undefined) {
    // Whatever Graph answers but 401 says that the token is taken; the tenant is the one whose login gave it.
    return { ...appAccount(app), tenant: await tenantName(vendor, undefined) };
  }
  const me = Me.parse(
    (
      await vendor.send({
        method: 'GET',
        path: '/v1.0/me',
        query: { $select: 'id,displayName,mail,userPrincipalName' },
      })
    ).json(),
  );
  const email = me.mail ?? me.userPrincipalName ?? undefined;
  return {
    subject: vendor.facts['oid'] ?? me.id,
    label: email ?? me.displayName ?? me.id,
    ...(email === undefined ? {} : { email: email.toLowerCase() }),
    tenant: tid === PERSONAL_TENANT ? tid : await tenantName(vendor, tid),
  };
}

/** The account of an app, as its client id says. */
export const appAccount = (clientId: string): Account => ({ subject: clientId, label: `app ${clientId}` });

const Organization = z.object({
  value: z.array(z.object({ id: z.string(), verifiedDomains: z.array(z.object({ name: z.string() })).nullish() })),
});

/**
 * The tenant's id; where the setting is a domain and the tenant has proven it, that domain, so that the two can be compared. `tid` comes from
 * the id_token; an app has none, and its tenant is the one whose login has given it the token, unless Graph says another.
 */
async function tenantName(vendor: VendorClient, tid: string | undefined): Promise<string> {
  const wanted = tenantOf(vendor.settings);
  if (tid !== undefined && isGuid(wanted)) return tid;
  const answer = await vendor.send({
    method: 'GET',
    path: '/v1.0/organization',
    query: { $select: 'id,verifiedDomains' },
    takes: [403],
  });
  if (answer.status === 403) return tid ?? wanted;
  const [found] = Organization.parse(answer.json()).value;
  const id = found?.id.toLowerCase();
  if (found === undefined || (tid !== undefined && id !== tid)) return tid ?? 'unknown';
  return found.verifiedDomains?.some((d) => d.name.toLowerCase() === wanted) ? wanted : (id ?? 'unknown');
}

const tenantOf = (settings: Settings): string =>
  typeof settings['tenant'] === 'string' ? settings['tenant'].toLowerCase() : '';

/** Personal accounts and accounts of other tenants are not for this organization. */
export const foreignToTenant: NonNullable<Manifest['foreign']> = (account, settings, person) => {
  const wanted = tenantOf(settings);
  if (account.tenant === PERSONAL_TENANT)
    return `${account.label} is a personal Microsoft account; connect the work account of ${wanted} instead`;
  // An app's token comes from the tenant's own login; of a person that must be said.
  if (account.tenant === undefined)
    return person ? 'Microsoft does not say of which organization this account is' : undefined;
  return account.tenant.toLowerCase() === wanted
    ? undefined
    : `${account.label} belongs to another organization at Microsoft (tenant ${account.tenant}); this connector is for ${wanted}`;
};
