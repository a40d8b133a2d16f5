import { Problem } from '#kernel/problem.ts';
import { refusal } from '../sign-in-refusal.ts';
import type { SsoConnection } from '../sso-connection.ts';

/** Entra's sign-in hosts, worldwide and national. Its shared endpoints speak for every tenant there is. */
const ENTRA = new Set(['login.microsoftonline.com', 'login.microsoftonline.us', 'login.partner.microsoftonline.cn']);
const SHARED = /^\/(common|organizations|consumers)(?=\/|$)/;
const GOOGLE = 'https://accounts.google.com';

export const isGoogle = (issuer: string): boolean => issuer.replace(/\/$/, '') === GOOGLE;

/**
 * The issuer to connect to. INVARIANT (whose people): a provider that serves everybody is connected only together with whose people are
 * meant. Entra's shared endpoints become the one tenant's own, whose issuer is exact; Google has one issuer for all, so `hd` must be named.
 */
export function issuerOf(wanted: {
  issuer: string;
  hostedDomains: readonly string[];
  tenants: readonly string[];
}): string {
  const url = URL.parse(wanted.issuer);
  if (url && ENTRA.has(url.hostname) && SHARED.test(url.pathname)) {
    const [tenant, ...others] = wanted.tenants;
    if (tenant === undefined || others.length > 0 || !/^[0-9a-f-]{36}$/i.test(tenant))
      throw new Problem('invalid', 'identity/tenant-needed', {
        says: `${wanted.issuer} speaks for every tenant of Entra`,
        fix: 'name the id of your one tenant in tenants, or use its own issuer; connect each further tenant by itself',
      });
    return `${url.origin}${url.pathname.replace(SHARED, `/${tenant.toLowerCase()}`)}`;
  }
  if (isGoogle(wanted.issuer) && wanted.hostedDomains.length === 0)
    throw new Problem('invalid', 'identity/hosted-domain-needed', {
      says: 'Google has one issuer for every account there is, also for private ones',
      fix: 'name the domains of your Google Workspace in hostedDomains',
    });
  return wanted.issuer;
}

/** Refuses people of another tenant or domain, whatever address they say they have: an address can be set by whoever runs a tenant. */
export function refuseOtherTenant(
  c: Pick<SsoConnection, 'hostedDomains' | 'tenants'>,
  claims: Readonly<Record<string, unknown>>,
): void {
  const check = (claim: 'hd' | 'tid', wanted: readonly string[], code: string, says: string): void => {
    const found = claims[claim];
    if (wanted.length === 0) return;
    if (typeof found === 'string' && wanted.some((w) => w.toLowerCase() === found.toLowerCase())) return;
    throw refusal('claims', code, {
      says,
      fix: 'sign in with the account of your organization',
      found: `${claim} ${found === undefined ? 'missing' : JSON.stringify(found)}`,
      expected: `${claim} ${wanted.join(' or ')}`,
    });
  };
  check('tid', c.tenants, 'identity/wrong-tenant', 'this account is of another tenant');
  check('hd', c.hostedDomains, 'identity/wrong-hosted-domain', 'this account is of another domain, or a private one');
}
