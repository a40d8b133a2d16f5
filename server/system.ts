import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { assets } from '#kernel/page-assets.ts';
import { answerPortalFile } from './portal-files.ts';

/** What the node says about itself to whoever runs it. None of it needs the database, except readiness, which asks it. */
export type Health = {
  /** Undefined when the node can serve; else what is missing, in words. */
  notReady(): Promise<string | undefined>;
  metrics(): Promise<string>;
  metricsToken: string | undefined;
};

const text = (res: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
  res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  res.end(body);
};

const fromHere = (req: IncomingMessage): boolean =>
  /^(?:127\.|::1$|::ffff:127\.)/.test(req.socket.remoteAddress ?? '') &&
  req.headers['x-forwarded-for'] === undefined &&
  req.headers.forwarded === undefined;

const tokenMatches = (header: string | undefined, token: string): boolean => {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

/**
 * Answers `/healthz` (the process runs), `/readyz` (it can serve), `/metrics` (Prometheus text) and the static files of our own pages.
 * They take any Host, because probes come by address. Returns false for every other path.
 */
export function answerSystem(req: IncomingMessage, res: ServerResponse, path: string, health: Health): boolean {
  if (answerPortalFile(req, res, path)) return true;
  const file = assets[path];
  if (!file && path !== '/healthz' && path !== '/readyz' && path !== '/metrics') return false;
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('allow', 'GET, HEAD');
    text(res, 405, 'only GET is possible here\n');
  } else if (file) {
    res.writeHead(200, {
      'content-type': file.type,
      'cache-control': 'public, max-age=86400',
      'x-content-type-options': 'nosniff',
    });
    res.end(req.method === 'HEAD' ? undefined : file.body);
  } else if (path === '/healthz') text(res, 200, 'alive\n');
  else if (path === '/readyz')
    void health.notReady().then(
      (why) => text(res, why === undefined ? 200 : 503, why === undefined ? 'ready\n' : `not ready: ${why}\n`),
      () => text(res, 503, 'not ready: the check itself failed\n'),
    );
  else if (
    health.metricsToken === undefined ? fromHere(req) : tokenMatches(req.headers.authorization, health.metricsToken)
  )
    void health.metrics().then(
      (m) => text(res, 200, m, 'text/plain; version=0.0.4; charset=utf-8'),
      () => text(res, 500, 'the metrics could not be collected\n'),
    );
  else
    text(
      res,
      403,
      health.metricsToken === undefined
        ? 'metrics are for this machine; set GATEHOUSE_METRICS_TOKEN to read them from another\n'
        : 'a bearer token is needed: the value of GATEHOUSE_METRICS_TOKEN\n',
    );
  return true;
}
