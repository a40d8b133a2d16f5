// Case 40: a withheld file by every way that GitHub has to its contents. The secret is one string, which must be in no answer. Longer than 300
// lines because the sub-cases are one list.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { githubHouse, type GitHubHouse } from '#dev/github-house.ts';
import { Problem } from '#kernel/problem.ts';

const SECRET = /tr0ub4dor/;
const site = 'acme/website';

const code = (wanted: string) => (e: unknown) =>
  e instanceof Problem && e.code === wanted && !SECRET.test(JSON.stringify([e.says, e.fix]));

/** Refused by the path rules, and no content was asked for. */
async function withheld(
  h: GitHubHouse,
  tool: string,
  args: object,
  o?: Parameters<GitHubHouse['call']>[2],
): Promise<void> {
  const before = h.hub.seen.length;
  await assert.rejects(h.call(tool, args, o), code('connectors/github-path'));
  assert.deepEqual(
    h.hub.seen.slice(before).filter((r) => /\/(?:contents|raw|zipball|tarball|archive)(?:\/|$)/.test(r.path)),
    [],
  );
}

async function house(t: TestContext): Promise<GitHubHouse & { blobOf(path: string): string }> {
  const h = await githubHouse(t);
  const r = h.hub.world.repository(site);
  return { ...h, blobOf: (path) => r.git.files(r.git.commit(r.branches.get('main')!)!.tree).get(path)!.sha };
}

test('case 40.1: .env by its path is withheld', async (t) => {
  const h = await house(t);
  await withheld(h, 'read_file', { repository: site, path: '.env' });
  await withheld(h, 'read_file', { repository: site, path: 'config/.env.production' });
  await withheld(h, 'read_file', { repository: site, path: 'certs/tls.pem' }, { actAs: 'organization' });
  assert.match((await h.call('read_file', { repository: site, path: '.env.example' })).text, /DATABASE_PASSWORD=$/m);
});

test('case 40.2: %2eenv, however often it is encoded, is withheld', async (t) => {
  const h = await house(t);
  for (const path of ['%2eenv', '%2Eenv', '%252eenv', '%25252eenv', 'config%2f.env.production', '%u002eenv', '.%65nv'])
    await withheld(h, 'read_file', { repository: site, path });
});

test('case 40.3: ./.env and every other way round is withheld', async (t) => {
  const h = await house(t);
  for (const path of [
    './.env',
    '//.env',
    'src/../.env',
    '/./.env',
    '.env/',
    'src/./../.env',
    '.\\.env',
    'src\\..\\.env',
  ])
    await withheld(h, 'read_file', { repository: site, path });
});

test('case 40.4: .ENV is withheld, and so is a file that really has that name', async (t) => {
  const h = await house(t);
  const r = h.hub.world.repository(site);
  h.hub.world.commit(r, 'main', 'Odd names', {
    '.ENV': 'tr0ub4dor',
    'Config/.Env.Local': 'tr0ub4dor',
    '\uff0eenv': 'tr0ub4dor',
    '.env ': 'tr0ub4dor',
    '.e\u200bnv': 'tr0ub4dor',
  });
  for (const path of ['.ENV', '.eNv', 'Config/.Env.Local', '\uff0eenv', '.env ', '.e\u200bnv', '.env.'])
    await withheld(h, 'read_file', { repository: site, path });
  assert.match((await h.call('list_tree', { repository: site, recursive: true })).text, /8 files were withheld/);
});

test('case 40.5: a symbolic link to .env, or through a folder to one, is withheld; a link to README.md is not', async (t) => {
  const h = await house(t);
  const r = h.hub.world.repository(site);
  h.hub.world.commit(r, 'main', 'More links', {
    'a/b/c': { link: '../../links/env' },
    'links/dotted': { link: './/.././config/../.env' },
    secretdir: { link: 'config' },
    'links/hop': { link: '../signing.key' },
    'signing.key': { link: 'README.md' },
  });
  for (const path of [
    'links/env',
    'links/config/.env.production',
    'a/b/c',
    'links/dotted',
    'secretdir/.env.production',
    'links/hop',
  ])
    await withheld(h, 'read_file', { repository: site, path });
  assert.match((await h.call('read_file', { repository: site, path: 'links/readme' })).text, /# Website/);
  assert.match((await h.call('read_file', { repository: site, path: 'links/config/app.json' })).text, /website/);
  for (const path of ['links/out', 'links/root', 'links/loop-a'])
    await assert.rejects(h.call('read_file', { repository: site, path }), code('connectors/github-link'));
});

test('case 40.6: the SHA of the blob is a way to nothing', async (t) => {
  const h = await house(t);
  const sha = h.blobOf('.env');
  for (const args of [{ path: sha }, { path: 'README.md', ref: sha }, { path: '.env', ref: sha }])
    await assert.rejects(h.call('read_file', { repository: site, ...args }));
  for (const [tool, args] of [
    ['get_commit', { ref: sha }],
    ['list_tree', { ref: sha }],
    ['compare_commits', { base: sha, head: 'main' }],
    ['list_commits', { ref: sha }],
  ] as const)
    await assert.rejects(h.call(tool, { repository: site, ...args }));
  assert.equal(
    h.hub.seen.some((r) => r.path.includes(`blobs/${sha}`)),
    false,
  );
});

test('case 40.7: a tree, whole or from a folder or by its SHA, does not show .env and says how many files were withheld', async (t) => {
  const h = await house(t);
  const all = await h.call('list_tree', { repository: site, recursive: true });
  assert.match(all.text, /3 files were withheld/);
  assert.match(all.text, /^\.env\.example/m);
  assert.doesNotMatch(all.text, /\.env(?!\.example)|tls\.pem/);
  assert.equal((all.structuredContent as { withheld: number }).withheld, 3);
  assert.match((await h.call('list_tree', { repository: site, path: 'config' })).text, /1 file was withheld/);
  assert.match((await h.call('list_tree', { repository: site, path: 'links/config' })).text, /1 file was withheld/);
  // Of a folder by its SHA the paths would begin elsewhere and rules about folders would miss them.
  const r = h.hub.world.repository(site);
  const folder = r.git.tree(r.git.commit(r.branches.get('main')!)!.tree).find((e) => e.name === 'config')!.sha;
  await assert.rejects(h.call('list_tree', { repository: site, ref: folder }));
  await assert.rejects(h.call('read_file', { repository: site, path: 'app.json', ref: folder }));
});

for (const knows of [true, false])
  test(`case 40.8: no fragment of .env comes out of a search, where GitHub ${knows ? 'takes' : 'overlooks'} what is to be left out`, async (t) => {
    const h = await house(t);
    h.hub.world.searchKnowsExclusions = knows;
    for (const actAs of ['person', 'organization'] as const) {
      const found = await h.call('search_code', { repositories: [site], query: 'DATABASE_PASSWORD' }, { actAs });
      assert.doesNotMatch(found.text, SECRET);
      assert.match(found.text, /\.env\.example/);
      assert.match(found.text, /files? (?:was|were) withheld/);
      assert.doesNotMatch(
        (await h.call('search_code', { repositories: [site], query: 'tr0ub4dor-main' }, { actAs })).text,
        /env\b|tr0ub4dor-main/,
      );
    }
  });

test('case 40.9: a diff of a pull request leaves out .env, what was renamed from it and what is renamed to it', async (t) => {
  const h = await house(t);
  const r = h.hub.world.repository(site);
  h.hub.world.commit(r, 'change', 'Change', {
    '.env': 'DATABASE_PASSWORD=tr0ub4dor-new\n',
    'config/.env.production': null,
    'config/settings.txt': 'DATABASE_PASSWORD=tr0ub4dor-production\n',
    'certs/new.key': 'tr0ub4dor',
    'src/index.ts': 'export const greeting = "moin";\nexport const port = 8080;\n',
  });
  const pull = h.hub.world.pull(r, 'bob', 'Change', 'change');
  const diff = await h.call('get_pull_request_diff', { repository: site, number: pull.number });
  assert.doesNotMatch(diff.text, SECRET);
  assert.doesNotMatch(diff.text, /settings\.txt|new\.key|\.env/);
  assert.match(diff.text, /moin/);
  assert.match(diff.text, /3 files were withheld/);
  assert.doesNotMatch(JSON.stringify(diff.structuredContent), /env|settings|key/);

  pull.pull.lineComments.push({
    id: 1,
    user: 'bob',
    body: 'rotate it',
    created_at: 'x',
    path: '.env',
    line: 1,
    diff_hunk: '@@\n+DATABASE_PASSWORD=tr0ub4dor-new',
  });
  pull.pull.lineComments.push({
    id: 2,
    user: 'bob',
    body: 'nice',
    created_at: 'x',
    path: 'src/index.ts',
    line: 1,
    diff_hunk: '@@\n+moin',
  });
  const read = await h.call('get_pull_request', { repository: site, number: pull.number });
  assert.doesNotMatch(read.text, /tr0ub4dor|rotate it/);
  assert.match(read.text, /nice/);
  assert.match(read.text, /1 file was withheld/);
});

test('case 40.10: no tool asks for an archive, and none has an address of one in its answer', async (t) => {
  const h = await house(t);
  for (const ref of ['main.zip', 'refs/heads/main.zip', 'main.tar.gz'])
    await assert.rejects(h.call('read_file', { repository: site, path: 'README.md', ref }));
  for (const path of ['../zipball/main', '..%2fzipball%2fmain', '%2e%2e/zipball/main'])
    await assert.rejects(h.call('list_tree', { repository: site, path }));
  await assert.rejects(
    h.call('list_tree', { repository: 'acme/website/zipball' }),
    code('connectors/github-repository-name'),
  );
  const shown = await Promise.all([
    h.call('list_tree', { repository: site }),
    h.call('get_commit', { repository: site }),
    h.call('search_code', { repositories: [site], query: 'greeting' }),
    h.call('list_repositories', {}),
  ]);
  for (const s of shown)
    assert.doesNotMatch(JSON.stringify(s), /zipball|tarball|archive|download_url|raw_url|contents_url|\?token=/);
  assert.equal(
    h.hub.seen.some((r) => /zipball|tarball|archive/.test(r.path)),
    false,
  );
});

test('case 40.11: a commit and its patch, and a comparison, leave out .env', async (t) => {
  const h = await house(t);
  const r = h.hub.world.repository(site);
  const sha = h.hub.world.commit(r, 'main', 'Rotate', {
    '.env': 'DATABASE_PASSWORD=tr0ub4dor-2\n',
    'README.md': '# Website\n\nRun `npm start`!\n',
  });
  for (const ref of [sha, 'main', sha.slice(0, 10)]) {
    const commit = await h.call('get_commit', { repository: site, ref });
    assert.doesNotMatch(commit.text, /tr0ub4dor|\.env/);
    assert.match(commit.text, /npm start`!/);
    assert.match(commit.text, /1 file was withheld/);
  }
  for (const ref of [`${sha}.patch`, `${sha}.diff`])
    await assert.rejects(h.call('get_commit', { repository: site, ref }));
  for (const ref of [
    `${sha}:.env`,
    'main:.env',
    'HEAD^{tree}',
    'HEAD~1',
    '@',
    'main..x',
    '-x',
    'a//b',
    'x.lock',
    'x/',
    '.x',
    'a\u200bb',
  ])
    await assert.rejects(h.call('get_commit', { repository: site, ref }), code('connectors/github-ref'), ref);
  h.hub.world.commit(r, 'later', 'Once more', {
    '.env': 'DATABASE_PASSWORD=tr0ub4dor-3\n',
    'src/new.ts': 'export {};\n',
  });
  const compared = await h.call('compare_commits', { repository: site, base: 'main', head: 'later' });
  assert.doesNotMatch(compared.text, /tr0ub4dor|\.env/);
  assert.match(compared.text, /src\/new\.ts/);
  assert.match(compared.text, /1 file was withheld/);
  await assert.rejects(
    h.call('compare_commits', { repository: site, base: 'main', head: 'evilcorp:main' }),
    code('connectors/github-ref'),
  );
  await withheld(h, 'list_commits', { repository: site, path: '.env' });
});

test('case 40.12: nothing is read at a raw address, and no argument takes one', async (t) => {
  const h = await house(t);
  for (const path of [
    'https://raw.githubusercontent.com/acme/website/main/.env',
    'raw/main/.env',
    '/acme/website/raw/main/.env',
  ])
    await withheld(h, 'read_file', { repository: site, path });
  for (const repository of [
    'https://github.com/acme/website',
    'github.com/acme/website',
    'acme/website.git',
    'acme/..',
    'acme/%2e%2e',
    '../acme/website',
    'acme/website?x=1',
    'acme/website#',
  ])
    await assert.rejects(
      h.call('read_file', { repository, path: 'README.md' }),
      code('connectors/github-repository-name'),
    );
});

test('case 40.13: what is in a submodule is not read, whatever it is called', async (t) => {
  const h = await house(t);
  await withheld(h, 'read_file', { repository: site, path: 'vendor/lib/.env' });
  for (const path of ['vendor/lib', 'vendor/lib/README.md'])
    await assert.rejects(h.call('read_file', { repository: site, path }), code('connectors/github-submodule'));
  await assert.rejects(
    h.call('list_tree', { repository: site, path: 'vendor/lib' }),
    code('connectors/github-submodule'),
  );
  assert.match((await h.call('list_tree', { repository: site, path: 'vendor' })).text, /vendor\/lib \(submodule\)/);
});

test('where only some paths are open, every surface keeps to them', async (t) => {
  const h = await house(t);
  const settings = { only_paths: ['src/**'] };
  const tree = await h.call('list_tree', { repository: site, recursive: true }, { settings });
  assert.match(tree.text, /src\/server\/app\.ts/);
  assert.doesNotMatch(tree.text, /README|config|certs/);
  await withheld(h, 'read_file', { repository: site, path: 'README.md' }, { settings });
  await withheld(h, 'read_file', { repository: site, path: 'links/readme' }, { settings });
  await withheld(h, 'list_tree', { repository: site, path: 'certs' }, { settings });
  assert.match((await h.call('read_file', { repository: site, path: 'src/index.ts' }, { settings })).text, /greeting/);
  assert.doesNotMatch((await h.call('get_commit', { repository: site }, { settings })).text, /npm start/);
});

test('an exception of the administrator opens what the standard rules withhold, and no rules at all open everything', async (t) => {
  const h = await house(t);
  assert.match(
    (
      await h.call(
        'read_file',
        { repository: site, path: 'certs/tls.pem' },
        { settings: { except_paths: ['certs/*.pem'] } },
      )
    ).text,
    SECRET,
  );
  assert.match(
    (await h.call('read_file', { repository: site, path: '.env' }, { settings: { standard_path_rules: false } })).text,
    SECRET,
  );
  await withheld(h, 'read_file', { repository: site, path: 'src/index.ts' }, { settings: { deny_paths: ['index.*'] } });
});
