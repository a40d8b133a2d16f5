import type { SeenRequest } from '../vendor-stand-in.ts';
import { header, type Said } from '../vendor-server.ts';
import { diffTrees } from './diff.ts';
import { gitApi } from './git-api.ts';
import { issueApi } from './issue-api.ts';
import { searchCode } from './search.ts';
import { problem, reachOf, type Bearer, type GitHubTokens } from './tokens.ts';
import type { GitHubRepository, GitHubWorld } from './world.ts';

export type RepoRequest = {
  world: GitHubWorld;
  bearer: Bearer;
  repository: GitHubRepository;
  may: 'read' | 'write';
  method: string;
  /** Decoded, after owner and name. */
  rest: string[];
  query: URLSearchParams;
  json: Record<string, unknown>;
  accept: string;
  base: string;
};

/** A page of a list with the Link header that goes with it. */
export function paged<T>(
  list: readonly T[],
  q: URLSearchParams,
  address: string,
  show: (page: T[]) => unknown = (p) => p,
): Said {
  const per = Math.min(100, Number(q.get('per_page') ?? 30));
  const page = Math.max(1, Number(q.get('page') ?? 1));
  const last = Math.max(1, Math.ceil(list.length / per));
  const link = (n: number, rel: string): string => {
    const more = new URLSearchParams(q);
    more.set('page', String(n));
    return `<${address}?${more}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
  ];
  return {
    json: show(list.slice((page - 1) * per, page * per)),
    ...(links.length > 0 ? { headers: { link: links.join(', ') } } : {}),
  };
}

/** What the permission of an app allows; GitHub says 403 in these words. */
export function lacks(r: RepoRequest, permission: string, level: 'read' | 'write'): Said | undefined {
  const has = r.bearer.permissions[permission];
  const isPublicRead = level === 'read' && r.repository.visibility === 'public';
  if (has === undefined && !isPublicRead) return problem(403, 'Resource not accessible by integration');
  if (level === 'write' && (has !== 'write' || r.may !== 'write'))
    return problem(403, 'Resource not accessible by integration');
  return undefined;
}

export const shownRepository = (r: GitHubRepository, base: string): object => ({
  id: r.id,
  name: r.name,
  full_name: `${r.owner}/${r.name}`,
  owner: { login: r.owner, id: 1 },
  private: r.visibility !== 'public',
  visibility: r.visibility,
  description: r.description,
  default_branch: r.defaultBranch,
  archived: r.archived,
  url: `${base}/repos/${r.owner}/${r.name}`,
  html_url: `https://github.com/${r.owner}/${r.name}`,
});

/** The commit that GitHub takes a name for: a branch, a SHA of a commit, or enough of its digits. */
export function resolve(r: GitHubRepository, ref: string): string | undefined {
  const branch = r.branches.get(ref.replace(/^(?:refs\/)?heads\//, ''));
  if (branch !== undefined) return branch;
  if (/^[0-9a-f]{40}$/.test(ref)) return r.git.commit(ref) ? ref : undefined;
  return /^[0-9a-f]{7,39}$/.test(ref)
    ? [...r.git.objects.keys()].find((s) => s.startsWith(ref) && r.git.commit(s))
    : undefined;
}

const PRIMARY = 5000;
const SEARCHES_A_MINUTE = 10;

export class GitHubApi {
  readonly #world: GitHubWorld;
  readonly #tokens: GitHubTokens;
  readonly #searches = new Map<string, number[]>();
  base = '';

  constructor(world: GitHubWorld, tokens: GitHubTokens) {
    this.#world = world;
    this.#tokens = tokens;
  }

  async answer(r: SeenRequest): Promise<Said> {
    const path = r.path.split('/').slice(1).map(decodeURIComponent);
    if (path[0] === 'app' && path[1] === 'installations') return this.#tokens.installation(r, path[2] ?? '', path[3]);
    if (path[0] === 'applications' && path[2] === 'grant' && r.method === 'DELETE') return this.#tokens.revoke(r);
    if (r.path === '/credentials/revoke' && r.method === 'POST') return this.#tokens.giveBack(r);
    const bearer = this.#tokens.find(r);
    if (!bearer) return problem(401, 'Bad credentials');
    bearer.used++;
    const reset = Math.ceil(this.#world.now().getTime() / 3_600_000) * 3600;
    const limits = {
      date: this.#world.now().toUTCString(),
      'x-ratelimit-limit': String(PRIMARY),
      'x-ratelimit-remaining': String(Math.max(0, PRIMARY - bearer.used)),
      'x-ratelimit-reset': String(reset),
      'x-github-media-type': 'github.v3; format=json',
    };
    const said =
      bearer.used > PRIMARY
        ? problem(403, `API rate limit exceeded for user ID ${bearer.kind === 'user' ? bearer.user.id : 0}.`)
        : this.#route(r, path, bearer);
    return { ...said, headers: { ...limits, ...said.headers } };
  }

  #route(r: SeenRequest, path: string[], bearer: Bearer): Said {
    const world = this.#world;
    const { query } = r;
    switch (`${r.method} ${path[0]}/${path[1] ?? ''}`) {
      case 'GET user/':
        if (bearer.kind !== 'user') return problem(403, 'Resource not accessible by integration');
        return { json: { id: bearer.user.id, login: bearer.user.login, email: bearer.user.email, type: 'User' } };
      case 'GET user/memberships': {
        if (bearer.kind !== 'user') return problem(403, 'Resource not accessible by integration');
        const org = world.orgs.find((o) => o.login.toLowerCase() === path[3]?.toLowerCase());
        if (!org || !bearer.user.orgs.includes(org.login)) return problem(404, 'Not Found');
        return { json: { state: 'active', role: 'member', organization: org, user: { login: bearer.user.login } } };
      }
      case 'GET user/repos':
      case 'GET installation/repositories': {
        const installed = path[0] === 'installation';
        if (installed !== (bearer.kind === 'installation'))
          return problem(403, 'Resource not accessible by integration');
        const all = world.repositories.filter((x) => reachOf(bearer, x, world) === 'write');
        return paged(all, query, `${this.base}${r.path}`, (page) => {
          const shown = page.map((x) => shownRepository(x, this.base));
          return installed ? { total_count: all.length, repositories: shown } : shown;
        });
      }
      case 'GET search/code': {
        const minute = this.#world.now().getTime() - 60_000;
        const recent = (this.#searches.get(bearer.token) ?? []).filter((t) => t > minute);
        if (recent.length >= SEARCHES_A_MINUTE)
          return {
            ...problem(403, 'API rate limit exceeded for user ID 0.'),
            headers: {
              'x-ratelimit-remaining': '0',
              'x-ratelimit-reset': String(Math.ceil((recent[0] ?? 0) / 1000) + 60),
            },
          };
        this.#searches.set(bearer.token, [...recent, this.#world.now().getTime()]);
        return searchCode(world, bearer, query, `${this.base}${r.path}`, header(r, 'accept') ?? '');
      }
      default:
    }
    if (path[0] === 'repositories' || path[0] === 'repos') return this.#repository(r, path, bearer);
    return problem(404, 'Not Found');
  }

  #repository(r: SeenRequest, path: string[], bearer: Bearer): Said {
    const world = this.#world;
    const byId = path[0] === 'repositories';
    const name = `${path[1]}/${path[2]}`.toLowerCase();
    const repository = world.repositories.find((x) =>
      byId ? String(x.id) === path[1] : `${x.owner}/${x.name}`.toLowerCase() === name,
    );
    if (!repository) {
      const moved = world.repositories.find((x) => x.formerly.some((f) => f.toLowerCase() === name));
      if (!moved || reachOf(bearer, moved, world) === 'none') return problem(404, 'Not Found');
      const url = [`${this.base}/repositories/${moved.id}`, ...path.slice(3)].join('/');
      return {
        status: r.method === 'GET' ? 301 : 307,
        headers: { location: url },
        json: { message: 'Moved Permanently', url, documentation_url: 'https://docs.github.com/rest' },
      };
    }
    const may = reachOf(bearer, repository, world);
    if (may === 'none') return problem(404, 'Not Found');
    let json: Record<string, unknown> = {};
    if (r.body.length > 0) {
      try {
        json = JSON.parse(r.body.toString('utf8')) as Record<string, unknown>;
      } catch {
        return problem(400, 'Problems parsing JSON');
      }
    }
    const rest = path.slice(byId ? 2 : 3);
    const asked: RepoRequest = {
      world,
      bearer,
      repository,
      may,
      method: r.method,
      rest,
      query: r.query,
      json,
      accept: header(r, 'accept') ?? '',
      base: this.base,
    };
    if (rest.length === 0)
      return r.method === 'GET' ? { json: shownRepository(repository, this.base) } : problem(404, 'Not Found');
    if (repository.archived && r.method !== 'GET') return problem(403, 'Repository was archived so is read-only.');
    return gitApi(asked) ?? issueApi(asked) ?? problem(404, 'Not Found');
  }
}

export const shownDiff = (r: GitHubRepository, from: string | undefined, to: string): ReturnType<typeof diffTrees> => {
  const tree = (sha: string | undefined): string | undefined =>
    sha === undefined ? undefined : r.git.commit(sha)?.tree;
  return diffTrees(r.git, tree(from), tree(to) ?? '');
};
