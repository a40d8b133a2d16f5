import { z } from 'zod';
import type { OAuthFacts, RefusedBecause } from '#vault/oauth-facts.ts';

type Answer = Readonly<Record<string, unknown>>;

/** `https://login.salesforce.com/id/00D…/005…`: organization and user. */
export const identityOf = (url: string | undefined): { organization: string; user: string } | undefined => {
  const [, organization, user] =
    /^https?:\/\/[^/]+\/id\/(00D[A-Za-z0-9]{12,15})\/(005[A-Za-z0-9]{12,15})$/.exec(url ?? '') ?? [];
  return organization === undefined || user === undefined ? undefined : { organization, user };
};

/** `instance_url` is kept for people to see; no request goes there. */
export function factsOfSalesforce(answer: Answer): Record<string, string> {
  const a = z.looseObject({ instance_url: z.string().optional(), id: z.string().optional() }).safeParse(answer).data;
  const identity = identityOf(a?.id);
  return {
    ...(a?.instance_url ? { instance_url: a.instance_url } : {}),
    ...(identity ? { organization_id: identity.organization, user_id: identity.user } : {}),
  };
}

export function classifySalesforce(status: number, answer: Answer): RefusedBecause | undefined {
  switch (answer['error']) {
    case 'invalid_client_id':
    case 'invalid_app_access':
    case 'app_not_found':
    case 'OAUTH_APP_BLOCKED':
    case 'OAUTH_APP_ACCESS_DENIED':
      return 'app';
    case 'inactive_user':
    case 'inactive_org':
      return 'reconnect';
    case 'rate_limit_exceeded':
    case 'server_error':
    case 'temporarily_unavailable':
      return 'later';
    case 'unknown_error':
      return status >= 500 ? 'later' : undefined;
    default:
      return undefined;
  }
}

/** What an administrator or a person can do about a no of the token endpoint. */
export function explainSalesforce(answer: Answer): string | undefined {
  const description = typeof answer['error_description'] === 'string' ? answer['error_description'] : '';
  if (/hasn't approved this consumer/i.test(description))
    return 'the user is not pre-authorized for the app: set "Permitted Users" to "Admin approved users are pre-authorized" and give the user the permission set of the app';
  if (/no client credentials user enabled/i.test(description))
    return 'the app has no run-as user: set one under Policies, Client Credentials Flow';
  if (/audience is invalid/i.test(description))
    return 'the audience is not the one that this organization takes; set "audience" of the account';
  if (/expired access\/refresh token|token validity expired/i.test(description))
    return 'Salesforce has ended the grant; connect again';
  switch (answer['error']) {
    case 'redirect_uri_mismatch':
      return 'the External Client App does not list this callback URL';
    case 'invalid_client_id':
    case 'invalid_client':
    case 'app_not_found':
      return 'Salesforce does not know the app in this organization, or its secret was replaced';
    case 'inactive_user':
      return 'the Salesforce user is deactivated or frozen';
    default:
      return undefined;
  }
}

export const salesforceOAuth: OAuthFacts = {
  authorize: '{api}/services/oauth2/authorize',
  token: '{api}/services/oauth2/token',
  revoke: { url: '{api}/services/oauth2/revoke', how: 'rfc7009' },
  // Salesforce has no scope for reading only: what an account may change is said by its permission sets, and which tools there are by us.
  scopes: { read_only: ['api', 'refresh_token'], read_write: ['api', 'refresh_token'] },
  moreScopes: (settings) => (settings['hosted_mcp'] === true ? ['mcp_api'] : []),
  clientAuth: 'client_secret_post',
  factsOf: factsOfSalesforce,
  // The answer says nothing of an end: the organization's session timeout is it. A new refresh token comes only where the app rotates them, and
  // then the old one is dead; so an old one is never used again if a new one may be on its way.
  lifetimes: { rotation: 'single_use' },
  classify: classifySalesforce,
  explain: explainSalesforce,
};
