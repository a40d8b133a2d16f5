import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { reviewTools } from '../review-tools.ts';
import { callBody, raw, saidOf } from '#dev/gateway-house.ts';
import { petDocument, restService, type RestService } from '#dev/rest-service.ts';
import { tunnelHouse, type TunnelHouse } from '#dev/tunnel-house.ts';
import type { Id } from '#kernel/id.ts';
import { importOpenApi } from './import-openapi.ts';

let h: TunnelHouse;
let service: RestService;
let tunnel: Id<'tun'>;
let inside: string;
before(async () => {
  [h, service] = await Promise.all([tunnelHouse(), restService()]);
  inside = service.url.replace('127.0.0.1', 'pets.inside');
  const made = await h.make('plant', [inside]);
  tunnel = made.tunnel.id;
  const agent = await h.agent({ secretFile: made.secretFile, allow: [inside], names: { 'pets.inside': '127.0.0.1' } });
  await agent.said(/connected to the tunnel/);
  await h.online(tunnel, 1);
});
after(async () => {
  await h[Symbol.asyncDispose]();
  await service.close();
});

test('a service behind a tunnel is fetched, imported and called through it, by a name that nothing else resolves', async () => {
  service.document = petDocument(`${inside}/v1`);
  const { connector, operations } = await importOpenApi(h.g.ctx, {
    url: `${inside}/openapi.json`,
    tunnel,
    slug: 'pets',
    operations: [{ key: 'GET /pets/{petId}' }],
    auth: { kind: 'none' },
  });
  assert.deepEqual([connector.tunnel, connector.url, operations.length], [tunnel, `${inside}/v1`, 1]);
  const tools = await h.g.house.t.super<{ name: string; pin: string }>(
    'select name, pin from tool where connector = $1',
    connector.id,
  );
  await reviewTools(
    h.g.ctx,
    connector.id,
    tools.map((t) => ({ ...t, class: 'read' as const })),
  );
  await h.g.rule({
    name: 'everyone',
    who: { kind: 'everyone' },
    connector: connector.id,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  const a = await raw(h.g, { path: '/mcp/pets', token: await h.g.token(), body: callBody('getPet', { petId: '1' }) });
  assert.equal(saidOf(a), '{"id":1,"name":"Rex"}', a.text);
  assert.equal(service.seen.at(-1)?.headers.host, new URL(inside).host);
});

test('a service that is no destination of the tunnel, or that would be reached in two ways, is not imported', async () => {
  const wish = {
    document: petDocument('http://other.inside/v1'),
    tunnel,
    slug: 'other',
    operations: 'all',
    auth: { kind: 'none' },
  } as const;
  await assert.rejects(importOpenApi(h.g.ctx, wish), { code: 'tunnels/not-a-destination' });
  await assert.rejects(importOpenApi(h.g.ctx, { ...wish, allowPrivate: true }), { code: 'connectors/two-ways' });
});
