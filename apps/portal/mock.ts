import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import process, { argv } from 'node:process';
import type { MockAnswer } from '@gatehouse/client/generate.ts';
import { createServer as createVite } from 'vite';
import { config } from './vite.config.ts';

// `npm run dev -w apps/portal`: the portal without a server of ours, for work on how it looks. Every operation answers with one sample that
// its declared reply allows; what is changed is not kept.

type Handler = { method: string; path: RegExp; answer: MockAnswer };
const answers = JSON.parse(readFileSync(new URL(import.meta.resolve('@gatehouse/client/mock.json')), 'utf8')) as Record<
  string,
  MockAnswer
>;

/** Literal paths before those with a parameter, as the real router has them. */
const handlers: Handler[] = Object.entries(answers)
  .map(([name, answer]) => {
    const [method = '', path = ''] = name.split(' ');
    return {
      method,
      path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
      answer,
      names: path.split('{').length,
    };
  })
  .toSorted((a, b) => a.names - b.names);

function answerApi(req: IncomingMessage, res: ServerResponse, path: string): void {
  if (path.endsWith('/live')) {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': nothing changes here\n\n');
    return;
  }
  const found = handlers.find((h) => h.method === req.method && h.path.test(path));
  if (!found) {
    const problem = {
      type: 'about:blank',
      title: 'mock',
      status: 404,
      code: 'mock/no-such-operation',
      detail: `${req.method} ${path} is not declared`,
      request: 'mock',
    };
    res.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    return;
  }
  const { status, body } = found.answer;
  res.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body));
}

const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Gatehouse</title></head><body><div id="root"></div><script type="module" src="/src/main.tsx"></script></body></html>`;

/** Starts the mock; port 0 takes any. Changes of the sources show at once. */
export async function startMock(port: number): Promise<{ origin: string; stop(): Promise<void> }> {
  const server = createServer();
  const vite = await createVite({
    ...config,
    appType: 'custom',
    server: { middlewareMode: true, hmr: { server } },
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    const path = (req.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith('/api/')) return answerApi(req, res, path);
    vite.middlewares(req, res, () => {
      vite
        .transformIndexHtml(req.url ?? '/', html)
        .then((text) => res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text))
        .catch((e: unknown) => res.writeHead(500).end(String(e)));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${taken}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await vite.close();
    },
  };
}

if (import.meta.filename === argv[1]) {
  const { origin } = await startMock(7500);
  process.stdout.write(`The portal on sample answers: ${origin}/portal/org\n`);
}
