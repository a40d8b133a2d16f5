import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '#kernel/secret.ts';
import { vendorClient } from '../kit/vendor-client.ts';
import { shownAnswer } from './show-answer.ts';

const KEY = 'key-0123456789';

/** What is shown of an answer that a service gives to a client with a key. */
async function shown(status: number, headers: Record<string, string>, body: string): Promise<string> {
  const vendor = await vendorClient({
    manifest: { name: 'Pets', present: { as: 'header', name: 'x-key', before: '' }, echoes: true },
    settings: {},
    origins: { api: 'https://pets.example' },
    rules: {},
    egress: { fetch: () => Promise.resolve(new Response(status === 204 ? null : body, { status, headers })) },
    unlock: () => Promise.resolve({ token: new Secret(KEY), scopes: [], facts: {} }),
    signal: new AbortController().signal,
    now: () => new Date(),
    deadline: new Date(Date.now() + 60_000),
  });
  const answer = await vendor.send({ method: 'GET', path: '/a', takes: [404] });
  const { content } = await shownAnswer('Pets', answer, new AbortController().signal);
  return content.map((c) => (c.type === 'text' ? c.text : c.type)).join();
}

test('a credential that a service gives back in a body, an error or a header is taken out', async () => {
  const link = { link: `</a?key=${KEY}&page=2>; rel="next"`, 'content-type': 'application/json' };
  for (const said of [
    await shown(200, link, `{"k":"${KEY}"}`),
    await shown(404, { 'content-type': 'text/plain' }, `no ${KEY}`),
    await shown(201, { location: `/a/2?key=${KEY}` }, ''),
  ]) {
    assert.ok(!said.includes(KEY), said);
    assert.match(said, /\[credential\]/);
  }
});

test('where the list goes on is told, and an empty answer says that it was done', async () => {
  assert.equal(
    await shown(200, { link: '</a?page=2>; rel="next"', 'content-type': 'application/json' }, '[1]'),
    '[1]\nlink: </a?page=2>; rel="next"',
  );
  assert.equal(
    await shown(204, { etag: '"7"' }, ''),
    'Pets answers with status 204 and nothing more: it was done.\netag: "7"',
  );
});
