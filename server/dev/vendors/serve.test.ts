import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStandIn } from '../stand-in.ts';

test('a vendor stands in as a process of its own and is told what its people do', async () => {
  const p = await startStandIn<{ url: string; control: string; origins: string; app: string }>('vendors/serve.ts', [
    '--vendor',
    'slack',
  ]);
  try {
    const { api } = JSON.parse(p.ready.origins) as { api: string };
    assert.equal((await fetch(`${api}/api/auth.test`, { method: 'POST' })).status, 200, 'Slack says no with 200');
    const tell = async (body: object): Promise<number> =>
      (await fetch(p.ready.control, { method: 'POST', body: JSON.stringify(body) })).status;
    const redirect = 'http://localhost:1/back';
    const { clientId } = JSON.parse(p.ready.app) as { clientId: string };
    const q = new URLSearchParams({
      client_id: clientId,
      user_scope: 'channels:read',
      redirect_uri: redirect,
      state: 's',
    });
    const visit = () => fetch(`${api}/oauth/v2/authorize?${q.toString()}`, { redirect: 'manual' });
    assert.notEqual((await visit()).status, 302);
    assert.equal(await tell({ registerRedirect: redirect }), 204);
    assert.match((await visit()).headers.get('location') ?? '', /^http:\/\/localhost:1\/back\?.*code=/);
    assert.equal(await tell({ visitor: { account: 'ada', answer: 'deny' } }), 204);
    assert.match((await visit()).headers.get('location') ?? '', /error=access_denied/);
    assert.equal(await tell({ advance: 60 }), 204);
    assert.equal(await tell({ endGrants: 'ada' }), 204);
    assert.equal(await tell({ sell: 'everything' }), 400);
  } finally {
    await p.stop();
  }
});
