import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorHouse } from '#dev/connector-house.ts';
import { startGmail } from '#dev/vendors/gmail.ts';

test('rules see to whom a draft goes, and a session that has read mail sends nothing without a person', async (t) => {
  const vendor = await startGmail();
  t.after(() => vendor.close());
  const h = await connectorHouse();
  t.after(() => h[Symbol.asyncDispose]());
  const { ada } = h.g.house;
  const c = await h.add(vendor, { type: 'gmail', access: 'read_write', actAs: 'person' });
  await h.app(vendor, c);
  await h.g.rule({
    name: 'nothing goes to rival.example',
    who: { kind: 'everyone' },
    connector: c.id,
    tools: { names: ['send_draft'] },
    effect: 'forbid',
    when: [{ argument: 'recipient_domain', is: 'in', of: ['rival.example'] }],
  });
  assert.equal((await h.consent(c, ada, 'read_write')).status, 303);
  const draft = async (to: string): Promise<object> => {
    const written = await h.call(c, 'create_draft', { to: [to], subject: 'Lamps', body: 'x' }, { anew: true });
    const { draft_id } = written.result['structuredContent'] as { draft_id: string };
    return { draft_id, to: [to], subject: 'Lamps' };
  };
  const rival = await draft('eve@rival.example');
  const customer = await draft('carl@customer.example');

  const forbidden = await h.call(c, 'send_draft', rival, { anew: true });
  assert.match(forbidden.says, /nothing goes to rival\.example/);
  // Naming another recipient gets it past the rule, and no further.
  const lied = await h.call(c, 'send_draft', { ...rival, to: ['carl@customer.example'] }, { anew: true });
  assert.match(lied.says, /other recipients in to/);
  assert.deepEqual(vendor.world.sent, []);

  const sent = await h.call(c, 'send_draft', customer, { anew: true });
  assert.match(sent.says, /Sent to carl@customer\.example/);
  assert.equal(vendor.world.sent.length, 1);

  const another = await draft('carl@customer.example');
  assert.match((await h.call(c, 'read_thread', { thread_id: 't2' })).says, /News/);
  const held = await h.call(c, 'send_draft', another);
  assert.match(held.says, /a person must approve/);
  assert.equal(vendor.world.sent.length, 1);
});
