import type { IncomingHttpHeaders } from 'node:http';
import { listen } from './listening-server.ts';

export type RestRequest = { method: string; url: string; headers: IncomingHttpHeaders; body: string };
export type RestService = {
  url: string;
  seen: RestRequest[];
  /** What it asks for; anybody else gets 401. */
  wants: ((r: RestRequest) => boolean) | undefined;
  /** Its document, at /openapi.json. */
  document: object;
  close(): Promise<void>;
};

/** An internal REST service as there are many: JSON, a few other forms, errors in its own words, and one that echoes all that it is sent. */
export async function restService(): Promise<RestService> {
  const self: RestService = {
    url: '',
    seen: [],
    wants: undefined,
    document: petDocument(''),
    close: () => server.close(),
  };
  let throttled = 1;
  const server = await listen((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (d: Buffer) => parts.push(d));
    req.on('end', () => {
      const r = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(parts).toString(),
      };
      const say = (status: number, type: string, body: string | Buffer, headers: Record<string, string> = {}): void =>
        void res.writeHead(status, { 'content-type': type, ...headers }).end(body);
      const json = (status: number, value: unknown, headers?: Record<string, string>): void =>
        say(status, 'application/json', JSON.stringify(value), headers);
      const path = new URL(r.url, 'http://x').pathname;
      if (path === '/openapi.json') return json(200, self.document);
      self.seen.push(r);
      if (self.wants && !self.wants(r)) return json(401, { message: 'who are you?' });
      if (path === '/v1/pets' && r.method === 'GET') return json(200, [{ id: 1, name: 'Rex', tag: null }]);
      if (path === '/v1/pets' && r.method === 'POST') {
        const pet = JSON.parse(r.body) as { name: string };
        return pet.name === 'Taken'
          ? json(409, { code: 'taken', message: 'there is a pet of this name already', errors: [{ field: 'name' }] })
          : json(201, { id: 2, ...pet }, { location: '/v1/pets/2' });
      }
      if (path.startsWith('/v1/pets/') && r.method === 'GET')
        return path.endsWith('/404') ? json(404, { message: 'no such pet' }) : json(200, { id: 1, name: 'Rex' });
      if (path.startsWith('/v1/pets/') && r.method === 'DELETE') return void res.writeHead(204).end();
      if (path === '/v1/echo')
        return json(200, r, { link: `<${r.url}&key=${String(r.headers['x-pet-key'])}>; rel="next"` });
      if (path === '/v1/me') return json(200, { id: 'svc-1', name: 'Pet robot' });
      if (path === '/v1/away') return say(302, 'text/plain', '', { location: 'http://203.0.113.7/else' });
      if (path === '/v1/picture') return say(200, 'image/png', Buffer.from('89504e470d0a1a0a00', 'hex'));
      if (path === '/v1/page') return say(200, 'text/html', '<h1>News</h1><script>x()</script><p>All is well</p>');
      if (path === '/v1/large')
        return json(200, { rows: Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'row' })) });
      if (path === '/v1/long-id') return say(200, 'application/json', '{"id":9007199254740993}');
      if (path === '/v1/busy') {
        if (throttled-- > 0) return json(429, { message: 'slow down' }, { 'retry-after': '1' });
        return json(200, { ok: true });
      }
      json(404, { message: `nothing at ${path}` });
    });
  });
  self.url = server.url;
  self.document = petDocument(`${server.url}/v1`);
  return self;
}

const ok = { responses: { 200: { description: 'fine' } } };

/** A document as a generator writes it, OpenAPI 3.0. */
export const petDocument = (
  server: string,
): { paths: Record<string, Record<string, object>> } & Record<string, unknown> => ({
  openapi: '3.0.3',
  info: { title: 'Pet store', version: '1.4.0' },
  servers: [{ url: server }],
  components: {
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Pet-Key' } },
    schemas: {
      Pet: {
        type: 'object',
        required: ['name', 'id'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string', minLength: 1, description: 'What it is called' },
          tag: { type: 'string', nullable: true, enum: ['dog', 'cat'] },
          parent: { $ref: '#/components/schemas/Pet' },
        },
        additionalProperties: false,
      },
    },
  },
  security: [{ key: [] }],
  paths: {
    '/pets': {
      get: {
        operationId: 'listPets',
        summary: 'Lists pets',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
          {
            name: 'filter',
            in: 'query',
            style: 'deepObject',
            schema: { type: 'object', properties: { tag: { type: 'string' } } },
          },
          { name: 'tags', in: 'query', explode: false, schema: { type: 'array', items: { type: 'string' } } },
        ],
        ...ok,
      },
      post: {
        operationId: 'createPet',
        summary: 'Adds a pet',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } },
        },
        ...ok,
      },
    },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getPet', ...ok },
      delete: { operationId: 'deletePet', ...ok },
    },
    '/echo': {
      post: {
        operationId: 'echo',
        parameters: [
          { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
          { name: 'q', in: 'query', schema: { type: 'string' } },
        ],
        requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } } },
        ...ok,
      },
    },
    ...Object.fromEntries(
      ['away', 'picture', 'page', 'large', 'long-id', 'busy'].map((p) => [`/${p}`, { get: { operationId: p, ...ok } }]),
    ),
    '/upload': { post: { operationId: 'upload', requestBody: { content: { 'multipart/form-data': {} } }, ...ok } },
  },
});
