import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectorOperations } from '#connectors/connectors.http.ts';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { upstreamInHand, type UpstreamInHand } from '#dev/upstream-in-hand.ts';
import { newId } from '#kernel/id.ts';
import { limitOperations } from './limits.http.ts';

let h: DoorHouse;
let u: UpstreamInHand;
let org: string;
let con: string;
before(async () => {
  h = await doorHouse({ operations: [...connectorOperations, ...limitOperations] });
  u = await upstreamInHand({ tools: [{ name: 'get', inputSchema: { type: 'object' } }] });
  org = `/orgs/${h.acme.org}`;
  const wanted = { slug: 'crm', name: 'CRM', url: u.url, allowPrivate: true };
  const added = await h.api('POST', `${org}/connectors`, wanted);
  con = `${org}/connectors/${String(added.body['id'])}`;
});
after(async () => {
  await u.stop();
  await h[Symbol.asyncDispose]();
});
const no = { atOnce: null, perMinute: null };

test('where nobody said anything, limits are those that the guide names', async () => {
  const { body } = await h.api('GET', `${org}/call-limits`);
  assert.deepEqual(body, {
    set: {},
    inForce: {
      person: { atOnce: 256, perMinute: null },
      personHere: no,
      connector: { atOnce: 1024, perMinute: null },
      tool: no,
    },
  });
});

test('what is set for the organization holds at a connector but for what is set there, and each change is one event', async () => {
  const all = { personPerMinute: null, connectorAtOnce: 10, toolPerMinute: 30 };
  assert.deepEqual((await h.api('PUT', `${org}/call-limits`, all)).body['set'], all);
  const here = { personAtOnce: 4, connectorAtOnce: null };
  await h.api('PUT', `${con}/call-limits`, here);
  await h.api('PUT', `${con}/call-limits`, here);
  assert.deepEqual((await h.api('GET', `${con}/call-limits`)).body, {
    set: here,
    inForce: {
      person: { atOnce: 256, perMinute: null },
      personHere: { atOnce: 4, perMinute: null },
      connector: no,
      tool: { atOnce: null, perMinute: 30 },
    },
  });
  assert.deepEqual(
    (await h.events('call_limits.changed')).map((e) => [e.data['connector'], e.data['limits']]),
    [
      [null, all],
      [con.split('/').at(-1), here],
    ],
  );
  const back = await h.api('PUT', `${con}/call-limits`, {});
  assert.deepEqual(back.body['set'], {});
});

test('a limit is a whole number from one on, and only a connector that is there has any', async () => {
  for (const wrong of [{ personAtOnce: 0 }, { toolAtOnce: 1.5 }, { orgAtOnce: 3 }, { personPerMinute: 1_000_001 }])
    assert.equal((await h.api('PUT', `${org}/call-limits`, wrong)).status, 400, JSON.stringify(wrong));
  const gone = `${org}/connectors/${newId('con')}/call-limits`;
  for (const r of [await h.api('GET', gone), await h.api('PUT', gone, {})])
    assert.deepEqual([r.status, r.body['code']], [404, 'connectors/no-connector']);
});
