import { z } from 'zod';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { segment } from '../../kit/vendor-path.ts';
import { changeFacts, ChangedFiles, changeLines, shownChanges, withheldLine } from './changed-files.ts';
import { admittedPath, checkedRef, commitOf, PathArg, RefArg, withheld as refusal } from './git-walk.ts';
import { ask, nextPage } from './github-api.ts';
import { oneLine, quoted } from './lines.ts';
import { nextFact, nextLine, PageArg } from './paging.ts';
import { isWithheld } from './path-rule.ts';
import { openRepository, RepositoryArg } from './repository.ts';

const Commit = z.looseObject({
  sha: z.string(),
  commit: z.looseObject({
    message: z.string(),
    author: z.looseObject({ name: z.string().optional(), date: z.string().optional() }).nullish(),
  }),
  files: ChangedFiles.optional(),
});
const headline = (c: z.output<typeof Commit>): string =>
  `${c.sha} ${c.commit.author?.date ?? ''} ${oneLine(c.commit.author?.name)}: ${oneLine(c.commit.message.split('\n')[0])}`;

export const listCommits = builtinTool({
  name: 'list_commits',
  title: 'List commits',
  description: 'Lists commits of a branch, newest first, 50 on a page; of one file or folder if a path is given.',
  input: z.strictObject({ repository: RepositoryArg, ref: RefArg, path: PathArg.optional(), page: PageArg }),
  class: 'read',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'path', at: '/path' },
  ],
  scopes: [],
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'read' });
    const path = a.path === undefined ? undefined : admittedPath(r, a.path);
    if (path !== undefined && path !== '' && isWithheld(r.limits.paths, path)) throw refusal();
    const answer = await ask(r.vendor, {
      method: 'GET',
      path: `${r.at}/commits`,
      query: { sha: await commitOf(r, a.ref), path, per_page: 50, page: a.page },
    });
    const commits = z.array(Commit).parse(answer.json());
    const next = nextPage(answer);
    return textAnswer(
      [
        ...commits.map(headline),
        ...(commits.length === 0 ? ['There is no such commit on this page.'] : []),
        ...nextLine(next),
      ],
      {
        repository: r.full,
        commits: commits.map((c) => c.sha),
        ...nextFact(next),
      },
    );
  },
});

export const getCommit = builtinTool({
  name: 'get_commit',
  title: 'Read a commit',
  description:
    "Shows a commit's message and what it changed, up to 100 files on a page. Changes of files that are withheld by the organization's rules are left out and counted.",
  input: z.strictObject({ repository: RepositoryArg, ref: RefArg, page: PageArg }),
  class: 'read',
  projection: [{ kind: 'repository', at: '/repository' }],
  scopes: [],
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'read' });
    const sha = await commitOf(r, a.ref);
    const answer = await ask(r.vendor, {
      method: 'GET',
      path: `${r.at}/commits/${segment(sha)}`,
      query: { per_page: 100, page: a.page },
      maxBytes: 16 * 1024 * 1024,
    });
    const commit = Commit.parse(answer.json());
    const { shown, withheld } = shownChanges(r.limits, commit.files ?? []);
    const next = nextPage(answer);
    return textAnswer(
      [
        headline(commit),
        ...quoted(commit.commit.message.split('\n').slice(1).join('\n').trim()),
        ...withheldLine(withheld),
        ...changeLines(shown),
        ...nextLine(next),
      ],
      {
        repository: r.full,
        commit: commit.sha,
        files: changeFacts(shown),
        withheld,
        ...nextFact(next),
      },
    );
  },
});

const Comparison = z.looseObject({
  status: z.string(),
  ahead_by: z.number(),
  behind_by: z.number(),
  commits: z.array(Commit),
  files: ChangedFiles.optional(),
});

export const compare = builtinTool({
  name: 'compare_commits',
  title: 'Compare',
  description:
    "Shows what a branch, tag or commit has that another has not: commits and changed files (at most 300). Changes of files that are withheld by the organization's rules are left out and counted.",
  input: z.strictObject({
    repository: RepositoryArg,
    base: z.string().max(250).describe('A branch, a tag or the SHA of a commit'),
    head: z.string().max(250).describe('A branch, a tag or the SHA of a commit, of the same repository'),
  }),
  class: 'read',
  projection: [{ kind: 'repository', at: '/repository' }],
  scopes: [],
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'read' });
    // As commits, because `owner:branch` in a comparison is another repository and `...` between names is not to be mistaken.
    const base = await commitOf(r, checkedRef(a.base));
    const head = await commitOf(r, checkedRef(a.head));
    const answer = await ask(r.vendor, {
      method: 'GET',
      path: `${r.at}/compare/${base}...${head}`,
      maxBytes: 16 * 1024 * 1024,
    });
    const c = Comparison.parse(answer.json());
    const { shown, withheld } = shownChanges(r.limits, c.files ?? []);
    return textAnswer(
      [
        `${a.head} is ${c.ahead_by} commits ahead of ${a.base} and ${c.behind_by} behind`,
        ...c.commits.map(headline),
        ...withheldLine(withheld),
        ...changeLines(shown),
      ],
      { repository: r.full, base, head, files: changeFacts(shown), withheld },
    );
  },
});
