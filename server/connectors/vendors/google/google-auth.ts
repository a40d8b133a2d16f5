import { z } from 'zod';
import type { OAuthFacts, RefusedBecause } from '#vault/oauth-facts.ts';
import type { Access, Account, Settings } from '#vault/vendor-auth.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';

/** Where Google is, whatever the product; each product adds its `api`. */
export const googleOrigins = {
  login: 'https://accounts.google.com',
  oauth: 'https://oauth2.googleapis.com',
  openid: 'https://openidconnect.googleapis.com',
} as const;

/** Who somebody is. Google answers `email` with its long name, so that is what is asked for: what comes back is compared. */
export const identityScopes = ['openid', 'https://www.googleapis.com/auth/userinfo.email'] as const;

export const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;

const sixMonths = 182 * 24 * 3600;

/**
 * Google's OAuth 2.0 for web server apps: `access_type=offline` gives a refresh token, `prompt=consent` gives one also to whoever consented before.
 * It stays the same, and dies after six months without use, with the 101st of one account and client, and after 7 days while the app's
 * publishing status is "testing".
 */
export function googleOAuth(
  scopes: Readonly<Record<Access, readonly string[]>>,
  moreScopes?: OAuthFacts['moreScopes'],
): OAuthFacts {
  return {
    authorize: '{login}/o/oauth2/v2/auth',
    token: '{oauth}/token',
    revoke: { url: '{oauth}/revoke', how: 'rfc7009' },
    scopes: {
      read_only: [...identityScopes, ...scopes.read_only],
      read_write: [...identityScopes, ...scopes.read_write],
    },
    ...(moreScopes ? { moreScopes } : {}),
    authorizeParameters: { access_type: 'offline', prompt: 'consent' },
    clientAuth: 'client_secret_post',
    lifetimes: { access: 3600, idle: sixMonths, rotation: 'same' },
    classify: classifyGoogle,
    explain: explainGoogle,
  };
}

/** What an error of the token endpoint asks of whom. */
export function classifyGoogle(status: number, answer: Readonly<Record<string, unknown>>): RefusedBecause | undefined {
  switch (answer['error']) {
    case 'invalid_grant':
      return 'reconnect';
    case 'invalid_client':
    case 'deleted_client':
    case 'disabled_client':
    case 'unauthorized_client':
    case 'org_internal':
    case 'admin_policy_enforced':
    case 'invalid_scope':
    case 'redirect_uri_mismatch':
      return 'app';
    case 'internal_failure':
    case 'temporarily_unavailable':
    case 'rate_limit_exceeded':
      return 'later';
    default:
      return status >= 500 || status === 429 ? 'later' : undefined;
  }
}

const explained: Readonly<Record<string, string>> = {
  access_denied: 'the consent was not given',
  admin_policy_enforced:
    'an administrator of Google Workspace has to trust the app first (Admin console, API controls, App access control)',
  deleted_client:
    'the OAuth client was deleted in the Google Cloud console; an administrator must make another and enter it',
  disabled_client: 'the OAuth client is disabled in the Google Cloud console',
  invalid_client: 'the client ID or the client secret is not the one of the Google Cloud console',
  invalid_grant:
    'the consent has ended: it was revoked, was not used for six months, was replaced by more than 100 newer ones, the password was changed (Gmail), or it was given to an app that is still in testing, which keeps it for 7 days',
  org_internal: 'the app is for accounts of its own organization only, and this account is of another',
  redirect_uri_mismatch:
    "this connector's redirect address is not among those of the OAuth client in the Google Cloud console",
  unauthorized_client:
    'the service account has no domain-wide delegation for these scopes (Admin console, Security, API controls, Domain-wide delegation)',
};
export const explainGoogle = (answer: Readonly<Record<string, unknown>>): string | undefined =>
  typeof answer['error'] === 'string' && Object.hasOwn(explained, answer['error'])
    ? explained[answer['error']]
    : undefined;

/** Domains of an organization at Google. */
export const Domains = z
  .array(
    z
      .string()
      .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'expected a domain like example.com, in lower case')
      .describe('A domain'),
  )
  .min(1)
  .max(50)
  .describe(
    'The domains of your Google Workspace, as the Admin console shows them. Accounts of others, and personal accounts, cannot be connected.',
  );

export const domainsOf = (settings: Settings): readonly string[] =>
  z.object({ domains: Domains }).parse(settings).domains;

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/**
 * Why an account is none of this organization's. What counts is `hd`, which Google sets for accounts that an organization manages; the domain of an
 * address proves nothing, because anybody can make a personal account with a work address.
 */
export function foreignGoogle(account: Account, settings: Settings): string | undefined {
  const domains = domainsOf(settings);
  // A service account that acts as itself: nobody consented, an administrator gave its key.
  if (account.email?.endsWith('.gserviceaccount.com') === true) return undefined;
  if (account.tenant === undefined)
    return `${account.label} is a personal Google account, not one of ${domains.join(' or ')}`;
  return domains.includes(account.tenant.toLowerCase())
    ? undefined
    : `${account.label} is an account of ${account.tenant}, not of ${domains.join(' or ')}`;
}

const UserInfo = z.looseObject({
  sub: z.string().min(1),
  email: z.string(),
  email_verified: z.boolean().optional(),
  hd: z.string().optional(),
});

/** Whose consent it is, by Google's own word. Undefined: the credential is not a person's consent (a service account), ask the product instead. */
export async function whoConsented(vendor: VendorClient): Promise<Account | undefined> {
  if (!vendor.scopes.includes('openid')) return undefined;
  const answer = await vendor.send({ method: 'GET', at: 'openid', path: '/v1/userinfo' });
  const read = UserInfo.safeParse(answer.json());
  if (!read.success || read.data.email_verified === false)
    throw new VendorRefusal(answer.status, 'userinfo', 'Google does not say whose account this is');
  const { sub, email, hd } = read.data;
  return { subject: sub, label: email, email, ...(hd === undefined ? {} : { tenant: hd.toLowerCase() }) };
}

/**
 * The account of a service account's token, by the address that the product gives. That Google gave a token for an address of a Workspace is the word of
 * that Workspace's administrator, so its domain is its tenant.
 */
export const delegatedAccount = (subject: string, email: string): Account => ({
  subject,
  label: email,
  email,
  ...(email.endsWith('.gserviceaccount.com') ? {} : { tenant: domainOf(email) }),
});
