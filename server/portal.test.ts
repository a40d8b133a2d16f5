import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '#kernel/problem.ts';
import { portalPage } from './portal.http.ts';

const built = {
  script: '/portal/assets/main-1.js',
  preload: ['/portal/assets/part-2.js'],
  styles: ['/portal/assets/main-3.css'],
};

test('a node without a built portal says who can build it, and what works without it', () => {
  assert.throws(
    () => portalPage(undefined),
    (e: unknown) =>
      e instanceof Problem &&
      e.code === 'server/portal-not-built' &&
      /npm run build/.test(e.fix ?? '') &&
      /\/approvals/.test(e.fix ?? ''),
  );
});

test('the page of the portal runs scripts of its own origin alone, and its nonce is new each time', async () => {
  const [one, two] = [portalPage(built), portalPage(built)];
  const policy = one.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[A-Za-z0-9+/=]{24}';/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.notEqual(policy, two.headers.get('content-security-policy'));
  const text = await one.text();
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
  assert.ok(text.includes(`content="${nonce}"`), 'the script reads the nonce from the page');
  assert.doesNotMatch(text, /<script(?![^>]*src=)|<style|style=|onload=/);
});
