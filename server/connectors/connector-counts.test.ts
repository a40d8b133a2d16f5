import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { upstreamInHand, type UpstreamInHand } from '#dev/upstream-in-hand.ts';
import { connectorOperations } from './connectors.http.ts';

let h: DoorHouse;
let u: UpstreamInHand;
let path: string;
before(async () => {
  h = await doorHouse({ operations: connectorOperations });
  u = await upstreamInHand({
    tools: ['get', 'put', 'drop'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  });
  path = `/orgs/${h.acme.org}/connectors`;
});
after(async () => {
  await u.stop();
  await h[Symbol.asyncDispose]();
});

test('the list says of each connector how many tools can be used and how many wait; what is kept closed does neither', async () => {
  const made = await h.api('POST', path, { slug: 'crm', name: 'CRM', url: u.url, allowPrivate: true });
  const one = `${path}/${String(made.body['id'])}`;
  const counts = async () => (await h.api('GET', path)).body['items'] as { counts: object }[];
  assert.deepEqual((await counts())[0]?.counts, { usable: 0, waiting: 3, connections: 0 });
  const tools = (await h.api('GET', `${one}/tools`)).body['items'] as { name: string; pin: string }[];
  const pin = (name: string) => tools.find((t) => t.name === name)?.pin;
  const review = await h.api('POST', `${one}/review`, {
    tools: [
      { name: 'get', pin: pin('get'), class: 'read' },
      { name: 'drop', pin: pin('drop'), keepClosed: true },
    ],
  });
  assert.equal(review.status, 200, review.text);
  assert.deepEqual((await counts())[0]?.counts, { usable: 1, waiting: 1, connections: 0 });
});
