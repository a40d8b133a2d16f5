import type { Said } from '../vendor-server.ts';
import { lacks, paged, shownDiff, shownRepository, type RepoRequest } from './api.ts';
import { problem } from './tokens.ts';
import type { GitHubComment, GitHubIssue } from './world.ts';

const invalid = (field: string, code = 'missing_field'): Said =>
  problem(422, 'Validation Failed', [{ resource: 'Issue', field, code }]);

/** Issues and pull requests: docs.github.com/rest/issues and …/rest/pulls. */
export function issueApi(r: RepoRequest): Said | undefined {
  const [what, number, more] = r.rest;
  if (what !== 'issues' && what !== 'pulls') return undefined;
  const level = r.method === 'GET' ? 'read' : 'write';
  const merging = what === 'pulls' && more === 'merge';
  const permission = merging ? 'contents' : what === 'issues' ? 'issues' : 'pull_requests';
  // Comments on a pull request are comments on an issue, and either permission will do.
  const either = what === 'issues' && number !== undefined && !lacks(r, 'pull_requests', level);
  // Everybody who is signed in may write issues of public repositories; an app needs to be installed there.
  const outsider =
    r.bearer.kind === 'user' &&
    r.repository.visibility === 'public' &&
    what === 'issues' &&
    r.bearer.permissions['issues'] === 'write';
  const no = either || outsider ? undefined : lacks(r, permission, level);
  if (no) return no;
  const me = r.bearer.kind === 'user' ? r.bearer.user.login : 'gatehouse[bot]';
  if (number === undefined)
    return r.method === 'GET' ? list(r, what === 'pulls') : what === 'issues' ? openIssue(r, me) : openPull(r, me);
  const issue = r.repository.issues.find(
    (i) => String(i.number) === number && (what === 'issues' || i.pull !== undefined),
  );
  if (!issue) return problem(404, 'Not Found');
  return what === 'issues' ? oneIssue(r, issue, more, me) : onePull(r, issue, more);
}

const repoUrl = (r: RepoRequest): string => `${r.base}/repos/${r.repository.owner}/${r.repository.name}`;
const shownComment = (c: GitHubComment): object => ({
  id: c.id,
  user: { login: c.user },
  body: c.body,
  created_at: c.created_at,
  html_url: `https://github.com/comment/${c.id}`,
});

function shownIssue(r: RepoRequest, i: GitHubIssue): object {
  return {
    number: i.number,
    title: i.title,
    body: i.body,
    state: i.state,
    user: { login: i.user },
    labels: i.labels.map((name) => ({ name })),
    comments: i.comments.length,
    created_at: i.created_at,
    repository_url: repoUrl(r),
    html_url: `https://github.com/${r.repository.owner}/${r.repository.name}/issues/${i.number}`,
    ...(i.pull ? { pull_request: { url: `${repoUrl(r)}/pulls/${i.number}` } } : {}),
  };
}

function shownPull(r: RepoRequest, i: GitHubIssue): object {
  const { pull: p } = i;
  if (!p) return {};
  return {
    ...shownIssue(r, i),
    draft: p.draft,
    merged: p.merged,
    changed_files: shownDiff(r.repository, p.base.sha, p.head.sha).length,
    head: { ref: p.head.ref, sha: p.head.sha, repo: shownRepository(p.head.repository, r.base) },
    base: { ref: p.base.ref, sha: p.base.sha, repo: shownRepository(r.repository, r.base) },
  };
}

function list(r: RepoRequest, pulls: boolean): Said {
  const state = r.query.get('state') ?? 'open';
  const labels = (r.query.get('labels') ?? '').split(',').filter((l) => l !== '');
  const all = r.repository.issues
    .filter(
      (i) => (!pulls || i.pull) && (state === 'all' || i.state === state) && labels.every((l) => i.labels.includes(l)),
    )
    .toReversed();
  return paged(all, r.query, `${repoUrl(r)}/${pulls ? 'pulls' : 'issues'}`, (p) =>
    p.map((i) => (pulls ? shownPull(r, i) : shownIssue(r, i))),
  );
}

function openIssue(r: RepoRequest, me: string): Said {
  const { title, body, labels } = r.json;
  if (typeof title !== 'string' || title === '') return invalid('title');
  const issue = r.world.issue(r.repository, me, title, typeof body === 'string' ? body : '');
  if (Array.isArray(labels)) issue.labels.push(...labels.map(String));
  return { status: 201, json: shownIssue(r, issue) };
}

function openPull(r: RepoRequest, me: string): Said {
  const { title, body, head, base, draft } = r.json;
  const { branches } = r.repository;
  if (typeof title !== 'string' || title === '') return invalid('title');
  if (typeof head !== 'string' || !branches.has(head)) return invalid('head', 'invalid');
  if (typeof base !== 'string' || !branches.has(base)) return invalid('base', 'invalid');
  if (branches.get(head) === branches.get(base))
    return problem(422, 'Validation Failed', [{ message: `No commits between ${base} and ${head}` }]);
  const made = r.world.pull(r.repository, me, title, head, base, typeof body === 'string' ? body : '', draft === true);
  return { status: 201, json: shownPull(r, made) };
}

function oneIssue(r: RepoRequest, issue: GitHubIssue, more: string | undefined, me: string): Said {
  if (more === undefined && r.method === 'GET') return { json: shownIssue(r, issue) };
  if (more !== 'comments') return problem(404, 'Not Found');
  if (r.method === 'GET')
    return paged(issue.comments, r.query, `${repoUrl(r)}/issues/${issue.number}/comments`, (p) => p.map(shownComment));
  const { body } = r.json;
  if (typeof body !== 'string' || body === '') return invalid('body');
  return { status: 201, json: shownComment(r.world.comment(issue, me, body)) };
}

function onePull(r: RepoRequest, issue: GitHubIssue, more: string | undefined): Said {
  const { pull } = issue;
  if (!pull) return problem(404, 'Not Found');
  const at = `${repoUrl(r)}/pulls/${issue.number}`;
  // What is pushed to its branch is in it at once.
  if (!pull.merged) pull.head.sha = pull.head.repository.branches.get(pull.head.ref) ?? pull.head.sha;
  switch (`${r.method} ${more ?? ''}`) {
    case 'GET ':
      return { json: shownPull(r, issue) };
    case 'GET files':
      return paged(shownDiff(r.repository, pull.base.sha, pull.head.sha), r.query, `${at}/files`);
    case 'GET reviews':
      return paged(pull.reviews, r.query, `${at}/reviews`, (p) => p.map((v) => ({ ...v, user: { login: v.user } })));
    case 'GET comments':
      return paged(pull.lineComments, r.query, `${at}/comments`, (p) =>
        p.map((c) => ({ ...c, user: { login: c.user } })),
      );
    case 'PUT merge': {
      if (pull.merged || issue.state === 'closed' || pull.draft) return problem(405, 'Pull Request is not mergeable');
      if (r.json['sha'] !== undefined && r.json['sha'] !== pull.head.sha)
        return problem(409, 'Head branch was modified. Review and try the merge again.');
      const { git, branches } = r.repository;
      const tip = branches.get(pull.base.ref) ?? '';
      const changes = new Map(
        shownDiff(r.repository, pull.base.sha, pull.head.sha).flatMap((f) => {
          const entry = git.files(git.commit(pull.head.sha)?.tree ?? '').get(f.filename) ?? null;
          return [
            [f.filename, entry] as const,
            ...(f.previous_filename === undefined ? [] : [[f.previous_filename, null] as const]),
          ];
        }),
      );
      const tree = git.changed(git.commit(tip)?.tree, changes);
      const author = r.bearer.kind === 'user' ? r.bearer.user.login : 'gatehouse[bot]';
      const sha = git.writeCommit({
        tree,
        parents: [tip, pull.head.sha],
        message: `Merge pull request #${issue.number}`,
        author,
        at: r.world.now(),
      });
      branches.set(pull.base.ref, sha);
      pull.merged = true;
      issue.state = 'closed';
      return { json: { sha, merged: true, message: 'Pull Request successfully merged' } };
    }
    default:
      return problem(404, 'Not Found');
  }
}
