import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { GitStore, type Content } from './git-store.ts';

export type GitHubUser = { id: number; login: string; email: string | null; orgs: string[] };
export type GitHubComment = { id: number; user: string; body: string; created_at: string };
export type LineComment = GitHubComment & { path: string; line: number; diff_hunk: string };
export type GitHubIssue = {
  number: number;
  title: string;
  body: string;
  user: string;
  state: 'open' | 'closed';
  labels: string[];
  created_at: string;
  comments: GitHubComment[];
  pull?: GitHubPull;
};
export type GitHubPull = {
  head: { repository: GitHubRepository; ref: string; sha: string };
  base: { ref: string; sha: string };
  draft: boolean;
  merged: boolean;
  reviews: { user: string; body: string; state: string; submitted_at: string }[];
  lineComments: LineComment[];
};
export type GitHubRepository = {
  id: number;
  owner: string;
  name: string;
  visibility: 'public' | 'private' | 'internal';
  description: string;
  defaultBranch: string;
  archived: boolean;
  branches: Map<string, string>;
  git: GitStore;
  issues: GitHubIssue[];
  /** Names that it had: asking for one of them leads here. */
  formerly: string[];
};

/** Permissions that the app was given when it was installed. */
export type AppPermissions = Record<string, 'read' | 'write'>;

/** What there is at the stand-in: people, organizations, repositories with real objects of git. Tests change it as its users would. */
export class GitHubWorld {
  users: GitHubUser[] = [
    { id: 1001, login: 'ada', email: 'ada@acme.example', orgs: ['acme'] },
    { id: 1002, login: 'bob', email: null, orgs: ['acme'] },
    { id: 2001, login: 'mallory', email: 'mallory@evil.example', orgs: ['evilcorp'] },
    { id: 3001, login: 'pat', email: 'pat@mail.example', orgs: [] },
  ];
  orgs = [
    { id: 9001, login: 'acme' },
    { id: 9002, login: 'evilcorp' },
  ];
  repositories: GitHubRepository[] = [];
  app = {
    id: 424242,
    clientId: 'Iv23liStandInAcme',
    clientSecret: randomBytes(20).toString('hex'),
    /** `oauth_app`: its tokens have scopes and no end. */
    kind: 'github_app' as 'github_app' | 'oauth_app',
    /** User tokens end after eight hours; the owner of an app can opt out. */
    expiringTokens: true,
    key: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  installation = {
    id: 55_001_001,
    account: 'acme',
    permissions: { metadata: 'read', contents: 'write', issues: 'write', pull_requests: 'write' } as AppPermissions,
    /** Undefined: all of the account's repositories. */
    repositories: undefined as string[] | undefined,
    suspended: false,
  };
  /** Whether the search knows `-filename:` and the like; a search that does not is an awkward day. */
  searchKnowsExclusions = true;
  skewMs = 0;
  #nextId = 7000;

  now = (): Date => new Date(Date.now() + this.skewMs);

  constructor() {
    const site = this.addRepository('acme', 'website', 'private', 'The website');
    this.commit(site, 'main', 'Begin', {
      'README.md': '# Website\n\nRun `npm start`.\n',
      'src/index.ts': 'export const greeting = "hello";\nexport const port = 8080;\n',
      'src/server/app.ts': 'import { greeting } from "../index.ts";\nconsole.log(greeting);\n',
      '.env': 'DATABASE_PASSWORD=tr0ub4dor-main\n',
      '.env.example': 'DATABASE_PASSWORD=\n',
      'config/.env.production': 'DATABASE_PASSWORD=tr0ub4dor-production\n',
      'config/app.json': '{"name":"website"}\n',
      'certs/tls.pem': '-----BEGIN PRIVATE KEY-----\nMIIEtr0ub4dor\n-----END PRIVATE KEY-----\n',
      'links/env': { link: '../.env' },
      'links/config': { link: '../config' },
      'links/readme': { link: '../README.md' },
      'links/out': { link: '../../../etc/passwd' },
      'links/root': { link: '/etc/passwd' },
      'links/loop-a': { link: 'loop-b' },
      'links/loop-b': { link: 'loop-a' },
      'vendor/lib': { submodule: '4b825dc642cb6eb9a060e54bf8d69288fbee4904' },
      '.github/workflows/ci.yml': 'on: push\n',
      'bin/run.sh': { executable: '#!/bin/sh\n' },
    });
    const handbook = this.addRepository('acme', 'handbook', 'private', 'Salaries and plans');
    this.commit(handbook, 'main', 'Begin', { 'salaries.md': 'Ada earns 123456\n' });
    const tools = this.addRepository('acme', 'internal-tools', 'internal', 'For all of the enterprise');
    this.commit(tools, 'main', 'Begin', { 'README.md': 'Tools\n' });
    const open = this.addRepository('acme', 'public-docs', 'public', 'Documentation');
    this.commit(open, 'main', 'Begin', { 'README.md': 'Docs\n' });
    const evil = this.addRepository('evilcorp', 'toolbox', 'public', 'Nothing to see');
    this.commit(evil, 'main', 'Begin', { 'README.md': 'Tools\n' });
  }

  addRepository(
    owner: string,
    name: string,
    visibility: GitHubRepository['visibility'],
    description = '',
  ): GitHubRepository {
    const r: GitHubRepository = {
      id: ++this.#nextId,
      owner,
      name,
      visibility,
      description,
      defaultBranch: 'main',
      archived: false,
      branches: new Map(),
      git: new GitStore(),
      issues: [],
      formerly: [],
    };
    this.repositories.push(r);
    return r;
  }

  repository(full: string): GitHubRepository {
    const r = this.repositories.find((x) => `${x.owner}/${x.name}`.toLowerCase() === full.toLowerCase());
    if (!r) throw new Error(`no repository ${full}`);
    return r;
  }

  /** A commit on a branch, which is made where there is none. */
  commit(
    r: GitHubRepository,
    branch: string,
    message: string,
    files: Readonly<Record<string, Content>>,
    author = 'ada',
  ): string {
    const parent = r.branches.get(branch) ?? r.branches.get(r.defaultBranch);
    const before = parent === undefined ? undefined : r.git.commit(parent)?.tree;
    const changes = new Map(Object.entries(files).map(([p, c]) => [p, r.git.entryOf(c)]));
    const tree = r.git.changed(before, changes);
    const sha = r.git.writeCommit({
      tree,
      parents: parent === undefined ? [] : [parent],
      message,
      author,
      at: this.now(),
    });
    r.branches.set(branch, sha);
    return sha;
  }

  issue(r: GitHubRepository, user: string, title: string, body: string): GitHubIssue {
    const issue: GitHubIssue = {
      number: r.issues.length + 1,
      title,
      body,
      user,
      state: 'open',
      labels: [],
      created_at: this.now().toISOString(),
      comments: [],
    };
    r.issues.push(issue);
    return issue;
  }

  pull(
    r: GitHubRepository,
    user: string,
    title: string,
    head: string,
    base = r.defaultBranch,
    body = '',
    draft = false,
  ): GitHubIssue & { pull: GitHubPull } {
    const from = r.branches.get(head);
    const to = r.branches.get(base);
    if (from === undefined || to === undefined) throw new Error(`no branch ${head} or ${base}`);
    const pull: GitHubPull = {
      head: { repository: r, ref: head, sha: from },
      base: { ref: base, sha: to },
      draft,
      merged: false,
      reviews: [],
      lineComments: [],
    };
    return Object.assign(this.issue(r, user, title, body), { pull });
  }

  comment(issue: GitHubIssue, user: string, body: string): GitHubComment {
    const c = { id: ++this.#nextId, user, body, created_at: this.now().toISOString() };
    issue.comments.push(c);
    return c;
  }
}
