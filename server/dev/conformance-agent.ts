import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tool } from '#connectors/tool.ts';
import { listToolsOf } from '#connectors/tool.sql.ts';
import { reviewTools } from '#connectors/review-tools.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { z } from 'zod';
import type { Added, ConnectorHouse } from './connector-house.ts';
import { raw } from './gateway-house.ts';

/** A scenario of the client suite, as `conformance-client.ts` hands it on. */
const Scenario = z.object({
  url: z.string(),
  scenario: z.string(),
  context: z.looseObject({
    client_id: z.string().optional(),
    client_secret: z.string().optional(),
    private_key_pem: z.string().optional(),
    signing_algorithm: z.string().optional(),
  }),
});
type Scenario = z.infer<typeof Scenario>;

/** So often a person goes to consent before they give up. */
const MAX_CONSENTS = 4;

/**
 * Plays an administrator and a person with an agent who want to use the suite's server through a gateway: it is added, an account is connected by
 * following redirects, its tools are reviewed, and one is called. Whatever speaks to the suite's servers is the product.
 */
export async function conformanceAgent(h: ConnectorHouse): Promise<{ url: string; server: Server }> {
  let made = 0;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req
      .on('data', (c: Buffer) => chunks.push(c))
      .on('end', () => {
        run(h, `s${++made}`, Scenario.parse(JSON.parse(Buffer.concat(chunks).toString()))).then(
          (says) => res.writeHead(200).end(says),
          (e: unknown) => res.writeHead(500).end(e instanceof Error ? e.message : 'it failed'),
        );
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function run(h: ConnectorHouse, slug: string, s: Scenario): Promise<string> {
  const { house } = h.g;
  const machine = s.scenario.includes('client-credentials');
  const added = await h.api('POST', '/connectors', {
    slug,
    name: s.scenario,
    url: s.url,
    allowPrivate: true,
    authorizationServer: 'http://localhost',
    ...(machine ? { actAs: 'organization' } : {}),
  });
  if (added.status !== 201) throw new Error(added.text);
  const c: Added = { id: added.json['id'] as Id<'con'>, slug };
  const asPerson = added.json['actAs'] === 'person';
  if (machine) await h.give(c, ...accountOf(s));
  else if (s.context.client_id !== undefined) {
    const { client_id: clientId, client_secret: clientSecret } = s.context;
    const set = await h.api('PUT', `/connectors/${c.id}/app`, { clientId, clientSecret });
    if (set.status !== 200) throw new Error(set.text);
  }
  await h.g.rule({
    name: `everyone uses ${slug}`,
    who: { kind: 'everyone' },
    connector: c.id,
    tools: { classes: ['read', 'write', 'destructive'] },
    effect: 'allow',
    asks: 'never',
  });
  let consents = 0;
  const consent = async (): Promise<void> => {
    if (++consents > MAX_CONSENTS) throw new Error('the person gives up');
    const done = await h.consent(c, house.ada, 'read_write');
    if (done.status !== 303) throw new Error(`${done.status} ${done.text}`);
  };
  if (asPerson) await consent();
  const token = await h.g.token();
  const ask = (method: string, params: object, name?: string): Promise<Said> =>
    asking(h, { slug, token, method, params, name });
  const listed = async (): Promise<string[]> =>
    ((await ask('tools/list', {})).result['tools'] as { name: string }[] | undefined)?.map((t) => t.name) ?? [];
  // Nothing is shown of tools that nobody reviewed, but they are known once somebody asked for them.
  await listed();
  const known = (): Promise<Tool[]> => house.world.db.read(scopeOf(h.g.ctx), (db) => listToolsOf(db, c.id));
  let tools = await known();
  if (tools.length === 0 && asPerson) {
    // It takes what it has just given no more.
    await consent();
    await listed();
    tools = await known();
  }
  const [first] = tools;
  if (!first) throw new Error('it shows no tools');
  await reviewTools(
    h.g.ctx,
    c.id,
    tools.map((t) => ({ name: t.name, pin: t.pin, class: 'read' })),
  );
  for (let i = 0; i < 200 && !(await listed()).includes(first.name); i++) await new Promise((r) => setTimeout(r, 50));
  for (;;) {
    const called = await ask('tools/call', { name: first.name, arguments: {} }, first.name);
    if (!called.error) return called.text;
    if (called.why !== 'reconnect' && called.why !== 'not_connected') throw new Error(called.text);
    await consent();
  }
}

type Said = { result: Record<string, unknown>; error: boolean; why: unknown; text: string };

/** A request of an agent that speaks the stateless revision; the gateway speaks to the suite's server as that one does. */
async function asking(
  h: ConnectorHouse,
  r: { slug: string; token: string; method: string; params: object; name: string | undefined },
): Promise<Said> {
  const answer = await raw(h.g, {
    path: `/mcp/${r.slug}`,
    token: r.token,
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': r.method,
      ...(r.name === undefined ? {} : { 'mcp-name': r.name }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: r.method,
      params: {
        ...r.params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'conformance', version: '1' },
        },
      },
    }),
  });
  const result = (answer.json['result'] ?? {}) as Record<string, unknown>;
  const meta = (result['_meta'] ?? {}) as Record<string, unknown>;
  const error = result['isError'] === true || 'error' in answer.json || answer.status !== 200;
  return { result, error, why: meta['io.gatehouse/why'], text: answer.text };
}

function accountOf({ context: c }: Scenario): [string, object] {
  const clientId = c.client_id ?? '';
  return c.private_key_pem === undefined
    ? ['client_secret', { clientId, clientSecret: c.client_secret ?? '' }]
    : ['client_key', { clientId, privateKey: c.private_key_pem, algorithm: c.signing_algorithm ?? 'ES256' }];
}
