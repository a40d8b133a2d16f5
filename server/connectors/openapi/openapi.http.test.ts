import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectorHouse, type ApiAnswer, type ConnectorHouse } from '#dev/connector-house.ts';
import { petDocument, restService, type RestService } from '#dev/rest-service.ts';

let h: ConnectorHouse;
let service: RestService;
before(async () => {
  [h, service] = await Promise.all([connectorHouse(), restService()]);
});
after(async () => {
  await service.close();
  await h[Symbol.asyncDispose]();
});

let n = 0;
const document = (over: object = {}): object => ({ ...petDocument(`${service.url}/v1`), ...over });
const bring = (over: object = {}): Promise<ApiAnswer> =>
  h.api('POST', '/openapi', {
    document: document(),
    allowPrivate: true,
    slug: `svc-${++n}`,
    operations: [{ key: 'GET /pets' }],
    scheme: 'key',
    ...over,
  });
const preview = (over: object): Promise<ApiAnswer> => h.api('POST', '/openapi/preview', over);

test('a preview shows each operation as a tool or why not, makes nothing, and records what was fetched', async () => {
  const given = await preview({ document: JSON.stringify(document()) });
  assert.equal(given.status, 200, given.text);
  const ops = given.json['operations'] as {
    key: string;
    refused: { at: string } | null;
    class: string;
    pin: string | null;
  }[];
  assert.deepEqual(
    ops.filter((o) => o.refused !== null).map((o) => [o.key, o.refused?.at, o.pin]),
    [['POST /upload', '#/paths/~1upload/post/requestBody', null]],
  );
  assert.deepEqual([given.json['title'], given.json['version'], given.json['openapi']], ['Pet store', '1.4.0', '3.0']);
  const fetched = await preview({ url: `${service.url}/openapi.json`, allowPrivate: true });
  assert.deepEqual(fetched.json['operations'], given.json['operations']);
  const [event, ...more] = await h.g.events('openapi.fetched');
  assert.deepEqual([event?.data['host'], more], [new URL(service.url).host, []]);
  assert.deepEqual((await h.api('GET', '/connectors')).json['items'], []);
});

test('what a preview pins is what the imported tool is reviewed by', async () => {
  const pins = (await preview({ document: document() })).json['operations'] as { key: string; pin: string }[];
  const made = await bring();
  const [tool] = made.json['tools'] as { pin: string; class: string }[];
  assert.equal(tool?.pin, pins.find((o) => o.key === 'GET /pets')?.pin);
  const shown = await h.api('GET', `/connectors/${String(made.json['id'])}/openapi`);
  assert.deepEqual(shown.json['tools'], made.json['tools']);
  assert.equal((shown.json['document'] as { generation: number }).generation, 1);
  const [listed] = (await h.api('GET', `/connectors/${String(made.json['id'])}/tools`)).json['items'] as {
    pin: string;
    state: string;
  }[];
  assert.deepEqual([listed?.pin, listed?.state], [tool?.pin, 'quarantined']);
});

const refusals: [string, () => Promise<ApiAnswer>, string, RegExp][] = [
  ['neither a document nor a url', () => preview({}), 'connectors/openapi-source', /either/],
  [
    'both a document and a url',
    () => preview({ document: {}, url: 'https://a.example' }),
    'connectors/openapi-source',
    /either/,
  ],
  ['a document that is none', () => preview({ document: 'no' }), 'connectors/openapi-document', /^#: /],
  [
    'an address inside the network that nobody allowed',
    () => preview({ url: `${service.url}/openapi.json` }),
    'egress/plain-http',
    /plain http/,
  ],
  [
    'the address of a cloud’s metadata',
    () => preview({ url: 'http://169.254.169.254/latest', allowPrivate: true }),
    'egress/forbidden-address',
    /no outgoing request/,
  ],
  [
    'an address that leads elsewhere',
    () => preview({ url: `${service.url}/v1/away`, allowPrivate: true }),
    'connectors/openapi-fetch',
    /302, which leads elsewhere/,
  ],
  [
    'an address that has nothing',
    () => preview({ url: `${service.url}/v1/none`, allowPrivate: true }),
    'connectors/openapi-fetch',
    /status 404/,
  ],
  [
    'an operation that is not there',
    () => bring({ operations: [{ key: 'GET /cats' }] }),
    'connectors/openapi-choice',
    /no operation "GET \/cats"/,
  ],
  [
    'an operation that cannot be imported',
    () => bring({ operations: [{ key: 'POST /upload' }] }),
    'connectors/openapi-choice',
    /multipart.*#\/paths\/~1upload/,
  ],
  [
    'an operation chosen twice',
    () => bring({ operations: [{ key: 'GET /pets' }, { key: 'GET /pets' }] }),
    'connectors/openapi-choice',
    /would both be the tool listPets/,
  ],
  [
    'two operations of one name',
    () => bring({ operations: [{ key: 'GET /pets' }, { key: 'POST /pets', name: 'LISTPETS' }] }),
    'connectors/openapi-choice',
    /would both be/,
  ],
  ['nothing said about who calls', () => bring({ scheme: undefined }), 'connectors/openapi-auth', /asks who calls/],
  ['a scheme that is not there', () => bring({ scheme: 'other' }), 'connectors/openapi-auth', /no scheme "other"/],
  [
    'persons’ accounts without a way to know whose they are',
    () => bring({ scheme: undefined, auth: { kind: 'oauth2' } }),
    'connectors/settings',
    /whose account/,
  ],
  [
    'a key in the Host header',
    () => bring({ scheme: undefined, auth: { kind: 'api_key', in: 'header', name: 'Host' } }),
    'connectors/settings',
    /no credential is sent in this header/,
  ],
  [
    'a slug that is taken',
    () => bring({ slug: 'svc-taken' }).then(() => bring({ slug: 'svc-taken' })),
    'connectors/slug-taken',
    /already/,
  ],
  ['no server', () => bring({ document: document({ servers: [] }) }), 'connectors/openapi-server', /names no server/],
  [
    'a service inside the network that nobody allowed',
    () => bring({ allowPrivate: false }),
    'egress/plain-http',
    /plain http/,
  ],
  [
    'OAuth without its addresses',
    () => bring({ scheme: undefined, auth: { kind: 'oauth2' }, whoami: '/me' }),
    'vault/origin',
    /token|authorize/,
  ],
];
for (const [what, ask, code, says] of refusals)
  test(`an import is refused with ${what}: ${code}`, async () => {
    const r = await ask();
    assert.ok((r.status >= 400 && r.status < 500) || r.status === 502, r.text);
    assert.equal(r.json['code'], code, r.text);
    assert.match(String(r.json['detail'] ?? r.json['says']), says);
  });

test('a connector that was not imported takes no document', async () => {
  const made = await bring();
  await h.g.house.t.super(`update connector set type = 'mcp' where id = $1`, made.json['id']);
  for (const r of [
    await h.api('PUT', `/connectors/${String(made.json['id'])}/openapi`, { document: document() }),
    await h.api('GET', `/connectors/${String(made.json['id'])}/openapi`),
  ])
    assert.equal(r.json['code'], 'connectors/not-imported', r.text);
});
