// Longer than 300 lines because the spellings of a path are one list, which is read as one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathGlob, prefixesMatched, wrongPathGlob } from './path-glob.ts';
import { isGuarded, isWithheld, mayEnter, pathRules, standardDeny } from './path-rule.ts';
import { foldedText, readRepositoryPath, spellingsOf } from './path-spelling.ts';

const standard = pathRules({ standard: true, deny: [], except: [], only: [] });
const rules = (r: { deny?: string[]; except?: string[]; only?: string[] }) =>
  pathRules({ standard: false, deny: r.deny ?? [], except: r.except ?? [], only: r.only ?? [] });

for (const path of [
  '.env',
  'a/b/.env',
  '.env.local',
  '.env.production',
  '.ENV',
  '.Env.Local',
  'prod.env',
  '.envrc',
  '.env~',
  'deploy/tls.pem',
  'x.KEY',
  'home/.ssh/config',
  '.aws/credentials',
  'id_rsa',
  'keys/id_ed25519.bak',
  '.npmrc',
  'sub/.netrc',
  'credentials.json',
  'infra/terraform.tfstate',
  'infra/terraform.tfstate.backup',
  'prod.tfvars',
  'kubeconfig',
  '.docker/config.json',
  '.env/inner.txt',
  '.git-credentials',
])
  test(`the standard rules withhold ${path}`, () => assert.equal(isWithheld(standard, path), true));

for (const path of [
  '.env.example',
  'app/.env.sample',
  'README.md',
  'src/environment.ts',
  'src/env.ts',
  'keys/README.md',
  'src/keyboard.tsx',
  'docs/env/index.md',
  'config.json',
  'src/[id].tsx',
  'a b/c d.txt',
  'prod.tfvars.example',
  'naïve/Straße.md',
  'src/monkey',
  '100%/notes.md',
  '%zz.txt',
])
  test(`the standard rules spare ${path}`, () => assert.equal(isWithheld(standard, path), false));

for (const [how, path] of [
  ['percent-encoded', '%2eenv'],
  ['percent-encoded twice', '%252eenv'],
  ['percent-encoded five times', '%252525252eenv'],
  ['percent-encoded more often than anybody would', `%${'25'.repeat(40)}2eenv`],
  ['as %u002e', '%u002eenv'],
  ['with ./', './.env'],
  ['with //', 'a//.env'],
  ['with ..', 'a/../.env'],
  ['with an encoded slash and ..', 'a%2f%2e%2e%2f.env'],
  ['with a backslash', 'a\\.env'],
  ['with a full-width backslash', 'a\uff3c.env'],
  ['full-width', '\uff0e\uff45\uff4e\uff56'],
  ['with a percent sign in full width', '\uff052eenv'],
  ['with a trailing dot', '.env.'],
  ['with trailing blanks', '.env  '],
  ['with dots and blanks', '.env. . '],
  ['as a stream of NTFS', '.env::$DATA'],
  ['with a zero-width space', '.e\u200bnv'],
  ['with a soft hyphen', '.en\u00adv'],
  ['with a joiner that HFS+ ignores', '.\u200cenv'],
  ['with a variation selector', '.env\ufe0f'],
  ['with a NUL', '.env\0.txt'],
  ['with a line feed', '.en\nv'],
  ['in capitals', '.ENV'],
  ['with a leading slash', '/.env'],
  ['with a trailing slash', '.env/'],
  ['with a blank in front', ' .env'],
  ['with the dotless i', '\u0131d_rsa'],
  ['with a long s', 'credential\u017f'],
  ['with the Kelvin sign', 'server.\u212aey'],
  ['with a one-dot leader', '\u2024env'],
  ['too long', `${'a/'.repeat(3000)}x`],
  ['as a stream of NTFS that a star does not cover', 'tls.pem::$DATA'],
  ['by way of another folder, where the rule is about a path', 'docs/../infra/x/../.docker/config.json'],
  ['behind .. on Windows', 'x/.. /.env'],
] as const)
  test(`a withheld file ${how} is withheld`, () => assert.equal(isWithheld(standard, path), true));

test('a glob without a slash is about a name anywhere, one with a slash about a path from the root', () => {
  const r = rules({ deny: ['secret', 'conf/prod.yml', '/only-root'] });
  for (const p of ['secret', 'a/secret', 'a/secret/b', 'conf/prod.yml', 'only-root', 'only-root/x'])
    assert.equal(isWithheld(r, p), true, p);
  for (const p of ['secrets', 'x/conf/prod.yml', 'a/only-root', 'conf/prod.yaml'])
    assert.equal(isWithheld(r, p), false, p);
});

test('a rule about a path from the root holds for what leads there', () => {
  const r = rules({ deny: ['conf/prod.yml'] });
  for (const p of ['x/../conf/prod.yml', 'conf/x/../prod.yml', '../conf/prod.yml', 'x%2f..%2fconf/prod.yml'])
    assert.equal(isWithheld(r, p), true, p);
});

test('a star stays within a name and two stars do not', () => {
  const r = rules({ deny: ['a/*/c', 'x/**/z', 'q?.txt'] });
  for (const p of ['a/b/c', 'x/z', 'x/y/z', 'x/y/y/z', 'q1.txt', 'a/b/c/d']) assert.equal(isWithheld(r, p), true, p);
  for (const p of ['a/b/b/c', 'a/c', 'xz', 'q.txt', 'q12.txt']) assert.equal(isWithheld(r, p), false, p);
});

test('an exception opens a file but not what stands in a folder that is withheld as a whole', () => {
  const below = rules({ deny: ['vault/**'], except: ['vault/README.md'] });
  assert.equal(isWithheld(below, 'vault/README.md'), false);
  assert.equal(isWithheld(below, 'vault/x'), true);
  assert.equal(isWithheld(below, 'vault'), true);
  const whole = rules({ deny: ['vault'], except: ['vault/README.md'] });
  assert.equal(isWithheld(whole, 'vault/README.md'), true);
});

test('an exception counts in the spelling that it has and opens no other', () => {
  for (const p of [
    '.env.example/../.env',
    '.env%00.example',
    '.env/.env.example',
    '.env\0.example',
    '.env\0.example/.env',
    '.env.example%2f..%2f.env',
    '.env.example\\..\\.env',
    '.env.example/.env',
  ])
    assert.equal(isWithheld(standard, p), true, p);
});

test('where only some paths are open, their spelling is exact and the way to them can be gone', () => {
  const r = rules({ only: ['docs/**', 'src/*/public.ts'], deny: ['docs/internal'] });
  for (const p of ['docs/a.md', 'docs/x/y.md', 'src/a/public.ts']) assert.equal(isWithheld(r, p), false, p);
  for (const p of ['Docs/a.md', 'docs/internal/a.md', 'src/a/private.ts', 'src/public.ts', 'README.md', 'x/docs/a.md'])
    assert.equal(isWithheld(r, p), true, p);
  for (const p of ['', 'docs', 'docs/x', 'src', 'src/a']) assert.equal(mayEnter(r, p), true, p);
  for (const p of ['lib', 'docs/internal', 'src/a/b']) assert.equal(mayEnter(r, p), false, p);
});

test('workflows, actions, owners of code and submodules are guarded wherever their spelling leads', () => {
  for (const p of [
    '.github/workflows/ci.yml',
    '.GitHub/Workflows/ci.yml',
    '.github/actions/x/action.yml',
    'CODEOWNERS',
    'docs/codeowners',
    '.gitmodules',
    '.github/./workflows//x.yml',
    '.github%2fworkflows/x',
    '.github/workflows ',
  ])
    assert.equal(isGuarded(p), true, p);
  for (const p of ['.github/ISSUE_TEMPLATE/bug.md', 'workflows/a.yml', 'src/code-owners.ts'])
    assert.equal(isGuarded(p), false, p);
});

for (const [glob, why] of [
  ['', /1 to 300/],
  ['x'.repeat(301), /1 to 300/],
  ['a\u200bb', /invisible/],
  ['[ab].txt', /only/],
  ['{a,b}', /only/],
  ['!x', /only/],
  ['a\\b', /only/],
  ['/', /names nothing/],
  ['a/../b', /leads/],
  ['a**b', /alone/],
  ['%2eenv', /percent/],
] as const)
  test(`the glob ${JSON.stringify(glob.slice(0, 20))} is refused`, () => assert.match(wrongPathGlob(glob) ?? '', why));

test('every standard glob is one that an administrator could write', () => {
  for (const g of standardDeny) assert.equal(wrongPathGlob(g), undefined, g);
});

for (const [text, path] of [
  ['a/b', 'a/b'],
  ['/a//./b/', 'a/b'],
  ['', ''],
  ['/', ''],
  ['100%/x', '100%/x'],
  ['ä/ö', 'ä/ö'],
] as const)
  test(`the argument ${JSON.stringify(text)} is read as ${JSON.stringify(path)}`, () =>
    assert.deepEqual(readRepositoryPath(text), { path }));
for (const [text, why] of [
  ['a/../b', /\.\./],
  ['a\\b', /backslash/],
  ['a\0', /control/],
  ['a\u200bb', /invisible/],
  ['\ud800', /control/],
  ['a/'.repeat(3000), /longer/],
] as const)
  test(`the argument ${JSON.stringify(text.slice(0, 12))} is refused`, () =>
    assert.match('says' in readRepositoryPath(text) ? JSON.stringify(readRepositoryPath(text)) : '', why));

const letter = fc.constantFrom('a', 'b', '.', '-');
const globName = fc
  .string({ unit: fc.oneof(letter, fc.constantFrom('*', '?')), minLength: 1, maxLength: 6 })
  .filter((n) => !n.includes('**') && n !== '.' && n !== '..');
const asRegExp = (glob: string): RegExp => {
  const part = (n: string): string => n.replace(/[.-]/g, '\\$&').replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
  const names = glob.split('/');
  let out = '^';
  for (const [i, n] of names.entries()) {
    const last = i === names.length - 1;
    out += n === '**' ? (last ? '.+' : '(?:[^/]+/)*') : part(n) + (last ? '' : '/');
  }
  return new RegExp(`${out}$`, 's');
};

test('globs agree with the regular expressions that they would be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: globName }, { weight: 1, arbitrary: fc.constant('**') }), {
        minLength: 2,
        maxLength: 5,
      }),
      fc.array(fc.string({ unit: letter, minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
      (names, path) => {
        const glob = names.join('/');
        const found = prefixesMatched(
          pathGlob(glob, (t) => t),
          path,
        );
        for (let i = 1; i <= path.length; i++)
          assert.equal(
            found[i],
            asRegExp(glob).test(path.slice(0, i).join('/')),
            `${glob} ~ ${path.slice(0, i).join('/')}`,
          );
      },
    ),
    { numRuns: 3000 },
  );
});

test('a glob of nothing but stars and a path of nothing but what they want end', () => {
  const r = rules({ deny: [`${'*a'.repeat(140)}b`, `${'**/a/'.repeat(50)}b`, '**/'.repeat(90) + 'x'] });
  assert.equal(isWithheld(r, 'a'.repeat(4000)), false);
  assert.equal(isWithheld(r, 'a/'.repeat(2000)), false);
});

// What a system on the way could do to a text before it looks for the file, and how somebody would write the text for it.
const disguises: ((name: string, n: number) => string)[] = [
  (s) =>
    Array.from(s)
      .map((c) => (c === '/' ? c : `%${Buffer.from(c).toString('hex').match(/../g)!.join('%')}`))
      .join(''),
  (s) => s.replaceAll('/', '%2F'),
  (s) => s.replaceAll('%', '%25'),
  (s, n) =>
    Array.from(s)
      .map((c, i) => ((n >> (i % 16)) & 1 ? c.toUpperCase() : c))
      .join(''),
  (s, n) => `${s.slice(0, n % (s.length + 1))}\u200d${s.slice(n % (s.length + 1))}`,
  (s) => s.replaceAll('/', '//'),
  (s) => s.replaceAll('/', '/./'),
  (s) => `./${s}`,
  (s) => `x/../${s}`,
  (s) => s.replaceAll('/', '\\'),
  (s) => `${s}.`,
  (s) => `${s} `,
  (s) =>
    Array.from(s)
      .map((c) =>
        c > ' ' && c <= '~' && c !== '/' && c !== '%' ? String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0) : c,
      )
      .join(''),
];

test('no chain of disguises brings a withheld path through', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('src', 'a b', 'Straße', 'deep.dir'), { maxLength: 3 }),
      fc.constantFrom(
        '.env',
        '.env.production',
        'server.pem',
        'id_rsa',
        'credentials.json',
        '.npmrc',
        'terraform.tfstate',
      ),
      fc.array(fc.tuple(fc.nat(disguises.length - 1), fc.nat(65535)), { maxLength: 4 }),
      (folders, name, steps) => {
        const path = steps.reduce((p, [i, n]) => disguises[i]!(p, n), [...folders, name].join('/'));
        assert.equal(isWithheld(standard, path), true, JSON.stringify(path));
      },
    ),
    { numRuns: 5000 },
  );
});

test('what decodes, folds and resolves to a withheld path by a plainer reading than ours is withheld', () => {
  const odd = fc.constantFrom(
    '.',
    'e',
    'n',
    'v',
    'E',
    '%2e',
    '%2E',
    '%252e',
    '/',
    '%2f',
    '..',
    './',
    '\\',
    ' ',
    'x',
    '\u200b',
    '\uff0e',
    '%',
    '25',
    '2e',
    ':',
  );
  // A stranger's reading: decode while it can be decoded, then fold, then resolve as POSIX does.
  const plain = (text: string): string => {
    let t = text;
    for (let i = 0; i < 6; i++) {
      try {
        t = decodeURIComponent(t);
      } catch {
        break;
      }
    }
    const url = new URL(
      `file:///${t.toLowerCase().replaceAll('%', '%25').replaceAll('?', '%3f').replaceAll('#', '%23').replaceAll('\\', '%5c')}`,
    );
    return url.pathname;
  };
  let met = 0;
  fc.assert(
    fc.property(fc.array(odd, { maxLength: 9 }), (parts) => {
      const text = parts.join('');
      if (!/\/\.env\/?$/.test(plain(text))) return;
      met++;
      assert.equal(isWithheld(standard, text), true, JSON.stringify(text));
    }),
    {
      numRuns: 60_000,
      examples: [[['.', 'e', 'n', 'v']], [['%252e', 'e', 'n', 'v']], [['x', '/', '..', '/', '.', 'e', 'n', 'v']]],
    },
  );
  assert.ok(met >= 3);
});

test('what is spared as an argument leads to itself and to nothing else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '.', '/', 'e', 'n', 'v', '%', '2', ' '), maxLength: 12 }),
      (text) => {
        const read = readRepositoryPath(text);
        if ('says' in read) return;
        assert.deepEqual(readRepositoryPath(read.path), read);
        assert.equal(
          isWithheld(standard, read.path) && !isWithheld(standard, text),
          false,
          'the read form is withheld and the text was not',
        );
      },
    ),
    { numRuns: 5000 },
  );
});

test('the short way for plain paths finds what the long way finds', () => {
  const all = (t: string) =>
    spellingsOf(t)
      ?.map((n) => n.join('/'))
      .filter((p, i, a) => a.indexOf(p) === i);
  let short = 0;
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', 'B', '.', '/', ' ', '%', '2', 'e', ':', '\\', '-', '[', ']', 'é'),
        minLength: 1,
        maxLength: 9,
      }),
      (t) => {
        if (spellingsOf(t)?.length === 1) short++;
        assert.deepEqual(all(t)?.sort(), all(`./${t}`)?.sort(), JSON.stringify(t));
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(short > 100);
});

test('folding is at rest after one time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (t) =>
      assert.equal(foldedText(foldedText(t)), foldedText(t)),
    ),
    { numRuns: 3000 },
  );
});

const git = spawnSync('git', ['--version']).status === 0;
test(
  'names of odd bytes that git takes are withheld whenever git on some machine would write them over .env',
  { skip: git ? false : 'git is not here' },
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-git-'));
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const run = (args: string[], input?: Buffer): Buffer =>
      execFileSync('git', args, { cwd: dir, input, env, stdio: ['pipe', 'pipe', 'pipe'] });
    try {
      run(['init', '-q']);
      const blob = run(['hash-object', '-w', '--stdin'], Buffer.from('SECRET=1')).toString().trim();
      const names = [
        '.env',
        '.ENV',
        '.env ',
        '.env.',
        '.e\u200cnv',
        '.env\ufeff',
        '\uff0eenv',
        '.env\t',
        '.en\u0001v',
        '%2eenv',
        '.env::$DATA',
        '.env\u200e',
        '"\\056env"',
        '.env\n',
      ].map((n) => Buffer.from(n));
      const spared = [Buffer.from('.e\xffnv', 'latin1'), Buffer.from('env'), Buffer.from('\xffx', 'latin1')];
      const tree = run(
        ['mktree', '-z'],
        Buffer.concat(
          [...names, ...spared].map((n) => Buffer.concat([Buffer.from(`100644 blob ${blob}\t`), n, Buffer.from([0])])),
        ),
      )
        .toString()
        .trim();
      // As an API that speaks JSON has to show them.
      const listed = run(['ls-tree', '-z', '--name-only', tree]).toString('utf8').split('\0').slice(0, -1);
      assert.equal(listed.length, names.length + spared.length);
      const open = listed.filter((n) => !isWithheld(standard, n));
      assert.deepEqual(open.sort(), ['"\\056env"', '.e\ufffdnv', 'env', '\ufffdx'].sort());
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
