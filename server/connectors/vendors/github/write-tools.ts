import { z } from 'zod';
import { KiB, MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { segments } from '../../kit/vendor-path.ts';
import { ChangedFiles } from './changed-files.ts';
import { isGuardedBy, planTree, type FileChange } from './commit-plan.ts';
import { checkedRef, commitOf, notThere, PathArg, RefArg, rootOf } from './git-walk.ts';
import { ask } from './github-api.ts';
import { BodyArg, NumberArg, outgoing, TitleArg } from './issue-tools.ts';
import { isWithheld } from './path-rule.ts';
import { filesOf, findPull } from './pull-tools.ts';
import { mayWrite, openRepository, RepositoryArg, type OpenRepository } from './repository.ts';

const BranchArg = z.string().min(1).max(250).describe('The name of a branch of the same repository');
/** More is a change that no person looks at. */
const MAX_FILES = 50;
const Ref = z.looseObject({ ref: z.string(), object: z.looseObject({ sha: z.string(), type: z.string() }) });

export const createBranch = builtinTool({
  name: 'create_branch',
  title: 'Create a branch',
  description:
    'Creates a branch at a branch, tag or commit. In public repositories this is refused unless an administrator allows it.',
  input: z.strictObject({ repository: RepositoryArg, branch: BranchArg, from: RefArg }),
  class: 'write',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'text', at: '/branch' },
  ],
  scopes: [],
  brings: [],
  outward: true,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'write' });
    mayWrite(r);
    const branch = checkedRef(a.branch);
    const sha = await commitOf(r, a.from);
    await admitStart(r, sha);
    const answer = await ask(r.vendor, {
      method: 'POST',
      path: `${r.at}/git/refs`,
      json: { ref: `refs/heads/${branch}`, sha },
    });
    const made = Ref.parse(answer.json());
    return textAnswer([`Made ${branch} at ${made.object.sha} in ${r.full}`], {
      repository: r.full,
      branch,
      commit: made.object.sha,
    });
  },
});

/** GitHub shows no more files of a comparison than that. */
const MAX_COMPARED = 300;

/**
 * INVARIANT (no workflow by a branch): GitHub keeps the commits of forks with those of the repository, and a branch at one of them runs its
 * workflows as ours. So what a branch begins with beyond the default branch may change no more than commit_files could.
 */
async function admitStart(r: OpenRepository, sha: string): Promise<void> {
  const base = await commitOf(r, r.defaultBranch);
  const answer = await ask(r.vendor, { method: 'GET', path: `${r.at}/compare/${base}...${sha}`, maxBytes: 16 * MiB });
  const { ahead_by, files = [] } = z
    .looseObject({ ahead_by: z.number(), files: ChangedFiles.optional() })
    .parse(answer.json());
  if (ahead_by === 0) return;
  if (files.length < MAX_COMPARED && !namesOf(files).some((n) => isWithheld(r.limits.paths, n) || isGuardedBy(r, n)))
    return;
  throw new Problem('forbidden', 'connectors/github-branch-start', {
    says: 'that commit has changes beyond the default branch that this connector may not make, or more than can be looked at',
    fix: 'begin at the default branch, or make the branch at GitHub',
  });
}

/** All names that changes are about. */
const namesOf = (files: z.output<typeof ChangedFiles>): string[] =>
  files.flatMap((f) => [f.filename, ...(f.previous_filename === undefined ? [] : [f.previous_filename])]);

async function headOf(r: OpenRepository, branch: string): Promise<string> {
  const answer = await ask(r.vendor, { method: 'GET', path: `${r.at}/git/ref/heads/${segments(branch)}` });
  const ref = Ref.parse(answer.json());
  if (ref.ref !== `refs/heads/${branch}`) throw notThere('such branch');
  return ref.object.sha;
}

export const commitFiles = builtinTool({
  name: 'commit_files',
  title: 'Commit files',
  description: `Commits new texts of up to ${MAX_FILES} files, or their removal, to a branch in one commit. Not to the default branch: make a branch with create_branch and open a pull request. Files that are withheld by the organization's rules cannot be written.`,
  input: z.strictObject({
    repository: RepositoryArg,
    branch: BranchArg,
    message: z.string().min(1).max(5000),
    files: z
      .array(
        z.strictObject({
          path: PathArg.min(1),
          content: z
            .string()
            .max(512 * KiB)
            .optional()
            .describe('The whole new text; left out: the file is removed'),
        }),
      )
      .min(1)
      .max(MAX_FILES),
    expected_head: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .optional()
      .describe('SHA of the commit that the branch has to be at; refused if it is not'),
  }),
  class: 'write',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'path', at: '/files/*/path' },
    { kind: 'text', at: '/message' },
  ],
  scopes: [],
  brings: [],
  outward: true,
  async run(call, a) {
    const r = await openRepository(call, a.repository, {
      contents: 'write',
      ...workflows(call.settings['guarded_writes'], a.files),
    });
    mayWrite(r);
    const branch = checkedRef(a.branch);
    if (branch === r.defaultBranch)
      throw new Problem('forbidden', 'connectors/github-default-branch', {
        says: `${branch} is the default branch of ${r.full}, and nothing is committed to it directly`,
        fix: 'make a branch with create_branch, commit there and open a pull request',
      });
    const head = await headOf(r, branch);
    if (a.expected_head !== undefined && a.expected_head !== head)
      throw new Problem('conflict', 'connectors/github-head', {
        says: `${branch} is at ${head} and not where it was expected`,
        fix: 'read what was committed there meanwhile, and try again',
      });
    const root = await rootOf(r, head);
    const entries = await planTree(r, head, a.files);
    const tree = await ask(r.vendor, {
      method: 'POST',
      path: `${r.at}/git/trees`,
      json: { base_tree: root, tree: entries },
    });
    const made = await ask(r.vendor, {
      method: 'POST',
      path: `${r.at}/git/commits`,
      json: { message: a.message, tree: Sha.parse(tree.json()).sha, parents: [head] },
    });
    const { sha } = Sha.parse(made.json());
    // Not by force: if somebody was faster, GitHub refuses and nothing of theirs is lost.
    await ask(r.vendor, {
      method: 'PATCH',
      path: `${r.at}/git/refs/heads/${segments(branch)}`,
      json: { sha, force: false },
    });
    return textAnswer(
      [`Committed ${a.files.length} ${a.files.length === 1 ? 'file' : 'files'} to ${branch} of ${r.full}: ${sha}`],
      { repository: r.full, branch, commit: sha },
    );
  },
});
const Sha = z.looseObject({ sha: z.string() });

/** GitHub wants a permission of its own for workflows; it is asked for only where a call changes one and an administrator lets it. */
const workflows = (setting: unknown, files: readonly FileChange[]): { workflows?: 'write' } =>
  setting === 'allow' && files.some((f) => /^\/*\.github\/workflows\//.test(f.path)) ? { workflows: 'write' } : {};

export const openPullRequest = builtinTool({
  name: 'open_pull_request',
  title: 'Open a pull request',
  description:
    'Opens a pull request between two branches of one repository. In public repositories this is refused unless an administrator allows it.',
  input: z.strictObject({
    repository: RepositoryArg,
    title: TitleArg,
    body: BodyArg.default(''),
    head: BranchArg.describe('The branch with the changes'),
    base: BranchArg.optional().describe('The branch to merge into; left out: the default branch'),
    draft: z.boolean().default(false),
  }),
  class: 'write',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'text', at: '/title' },
    { kind: 'text', at: '/body' },
  ],
  scopes: [],
  brings: [],
  outward: true,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { pull_requests: 'write' });
    mayWrite(r);
    // `owner:branch` would be a branch of another repository.
    const answer = await ask(r.vendor, {
      method: 'POST',
      path: `${r.at}/pulls`,
      json: {
        title: a.title,
        body: outgoing(a.body),
        head: checkedRef(a.head),
        base: checkedRef(a.base ?? r.defaultBranch),
        draft: a.draft,
      },
    });
    const made = z.looseObject({ number: z.number(), html_url: z.string() }).parse(answer.json());
    return textAnswer([`Opened #${made.number} in ${r.full}: ${made.html_url}`], {
      repository: r.full,
      number: made.number,
      url: made.html_url,
    });
  },
});

/** GitHub shows no more files of a pull request than that; what cannot be looked at is not merged. */
const MAX_PULL_FILES = 3000;

export const mergePullRequest = builtinTool({
  name: 'merge_pull_request',
  title: 'Merge a pull request',
  description:
    'Merges a pull request as it was read: head_sha is the SHA that get_pull_request shows, and if something was pushed since, nothing is merged. Refused where it changes files that are withheld or guarded by the organization.',
  input: z.strictObject({
    repository: RepositoryArg,
    number: NumberArg,
    head_sha: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .describe('The head that was looked at'),
    method: z.enum(['merge', 'squash', 'rebase']).default('merge'),
  }),
  class: 'destructive',
  projection: [{ kind: 'repository', at: '/repository' }],
  scopes: [],
  brings: [],
  outward: true,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'write', pull_requests: 'read' });
    mayWrite(r);
    const pull = await findPull(r, a.number);
    if (pull.state !== 'open' || pull.head.sha !== a.head_sha)
      throw new Problem('conflict', 'connectors/github-head', {
        says:
          pull.state === 'open'
            ? `#${a.number} is at ${pull.head.sha} and not where it was expected`
            : `#${a.number} is ${pull.state}`,
        fix: 'read the pull request as it is now',
      });
    await admitMerge(r, a.number, pull.changed_files ?? 0);
    const answer = await ask(r.vendor, {
      method: 'PUT',
      path: `${r.at}/pulls/${a.number}/merge`,
      json: { sha: a.head_sha, merge_method: a.method },
    });
    const made = z.looseObject({ sha: z.string() }).parse(answer.json());
    return textAnswer([`Merged #${a.number} of ${r.full}: ${made.sha}`], {
      repository: r.full,
      number: a.number,
      commit: made.sha,
    });
  },
});

/** What could not be committed cannot be brought in by a merge either. */
async function admitMerge(r: OpenRepository, number: number, count: number): Promise<void> {
  let page: number | undefined = count > MAX_PULL_FILES ? undefined : 1;
  let looked = 0;
  while (page !== undefined) {
    const { files, next } = await filesOf(r, number, page);
    looked += files.length;
    if (namesOf(files).some((n) => isWithheld(r.limits.paths, n) || isGuardedBy(r, n)))
      throw new Problem('forbidden', 'connectors/github-merge', {
        says: `#${number} changes files that this connector may not change`,
        fix: 'merge it at GitHub, where who may do that is looked after',
      });
    page = next;
  }
  if (looked < count)
    throw new Problem('forbidden', 'connectors/github-merge-size', {
      says: `#${number} changes ${count} files, and GitHub shows ${looked} of them`,
      fix: 'merge it at GitHub',
    });
}
