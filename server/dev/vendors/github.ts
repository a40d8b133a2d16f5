import { serveVendor } from './vendor-server.ts';
import { GitHubApi } from './github/api.ts';
import { GitHubTokens } from './github/tokens.ts';
import { GitHubWorld } from './github/world.ts';
import type { VendorStandIn } from './vendor-stand-in.ts';

export type GitHubStandIn = VendorStandIn & { world: GitHubWorld };

/**
 * GitHub as its documentation describes it (docs.github.com, REST API 2022-11-28: apps, git, repos, issues, pulls, search; and "Authorizing
 * OAuth apps"): real objects of git, tokens of users and installations that reach what they may and nothing else, and its awkward parts: errors
 * with 200, limits with 403, names that lead elsewhere, links that are followed without a word.
 */
export async function startGitHub(): Promise<GitHubStandIn> {
  const world = new GitHubWorld();
  const tokens = new GitHubTokens(world);
  const api = new GitHubApi(world, tokens);
  const visitor: VendorStandIn['visitor'] = { account: 'ada', answer: 'allow' };
  const server = await serveVendor(['api', 'login', 'mcp'], (r) => {
    if (r.at === 'api') return api.answer(r);
    if (r.path === '/login/oauth/authorize' && r.method === 'GET') return tokens.authorize(r, standIn.visitor);
    if (r.path === '/login/oauth/access_token') return tokens.token(r);
    return { status: 404, text: 'Not Found' };
  });
  api.base = server.origins['api'] ?? '';
  const standIn: GitHubStandIn = {
    world,
    origins: server.origins,
    settings: { organizations: ['acme'], repositories: ['acme/*'] },
    app: { clientId: world.app.clientId, clientSecret: world.app.clientSecret },
    registerRedirect: (uri) => void tokens.redirects.push(uri),
    accounts: {
      app_installation: {
        client_id: world.app.clientId,
        installation_id: String(world.installation.id),
        private_key: world.app.key.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      },
    },
    visitor,
    advance(seconds) {
      world.skewMs += seconds * 1000;
    },
    endGrants: (account) => tokens.end(account),
    get fault() {
      return server.fault;
    },
    set fault(f) {
      server.fault = f;
    },
    seen: server.seen,
    close: () => server.close(),
  };
  return standIn;
}
