import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docx } from '#dev/office-files.ts';
import { githubHouse } from '#dev/github-house.ts';
import type { Fault, SeenRequest } from '#dev/vendors/vendor-stand-in.ts';
import { Problem } from '#kernel/problem.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { nextPage } from './github-api.ts';
import { github } from './manifest.ts';

const site = 'acme/website';
const code = (wanted: string) => (e: unknown) => e instanceof Problem && e.code === wanted;
const refusal = (status: number, says: RegExp) => (e: unknown) =>
  e instanceof VendorRefusal && e.status === status && says.test(e.says);

test('a repository that is not on the list is touched by no tool, and the vendor is not asked', async (t) => {
  const h = await githubHouse(t);
  await h.as();
  const before = h.hub.seen.length;
  const minimal: Record<string, object> = {
    search_code: { repositories: ['evilcorp/toolbox'], query: 'x' },
    list_tree: {},
    read_file: { path: 'README.md' },
    list_issues: {},
    get_issue: { number: 1 },
    list_pull_requests: {},
    get_pull_request: { number: 1 },
    get_pull_request_diff: { number: 1 },
    list_commits: {},
    get_commit: {},
    compare_commits: { base: 'a', head: 'b' },
    create_issue: { title: 'x' },
    comment: { number: 1, body: 'x' },
    create_branch: { branch: 'x' },
    commit_files: { branch: 'x', message: 'x', files: [{ path: 'x', content: 'x' }] },
    open_pull_request: { title: 'x', head: 'x' },
    merge_pull_request: { number: 1, head_sha: 'a'.repeat(40) },
  };
  for (const tool of github.builtin?.tools ?? []) {
    if (tool.name === 'list_repositories') continue;
    const args =
      tool.name === 'search_code' ? minimal['search_code'] : { repository: 'evilcorp/toolbox', ...minimal[tool.name] };
    await assert.rejects(h.call(tool.name, args ?? {}), code('connectors/github-repository'), tool.name);
  }
  assert.equal(h.hub.seen.length, before);
});

test('until repositories are named, none may be touched, and none is shown', async (t) => {
  const h = await githubHouse(t);
  await assert.rejects(
    h.call('list_tree', { repository: site }, { settings: { repositories: [] } }),
    code('connectors/github-repository'),
  );
  assert.match(
    (await h.call('list_repositories', {}, { settings: { repositories: [] } })).text,
    /No repository on this page/,
  );
});

test('a repository that was renamed or moved is not followed, not even to one on the list', async (t) => {
  const h = await githubHouse(t);
  h.hub.world.repository('acme/handbook').formerly.push('acme/old-name');
  h.hub.world.repository('evilcorp/toolbox').formerly.push('acme/gone');
  for (const repository of ['acme/old-name', 'acme/gone'])
    for (const [tool, args] of [
      ['list_tree', {}],
      ['create_issue', { title: 'x' }],
    ] as const)
      await assert.rejects(h.call(tool, { repository, ...args }), code('connectors/github-moved'));
  assert.equal(
    h.hub.seen.some((r) => r.path.startsWith('/repositories/')),
    false,
  );
});

test('a repository that answers to another name than the one asked for is not taken', async (t) => {
  const h = await githubHouse(t);
  const other = { full_name: 'acme/handbook', private: true, default_branch: 'main' };
  h.hub.fault = (r) => (r.path === '/repos/acme/website' ? { status: 200, body: other } : undefined);
  await assert.rejects(h.call('list_tree', { repository: site }), code('connectors/github-moved'));
});

test('an answer about another repository than the one asked for is not taken', async (t) => {
  const h = await githubHouse(t);
  const { world } = h.hub;
  world.issue(world.repository(site), 'ada', 'mine', 'x');
  const foreign = {
    number: 1,
    title: 'stolen',
    body: 'salary',
    state: 'open',
    user: null,
    created_at: 'x',
    repository_url: `${h.hub.origins['api']}/repos/acme/handbook`,
    html_url: 'x',
  };
  h.hub.fault = (r: SeenRequest): Fault | undefined =>
    r.path.endsWith('/issues/1')
      ? { status: 200, body: foreign }
      : r.path.endsWith('/issues')
        ? { status: 200, body: [foreign] }
        : undefined;
  await assert.rejects(h.call('get_issue', { repository: site, number: 1 }), code('connectors/github-no-file'));
  assert.doesNotMatch((await h.call('list_issues', { repository: site })).text, /stolen/);
});

test('a query cannot widen a search, and what comes from elsewhere all the same is dropped', async (t) => {
  const h = await githubHouse(t);
  for (const query of [
    'x repo:acme/handbook',
    'x user:acme',
    'x -repo:acme/website',
    'x org:acme',
    'path:/ x',
    'x "unfinished',
    'REPO:acme/handbook x',
    'x\u0000y',
  ])
    await assert.rejects(
      h.call('search_code', { repositories: [site], query }),
      code('connectors/github-query'),
      query,
    );
  assert.match((await h.call('search_code', { repositories: [site], query: '"import { greeting }"' })).text, /app\.ts/);
  h.hub.fault = (r) =>
    r.path === '/search/code'
      ? {
          status: 200,
          body: {
            total_count: 1,
            incomplete_results: false,
            items: [
              {
                path: 'salaries.md',
                repository: { full_name: 'acme/handbook' },
                text_matches: [{ property: 'content', fragment: 'Ada earns' }],
              },
            ],
          },
        }
      : undefined;
  assert.doesNotMatch((await h.call('search_code', { repositories: [site], query: 'earns' })).text, /salaries|earns/);
});

test('long lists have pages, of which the number alone is taken from what the vendor says', async (t) => {
  const h = await githubHouse(t);
  const r = h.hub.world.repository(site);
  for (let i = 0; i < 120; i++) h.hub.world.issue(r, 'bob', `Issue ${i}`, '');
  const first = await h.call('list_issues', { repository: site });
  assert.match(first.text, /\(more: page 2\)/);
  const last = await h.call('list_issues', { repository: site, page: 3 });
  assert.match(last.text, /Issue 0 /);
  assert.doesNotMatch(last.text, /more: page/);
  const link = (value: string) =>
    nextPage({ status: 200, headers: new Headers({ link: value }), bytes: Buffer.alloc(0), json: () => undefined });
  assert.equal(link('<https://evil.example/x?page=2>; rel="next"'), 2);
  assert.equal(link('<https://evil.example/x?after=abc>; rel="next"'), undefined);
  assert.equal(link('<https://x/?page=9>; rel="last", <https://x/?page=4>; rel="next"'), 4);
  assert.equal(link('nonsense'), undefined);
});

test('a file that is binary or too large is said to be so, and a long one is cut with the line to go on', async (t) => {
  const h = await githubHouse(t);
  const r = h.hub.world.repository(site);
  h.hub.world.commit(r, 'main', 'Large', {
    'plan.docx': Buffer.from(docx([{ text: 'The plan' }])),
    'x.bin': Buffer.from([0, 1, 2]),
    'latin.txt': Buffer.from('caf\xe9', 'latin1'),
    'big.txt': 'x'.repeat(3 * 1024 * 1024),
    'long.txt': 'line of text\n'.repeat(20_000),
  });
  await assert.rejects(
    h.call('read_file', { repository: site, path: 'x.bin' }),
    code('connectors/content-unsupported'),
  );
  assert.match((await h.call('read_file', { repository: site, path: 'latin.txt' })).text, /^café/);
  const word = await h.call('read_file', { repository: site, path: 'plan.docx' });
  assert.match(word.text, /The plan/);
  assert.equal(word.structuredContent?.['read_as'], 'docx');
  await assert.rejects(h.call('read_file', { repository: site, path: 'big.txt' }), refusal(0, /3145728 bytes/));
  assert.match(
    (await h.call('read_file', { repository: site, path: 'long.txt' })).text,
    /go on with from_line 2001\)$/,
  );
});

for (const [what, fault, wanted] of [
  [
    'the primary limit',
    {
      status: 403,
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 3000),
        date: new Date().toUTCString(),
      },
      body: { message: 'API rate limit exceeded' },
    },
    refusal(403, /too many requests; it asks to wait \d{4} seconds/),
  ],
  [
    'the secondary limit',
    { status: 403, headers: { 'retry-after': '600' }, body: { message: 'You have exceeded a secondary rate limit.' } },
    refusal(403, /wait 600 seconds/),
  ],
  [
    'the secondary limit without a time',
    { status: 403, body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' } },
    refusal(403, /wait 60 seconds/),
  ],
  [
    '429',
    { status: 429, headers: { 'retry-after': '900' }, body: { message: 'slow down' } },
    refusal(429, /wait 900 seconds/),
  ],
  [
    'single sign-on',
    {
      status: 403,
      headers: { 'x-github-sso': 'required; url=https://github.com/orgs/acme/sso?x' },
      body: { message: 'Resource protected by organization SAML enforcement.' },
    },
    refusal(403, /single sign-on/),
  ],
  [
    'a form that does not fit',
    {
      status: 422,
      body: { message: 'Validation Failed', errors: [{ resource: 'Issue', field: 'title', code: 'missing_field' }] },
    },
    refusal(422, /Validation Failed; Issue title missing_field/),
  ],
] as const)
  test(`${what} is told in GitHub's terms`, async (t) => {
    const h = await githubHouse(t);
    await h.as();
    h.hub.fault = () => fault;
    await assert.rejects(h.call('list_tree', { repository: site }), wanted);
  });

test('a short wait that the secondary limit asks for is waited, and the call goes on', async (t) => {
  const h = await githubHouse(t);
  let times = 0;
  h.hub.fault = (r) =>
    r.path.endsWith('/issues') && times++ === 0
      ? { status: 403, headers: { 'retry-after': '0' }, body: { message: 'secondary rate limit' } }
      : undefined;
  assert.match((await h.call('list_issues', { repository: site })).text, /no such issue/);
});

test('the eleventh search in a minute is told when to try again', async (t) => {
  const h = await githubHouse(t);
  for (let i = 0; i < 10; i++) await h.call('search_code', { repositories: [site], query: 'hello' });
  await assert.rejects(
    h.call('search_code', { repositories: [site], query: 'hello' }),
    refusal(403, /too many requests; it asks to wait/),
  );
});

test('what the account may not see is not there', async (t) => {
  const h = await githubHouse(t);
  h.hub.visitor.account = 'mallory';
  await assert.rejects(
    h.call('list_tree', { repository: site }),
    refusal(404, /nothing there that this account may see/),
  );
});
