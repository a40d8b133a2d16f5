import type { Reader } from '#kernel/db.ts';
import type { Egress, EgressRules } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { addressOf, type Origins } from './vendor-address.ts';
import type { OAuthFacts } from './oauth-facts.ts';
import type { Access, ActAs, Settings, VendorAuth } from './vendor-auth.ts';

/** A connector as the vault must know it: which vendor, where it is, what an administrator chose. */
export type VendorSite = {
  connector: Id<'con'>;
  on: boolean;
  /** For people: what the vendor is called. */
  name: string;
  auth: VendorAuth;
  settings: Settings;
  /** By `originsOf`; a credential goes nowhere else. */
  origins: Origins;
  rules: EgressRules;
  access: Access;
  actAs: ActAs;
};

/** Asked anew each time, within the reader's organization. Undefined: there is no such connector, or no vendor of that type. */
export type SiteOf = (db: Reader, connector: Id<'con'>) => Promise<VendorSite | undefined>;

/** A token endpoint answers with a few hundred bytes. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Shorter than the lease on a renewal, so that a slow vendor's answer still finds it. */
export const VENDOR_TIMEOUT_MS = 10_000;

/** A fetch that reaches this connector's vendor and nobody else, whatever a manifest, a setting or an answer says. */
export const siteFetch =
  (egress: Pick<Egress, 'fetch'>, site: Pick<VendorSite, 'origins' | 'rules'>) =>
  (url: string, init: RequestInit): Promise<Response> => {
    const target = new URL(url);
    if (!Object.values(site.origins).some((base) => new URL(base).origin === target.origin))
      throw new Problem('bug', 'vault/foreign-address', {
        says: `${target.host} is no address of this connector, so no credential goes there`,
      });
    return egress.fetch(target, init, {
      ...site.rules,
      maxBytes: MAX_ANSWER_BYTES,
      timeoutMs: VENDOR_TIMEOUT_MS,
    });
  };

export const siteAddress = (site: VendorSite, template: string): string =>
  addressOf(template, site.origins, site.settings);

/** The scopes that an access level means for this connector, each once. */
export const scopesFor = (site: VendorSite, access: Access): readonly string[] => {
  const { oauth } = site.auth;
  return oauth ? [...new Set([...oauth.scopes[access], ...(oauth.moreScopes?.(site.settings, access) ?? [])])] : [];
};

/** Whether a credential is of whom its system names now, and for what it is now (vendor-auth.ts, boundTo). */
export const belongs = (site: Pick<VendorSite, 'auth'>, c: { facts: Readonly<Record<string, string>> }): boolean => {
  const { boundTo } = site.auth;
  return boundTo === undefined || (c.facts['issuer'] === boundTo.issuer && c.facts['resource'] === boundTo.resource);
};

/** How persons consent at this vendor; asking for a vendor that knows no such thing is refused. */
export function oauthOf(site: VendorSite): OAuthFacts {
  if (site.auth.oauth) return site.auth.oauth;
  throw new Problem('conflict', 'vault/no-consent', {
    says: `${site.name} has no consent of persons`,
    fix: "give it the organization's own account",
  });
}
