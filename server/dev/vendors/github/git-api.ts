import type { Said } from '../vendor-server.ts';
import { lacks, paged, resolve, shownDiff, type RepoRequest } from './api.ts';
import type { GitEntry } from './git-store.ts';
import { problem } from './tokens.ts';
import type { GitHubRepository } from './world.ts';

const shownCommit = (r: GitHubRepository, sha: string): Record<string, unknown> => {
  const c = r.git.commit(sha);
  return {
    sha,
    commit: { message: c?.message, author: { name: c?.author, date: c?.date }, tree: { sha: c?.tree } },
    parents: c?.parents.map((p) => ({ sha: p })),
    author: { login: c?.author },
  };
};

/** Newest first, by first parents and all others behind them. */
function history(r: GitHubRepository, from: string): string[] {
  const seen = new Set<string>();
  const queue = [from];
  for (let sha = queue.shift(); sha !== undefined; sha = queue.shift()) {
    if (seen.has(sha)) continue;
    seen.add(sha);
    queue.push(...(r.git.commit(sha)?.parents ?? []));
  }
  return [...seen];
}

/** Commits, comparisons and the Git data API: docs.github.com/rest/commits and …/rest/git. Undefined: it is about something else. */
export function gitApi(r: RepoRequest): Said | undefined {
  const { repository: repo, rest, method } = r;
  const [what, kind, ...more] = rest;
  const level = method === 'GET' ? 'read' : 'write';
  if (what !== 'commits' && what !== 'compare' && what !== 'git' && what !== 'contents') return undefined;
  const no = lacks(r, 'contents', level);
  if (no) return no;
  if (what === 'commits' && method === 'GET') return commits(r, rest.slice(1).join('/'));
  if (what === 'compare' && method === 'GET') {
    const [base = '', head = ''] = rest.slice(1).join('/').split('...');
    const [a, b] = [resolve(repo, base), resolve(repo, head)];
    if (a === undefined || b === undefined) return problem(404, 'Not Found');
    const [behind, ahead] = [history(repo, a), history(repo, b)];
    const mine = ahead.filter((s) => !behind.includes(s));
    const common = ahead.find((s) => behind.includes(s));
    const files = shownDiff(repo, common, b).slice(0, 300);
    return {
      json: {
        status: 'diverged',
        ahead_by: mine.length,
        behind_by: behind.filter((s) => !ahead.includes(s)).length,
        commits: mine.map((s) => shownCommit(repo, s)),
        files,
      },
    };
  }
  if (what === 'contents' && method === 'GET') return contents(r, rest.slice(1));
  if (what !== 'git') return undefined;
  switch (`${method} ${kind}`) {
    case 'GET commits': {
      const c = repo.git.commit(more[0] ?? '');
      return c
        ? {
            json: {
              sha: more[0],
              tree: { sha: c.tree },
              message: c.message,
              parents: c.parents.map((sha) => ({ sha })),
            },
          }
        : problem(404, 'Not Found');
    }
    case 'GET trees':
      return tree(r, more.join('/'));
    case 'GET blobs': {
      const blob = repo.git.read(more[0] ?? '', 'blob');
      return blob
        ? {
            json: {
              sha: more[0],
              size: blob.length,
              encoding: 'base64',
              content: blob.toString('base64').replaceAll(/.{60}/g, '$&\n'),
            },
          }
        : problem(404, 'Not Found');
    }
    case 'GET ref': {
      const name = more.slice(1).join('/');
      const sha = more[0] === 'heads' ? repo.branches.get(name) : undefined;
      return sha === undefined
        ? problem(404, 'Not Found')
        : { json: { ref: `refs/heads/${name}`, object: { type: 'commit', sha } } };
    }
    case 'POST refs': {
      const name = /^refs\/heads\/(.+)$/.exec(String(r.json['ref']))?.[1];
      const sha = String(r.json['sha']);
      if (name === undefined || !repo.git.commit(sha))
        return problem(422, name === undefined ? 'Reference name must start with refs/' : 'Object does not exist');
      if (repo.branches.has(name)) return problem(422, 'Reference already exists');
      repo.branches.set(name, sha);
      return { status: 201, json: { ref: `refs/heads/${name}`, object: { type: 'commit', sha } } };
    }
    case 'PATCH refs': {
      const name = more.slice(1).join('/');
      const sha = String(r.json['sha']);
      const before = repo.branches.get(name);
      if (before === undefined || !repo.git.commit(sha)) return problem(422, 'Reference does not exist');
      if (r.json['force'] !== true && !history(repo, sha).includes(before))
        return problem(422, 'Update is not a fast forward');
      repo.branches.set(name, sha);
      return { json: { ref: `refs/heads/${name}`, object: { type: 'commit', sha } } };
    }
    case 'POST trees':
      return makeTree(r);
    case 'POST commits': {
      const { message, tree: treeSha, parents } = r.json as { message: string; tree: string; parents: string[] };
      if (!repo.git.read(treeSha, 'tree') || parents.some((p) => !repo.git.commit(p)))
        return problem(422, 'Tree SHA does not exist');
      const author = r.bearer.kind === 'user' ? r.bearer.user.login : 'gatehouse[bot]';
      const sha = repo.git.writeCommit({ tree: treeSha, parents, message, author, at: r.world.now() });
      return { status: 201, json: { sha, tree: { sha: treeSha }, message } };
    }
    default:
      return problem(404, 'Not Found');
  }
}

function commits(r: RepoRequest, ref: string): Said {
  const { repository: repo } = r;
  if (ref === '') {
    const from = resolve(repo, r.query.get('sha') ?? repo.defaultBranch);
    if (from === undefined) return problem(404, 'Not Found');
    const path = r.query.get('path');
    const touches = (sha: string): boolean =>
      shownDiff(repo, repo.git.commit(sha)?.parents[0], sha).some((f) =>
        [f.filename, f.previous_filename].some((n) => n === path || n?.startsWith(`${path}/`)),
      );
    const all = history(repo, from).filter((s) => path === null || path === '' || touches(s));
    return paged(all, r.query, `${r.base}/repos/${repo.owner}/${repo.name}/commits`, (p) =>
      p.map((s) => shownCommit(repo, s)),
    );
  }
  const sha = resolve(repo, ref);
  if (sha === undefined) return problem(422, `No commit found for SHA: ${ref}`);
  if (r.accept.includes('application/vnd.github.sha'))
    return { headers: { 'content-type': 'application/vnd.github.sha; charset=utf-8' }, text: sha };
  const files = shownDiff(repo, repo.git.commit(sha)?.parents[0], sha);
  return paged(files, r.query, `${r.base}/repos/${repo.owner}/${repo.name}/commits/${sha}`, (page) => ({
    ...shownCommit(repo, sha),
    stats: { total: files.reduce((n, f) => n + f.changes, 0) },
    files: page.map((f) => ({
      ...f,
      raw_url: `https://github.com/${repo.owner}/${repo.name}/raw/${sha}/${encodeURIComponent(f.filename)}`,
      contents_url: `${r.base}/repos/${repo.owner}/${repo.name}/contents/${encodeURIComponent(f.filename)}?ref=${sha}`,
    })),
  }));
}

function tree(r: RepoRequest, of: string): Said {
  const { git } = r.repository;
  const commit = resolve(r.repository, of);
  const sha = commit === undefined ? of : (git.commit(commit)?.tree ?? '');
  if (!git.read(sha, 'tree')) return problem(404, 'Not Found');
  const show = (prefix: string, e: GitEntry): object => ({
    path: prefix + e.name,
    mode: e.mode,
    type: e.mode === '040000' ? 'tree' : e.mode === '160000' ? 'commit' : 'blob',
    sha: e.sha,
    ...(e.mode === '040000' || e.mode === '160000'
      ? {}
      : { size: git.read(e.sha, 'blob')?.length, url: `${r.base}/repos/x/git/blobs/${e.sha}` }),
  });
  const walk = (at: string, prefix: string): object[] =>
    git
      .tree(at)
      .flatMap((e) => [
        show(prefix, e),
        ...(r.query.has('recursive') && e.mode === '040000' ? walk(e.sha, `${prefix}${e.name}/`) : []),
      ]);
  const all = walk(sha, '');
  return { json: { sha, tree: all.slice(0, 100_000), truncated: all.length > 100_000 } };
}

function makeTree(r: RepoRequest): Said {
  const { git } = r.repository;
  const { base_tree, tree: entries } = r.json as {
    base_tree?: string;
    tree: { path: string; mode: GitEntry['mode']; content?: string; sha?: string | null }[];
  };
  if (base_tree !== undefined && !git.read(base_tree, 'tree')) return problem(404, 'Not Found');
  const changes = new Map<string, Omit<GitEntry, 'name'> | null>();
  for (const e of entries) {
    if (e.path.split('/').some((n) => n === '' || n === '.' || n === '..' || /^\.git$/i.test(n)))
      return problem(422, 'tree.path contains a malformed path component');
    if (e.path.startsWith('.github/workflows/') && r.bearer.permissions['workflows'] !== 'write')
      return problem(403, 'Resource not accessible by integration');
    if (e.sha === null) {
      if (base_tree === undefined || !git.files(base_tree).has(e.path)) return problem(422, 'GitRPC::BadObjectState');
      changes.set(e.path, null);
    } else changes.set(e.path, { mode: e.mode, sha: e.sha ?? git.write('blob', Buffer.from(e.content ?? '')) });
  }
  return { status: 201, json: { sha: git.changed(base_tree, changes) } };
}

/** As GitHub does, this resolves a link to a file on its own and says nothing of it: why nothing of ours asks here. */
function contents(r: RepoRequest, path: string[]): Said {
  const { git } = r.repository;
  const commit = resolve(r.repository, r.query.get('ref') ?? r.repository.defaultBranch);
  const files = git.files(git.commit(commit ?? '')?.tree ?? '');
  let at = path.join('/');
  let found = files.get(at);
  if (found?.mode === '120000') {
    const target = new URL(git.read(found.sha, 'blob')?.toString() ?? '', `file:///${at}`).pathname.slice(1);
    found = files.get(target) ?? found;
    at = files.has(target) ? target : at;
  }
  if (!found) return problem(404, 'Not Found');
  const data = git.read(found.sha, 'blob');
  return {
    json: {
      type: 'file',
      path: path.join('/'),
      sha: found.sha,
      encoding: 'base64',
      content: data?.toString('base64'),
      download_url: `https://raw.githubusercontent.com/x/${at}?token=AAAA`,
    },
  };
}
