import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnectHouse } from '#dev/connect-house.ts';
import { changePolicies } from '#policy/change-policies.ts';
import type { Wish } from '#policy/wish.ts';
import { vaultCtx } from '#vault/renewal.ts';

test('a type that is switched off is connected by nobody: not begun, and not finished by whoever is at the vendor already', async (t) => {
  const h = await openConnectHouse();
  t.after(() => h.close());
  const con = await h.connector();
  const change = (wish: Wish) =>
    changePolicies(
      { ...vaultCtx(h.world, h.at), org: h.at.org },
      wish,
      {},
      { hasConnector: () => Promise.resolve(true) },
    );
  const back = await h.visit(con, h.ada);
  await change({ kind: 'set_type_control', control: { type: 'plain', state: 'off', groups: [], access: 'off' } });
  const late = await h.page('GET', back.pathname + back.search, h.ada);
  const begun = await h.page('POST', `/connections/start/${con}`, h.ada, { access: 'read_only' });
  for (const refused of [late, begun]) {
    assert.match(refused.text, /connectors\/type-barred/);
    assert.match(refused.text, /connectors of the type plain are switched off/);
  }
  assert.deepEqual(await h.live(con), []);
  await change({ kind: 'remove_type_control', type: 'plain' });
  assert.equal((await h.consent(con, h.ada)).status, 303);
});
