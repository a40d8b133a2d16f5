import { Problem } from '#kernel/problem.ts';
import type { OAuthFacts, RevokeByHand } from '#vault/oauth-facts.ts';

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);
/** GitHub has written these numbers as text, too. */
const seconds = (v: unknown): number | undefined =>
  typeof v === 'number' || typeof v === 'string' ? Number(v) : undefined;

/**
 * The web flow of a GitHub App (and, for who has nothing else, of an OAuth App). Documented at
 * docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app.
 */
export const githubOAuth: OAuthFacts = {
  authorize: '{login}/login/oauth/authorize',
  token: '{login}/login/oauth/access_token',
  revoke: { url: '{api}', how: endGrant },
  // What a GitHub App may do is set at the app, and GitHub ignores scopes for it. An OAuth App has none that reads private repositories without
  // writing to them, so that a connector that only reads does not ask for it.
  scopes: { read_only: ['read:org'], read_write: ['read:org', 'repo'] },
  authorizeParameters: { allow_signup: 'false' },
  clientAuth: 'client_secret_post',
  readToken(answer) {
    const accessToken = text(answer['access_token']) ?? '';
    const scope = answer['scope'];
    return {
      accessToken,
      refreshToken: text(answer['refresh_token']),
      // Absent where an app has opted out of expiry and for OAuth Apps: such a token does not end by itself.
      expiresIn: seconds(answer['expires_in']),
      refreshExpiresIn: seconds(answer['refresh_token_expires_in']),
      scopes: accessToken.startsWith('ghu_') || typeof scope !== 'string' ? undefined : scope.split(/[,\s]+/),
    };
  },
  lifetimes: { refresh: 15_811_200, rotation: 'single_use' },
  // GitHub says no with 200.
  classify(status, answer) {
    switch (answer['error']) {
      case 'bad_refresh_token':
      case 'bad_verification_code':
      case 'unverified_user_email':
      case 'access_denied':
        return 'reconnect';
      case 'incorrect_client_credentials':
      case 'redirect_uri_mismatch':
      case 'application_suspended':
      case 'unsupported_grant_type':
      case 'Not Found':
        return 'app';
      case undefined:
        return undefined;
      default:
        return status >= 500 ? 'later' : undefined;
    }
  },
  explain(answer) {
    switch (answer['error']) {
      case 'bad_refresh_token':
        return 'GitHub does not know the refresh token any more: it was used, ended after six months, or was taken back; the person has to connect again';
      case 'bad_verification_code':
        return 'the code from GitHub was used or is older than ten minutes; connect again';
      case 'incorrect_client_credentials':
        return 'GitHub does not accept the client ID and client secret; an administrator has to enter a new secret';
      case 'redirect_uri_mismatch':
        return 'the callback URL of this connector is not among those of the app; an administrator has to add it there';
      case 'application_suspended':
        return 'GitHub has suspended the app; an administrator has to see to it there';
      case 'unverified_user_email':
        return 'the account at GitHub has no verified e-mail address; verify it there and connect again';
      default:
        return undefined;
    }
  },
};

/**
 * Ends the whole grant of the app by this person, because a renewed token may be about that we never saw. GitHub wants an access token that is
 * still good for that; where it has ended, the refresh token is given back as one that is not to be used any more.
 */
async function endGrant({
  url,
  token,
  refreshToken,
  clientId,
  clientSecret,
  fetch,
}: Parameters<RevokeByHand>[0]): Promise<void> {
  const headers = { accept: 'application/vnd.github+json', 'content-type': 'application/json' };
  const grant = await fetch(`${url}/applications/${encodeURIComponent(clientId)}/grant`, {
    method: 'DELETE',
    headers: {
      ...headers,
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret ?? ''}`).toString('base64')}`,
    },
    body: JSON.stringify({ access_token: token }),
  });
  if (grant.ok) return;
  // 404 and 422: GitHub knows no such token any more. Without a refresh token, that is all there was.
  const unknown = grant.status === 404 || grant.status === 422;
  if (unknown && refreshToken === undefined) return;
  // Without credentials of ours: GitHub refuses this with any.
  const given = unknown
    ? await fetch(`${url}/credentials/revoke`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ credentials: [refreshToken] }),
      })
    : grant;
  if (given.ok) return;
  throw new Problem('upstream', 'connectors/github-not-revoked', {
    says: `GitHub did not end the grant (status ${given.status})`,
    fix: 'the person can end it at GitHub, under the applications that are authorized in the settings',
  });
}
