import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { newId } from '#kernel/id.ts';
import { findProvider, ourValues, ours, providers, type Paste, type Provider, type Way } from './providers.ts';

const root = new URL('../../../', import.meta.url);
const guide = (p: Provider): string => readFileSync(new URL(`docs/guides/idp/${p.id}.md`, root), 'utf8');

/** The values of the pages, with the names that guides have in the place of ids. */
function inGuides(): Record<string, string> {
  const [org, directory] = [newId('org'), newId('dir')];
  const values = ourValues({ origin: 'https://gatehouse.example', org, directory });
  return Object.fromEntries(
    Object.entries({ ...values, scim_token: 'ghs_… (shown one time)' }).map(([name, v]) => [
      name,
      (v ?? '').replaceAll(org, '{org}').replaceAll(directory, '{directory}'),
    ]),
  );
}
const ways = (p: Provider): Way[] => [p.oidc, p.saml, ...('none' in p.scim ? [] : [p.scim])];

test('there is one guide for each identity provider that the set-up pages know, and no other', () => {
  const files = globSync('docs/guides/idp/*.md', { cwd: root.pathname }).map((f) => f.replace(/^.*\/(.*)\.md$/, '$1'));
  assert.deepEqual(files.sort(), providers.map((p) => p.id).sort());
  assert.deepEqual(
    providers.map((p) => p.id),
    ['okta', 'entra-id', 'google-workspace', 'onelogin', 'jumpcloud', 'ping', 'keycloak', 'generic'],
  );
  assert.equal(findProvider('acme'), undefined);
});

for (const p of providers) {
  test(`the guide for ${p.name} has every field of the set-up pages, with the same value`, () => {
    const text = guide(p);
    const values = inGuides();
    const shown = (f: Paste): string => ('text' in f ? f.text : (values[f.ours] ?? ''));
    for (const way of ways(p)) {
      for (const f of way.paste)
        assert.ok(text.includes(`| ${f.field} | \`${shown(f)}\` |`), `${f.field}: ${shown(f)}`);
      for (const step of [...way.begin, ...way.finish]) assert.ok(text.includes(`. ${step}\n`), step);
      for (const c of way.claims) assert.ok(text.includes(`| \`${c.name}\` | ${c.from} |`), c.name);
    }
    for (const b of [...p.oidc.bring, ...p.saml.bring]) assert.ok(text.includes(b.field), b.field);
    if ('none' in p.scim) for (const says of [p.scim.none, p.scim.instead]) assert.ok(text.includes(says), says);
  });

  test(`the guide for ${p.name} names no value of ours that the pages do not have`, () => {
    const known = Object.values(inGuides());
    for (const [, found = ''] of guide(p).matchAll(/`(https:\/\/gatehouse\.example[^`]*)`/g))
      assert.ok(found === 'https://gatehouse.example' || known.includes(found), found);
  });

  test(`every refusal that the guide for ${p.name} explains has the code and the words that people see`, () => {
    const sources = globSync('server/{identity,directory,provisioning}/**/*.ts', { cwd: root.pathname })
      .filter((f) => !f.endsWith('.test.ts'))
      .map((f) => readFileSync(new URL(f, root), 'utf8'));
    const rows = [...guide(p).matchAll(/^\| `([a-z]+\/[a-z0-9-]+)` \| (.+?) \| .+ \|$/gm)];
    assert.ok(rows.length >= 6, `${rows.length} rows`);
    for (const [, code = '', says = ''] of rows) {
      const where = sources.filter((s) => s.includes(`'${code}'`));
      assert.ok(where.length > 0, `nothing says ${code}`);
      const parts = says
        .split('…')
        .map((part) => part.trim())
        .filter((part) => part.length > 3);
      assert.ok(
        where.some((s) => parts.every((part) => s.includes(part))),
        `${code} does not say "${says}"`,
      );
    }
  });

  test(`the guide for ${p.name} has all its parts`, () => {
    const text = guide(p);
    for (const part of [
      'Before you begin',
      'Sign-in over OpenID Connect',
      'Sign-in over SAML 2.0',
      'People and groups by SCIM',
      'What commonly goes wrong',
      'How to test',
      'Secrets and certificates later',
    ])
      assert.match(text, new RegExp(`^## ${part}$`, 'm'));
  });
}

test('the pages have a value for everything that is pasted, and each is used by some identity provider', () => {
  const used = new Set(
    providers.flatMap((p) => ways(p).flatMap((w) => w.paste.flatMap((f) => ('ours' in f ? [f.ours] : [])))),
  );
  assert.deepEqual([...used].sort(), [...ours].sort());
});

test('the pattern of our ACS address matches it and nothing near it', () => {
  const values = ourValues({ origin: 'https://gatehouse.example', org: newId('org') });
  const pattern = new RegExp(values.acs_pattern);
  assert.match(values.acs_url, pattern);
  for (const near of [
    `${values.acs_url}/`,
    values.acs_url.replace('.', 'x'),
    `https://evil.example/?${values.acs_url}`,
  ])
    assert.doesNotMatch(near, pattern);
});
