// Longer than 300 lines: the one place where a node is put together from all its parts; each part is in its own room.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { siteOf } from '#connectors/connect/site-of.ts';
import { vendorOf } from '#connectors/vendors/all-vendors.ts';
import { startSequencer, type Sequencer } from '#audit/sequencer.ts';
import { fileWitness } from '#audit/witness.ts';
import { authorizationHandler } from '#authorization/authorization-handler.ts';
import { startGateway } from '#gateway/start-gateway.ts';
import { currentUser } from '#identity/current-user.ts';
import type { World } from '#kernel/ctx.ts';
import { startJobs } from '#kernel/job.ts';
import type { Log } from '#kernel/log.ts';
import { openApi } from '#kernel/openapi.ts';
import { mount } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { makeMailer } from '#notify/mailer.ts';
import type { Tunnels } from '#tunnels/start-tunnels.ts';
import { makeVault } from '#vault/vault.ts';
import { makeMetrics, startTracing } from '#kernel/telemetry.ts';
import { startVersions } from '#kernel/versions.ts';
import { newId } from '#kernel/id.ts';
import type { Config } from './config.ts';
import { nodeAddress } from './node-address.ts';
import { doors } from './doors.ts';
import { openWorld, type Opened } from './open-world.ts';
import { jobsOf } from './node-jobs.ts';
import { answerSystem, type Health } from './system.ts';

export const version: string = (
  JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export type Serving = {
  /** What people and agents use. */
  origin: string;
  opened: Opened;
  /** Resolves when all that is committed now has its place in the log and is under a signed checkpoint. */
  settled(): Promise<void>;
  /** Takes no new requests, finishes what is under way, gives up its locks, stops the embedded database. */
  stop(): Promise<void>;
};

type Handler = (req: IncomingMessage, res: ServerResponse) => void;
/** A connection that is to become another: agents of tunnels, and other nodes. */
type Upgrading = Pick<Tunnels, 'handles' | 'upgrade'>;

/**
 * Starts a node. The port is bound first, so that a taken one is known before anything else happens and `/healthz` answers while the
 * database starts.
 */
export async function serve(config: Config, log: Log, options: { fresh?: boolean } = {}): Promise<Serving> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const c of closing.splice(0).toReversed()) await c();
  };
  try {
    const metrics = makeMetrics();
    const health: Health = {
      notReady: async () => 'it is starting',
      metrics: () => metrics.text(),
      metricsToken: config.metricsToken,
    };
    let handle: Handler = (_req, res) => {
      res.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' });
      res.end('this node is starting; try again in a second\n');
    };
    let upgrading: Upgrading | undefined;
    const server = await listen(
      config,
      () => upgrading,
      (req, res) => {
        const path = (req.url ?? '/').split('?')[0] ?? '/';
        if (!answerSystem(req, res, path, health)) handle(req, res);
      },
    );
    closing.push(() => closeServer(server));
    const { port } = server.address() as AddressInfo;
    const origin = config.origin ?? `${config.tls ? 'https' : 'http'}://localhost:${port}`;

    const tracing = await startTracing({ endpoint: config.otlpEndpoint, version });
    closing.push(() => tracing.stop());
    const opened = await openWorld(config, log, origin, options);
    closing.push(() => opened.close());
    const versions = await startVersions({ pool: opened.world.db.pool, log });
    const world: World = { ...opened.world, versions };
    closing.push(() => versions.close());
    const node = newId('nod');
    const { tunnels } = opened;
    tunnels.start({ world, versions, node, metrics });

    const site = siteOf(vendorOf);
    const vault = makeVault(world, { siteOf: site, metrics });
    const oauth = opened.as('gatehouse_oauth', 8);
    let sequencer: Sequencer | undefined;
    if (config.roles.includes('worker')) {
      sequencer = startSequencer({
        world: { ...world, db: opened.as('gatehouse_sequencer', 2) },
        witness: fileWitness(opened.folder),
      });
      const running = sequencer;
      closing.push(() => running.stop());
      const mailer = config.smtp && makeMailer(config.smtp);
      if (mailer) closing.push(() => mailer.close());
      const jobs = await startJobs(
        opened.as('gatehouse_worker', 6).pool,
        jobsOf(world, { oauth, vault, site, mailer, metrics, callFactsDays: config.callFactsDays }),
        log,
      );
      closing.push(() => jobs.stop());
    }

    const parts: { handles(path: string): boolean; handle: Handler }[] = [];
    if (config.roles.includes('gateway')) {
      const gateway = await startGateway(world, {
        versions,
        metrics,
        node,
        address: await nodeAddress(config, port, world.db),
        credentials: vault,
        wake: () => sequencer?.wake(),
      });
      closing.push(() => gateway.stop());
      parts.push(gateway);
      upgrading = tunnels;
    }
    // Before the gateway gives up its lease: until then other nodes reach the agents of this one, which go meanwhile.
    closing.push(() => tunnels.stop());
    if (config.roles.includes('web')) {
      parts.push(await authorizationHandler(world, { oauth, currentUser, dcr: config.dynamicRegistration }));
      parts.push({ handles: () => true, handle: webHandler(world, log) });
    }
    handle = (req, res) => {
      const refusal = foreignHost(req, origin);
      if (refusal) return refusal(res);
      const path = (req.url ?? '/').split('?')[0] ?? '/';
      const part = parts.find((p) => p.handles(path));
      if (part) part.handle(req, res);
      else
        res
          .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
          .end('this node does not serve that; GATEHOUSE_ROLES says what a node does\n');
    };
    const stopped = metrics.gauge(
      'gatehouse_logs_halted',
      'Logs whose sequencer stopped because going on would be wrong. An alarm: events are kept and wait in the inbox.',
    );
    health.metrics = () => {
      stopped.set(sequencer?.halted().size ?? 0);
      return metrics.text();
    };
    health.notReady = async () => {
      await world.db.read({}, async () => undefined);
      return undefined;
    };
    return { origin, opened, settled: async () => sequencer?.settled(), stop: close };
  } catch (e) {
    await close();
    throw e;
  }
}

/** The doors of `doors.ts` on Hono, and the document that describes them. */
function webHandler(world: World, log: Log): Handler {
  const app = new Hono();
  const all = doors(world);
  const document = JSON.stringify(openApi(all, world.origin, version));
  app.get('/api/openapi.json', (c) =>
    c.body(document, 200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' }),
  );
  for (const door of all) mount(app, door, log);
  app.notFound((c) => c.text('there is nothing here\n', 404));
  // Libraries and our egress hold node's own Request and Response; the adapter must not put its look-alikes in their place.
  const listener = getRequestListener(app.fetch, {
    hostname: new URL(world.origin).host,
    overrideGlobalObjects: false,
  });
  return (req, res) => void listener(req, res);
}

/**
 * A request for another host is refused before anything reads it: a name that somebody points at this address must not act with what a
 * browser holds for ours (DNS rebinding), and links are made from the origin, never from what a request says.
 */
function foreignHost(req: IncomingMessage, origin: string): ((res: ServerResponse) => void) | undefined {
  const host = req.headers.host?.toLowerCase();
  if (host === new URL(origin).host && (req.url ?? '').startsWith('/')) return undefined;
  const p = new Problem('invalid', 'http/foreign-host', {
    says: `this is ${origin}, and the request is for ${host === undefined ? 'no host' : `"${host.slice(0, 100)}"`}`,
    fix: `use ${origin}`,
  });
  return (res) => {
    res.writeHead(421, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      connection: 'close',
    });
    res.end(
      JSON.stringify({
        type: `urn:gatehouse:problem:${p.code}`,
        title: p.code,
        status: 421,
        code: p.code,
        detail: p.says,
        fix: p.fix,
      }),
    );
  };
}

function listen(config: Config, upgrading: () => Upgrading | undefined, handler: Handler): Promise<Server> {
  const { host, port } = config.listen;
  // A slow sender of headers is cut off after ten seconds; bodies have the limits of their doors.
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 16 * 1024,
    // Some clients offer an upgrade with every request; to everybody but these it is answered as if they had not.
    shouldUpgradeCallback: (req: IncomingMessage) =>
      upgrading()?.handles((req.url ?? '/').split('?')[0] ?? '/') === true,
  };
  const server = config.tls
    ? createTlsServer({ ...limits, ...tlsFiles(config.tls) }, handler)
    : createServer(limits, handler);
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const at = upgrading();
    if (at) at.upgrade(req, socket, head);
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', (e: NodeJS.ErrnoException) => {
      if (e.code === 'EADDRINUSE')
        reject(
          new Problem('conflict', 'server/port-taken', {
            says: `port ${port} of ${host} is taken by another process`,
            fix: 'stop that process, or set GATEHOUSE_PORT to a free port',
            because: e,
          }),
        );
      else if (e.code === 'EACCES' || e.code === 'EADDRNOTAVAIL' || e.code === 'ENOTFOUND')
        reject(
          new Problem('invalid', 'server/cannot-listen', {
            says: `this machine does not let us listen on ${host}:${port} (${e.code})`,
            fix: 'set GATEHOUSE_HOST and GATEHOUSE_PORT to an address of this machine and a port above 1023',
            because: e,
          }),
        );
      else reject(e);
    });
    server.listen(port, host, () => resolve(server));
  });
}

function tlsFiles(tls: { cert: string; key: string }): { cert: Buffer; key: Buffer; minVersion: 'TLSv1.2' } {
  const read = (name: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (e) {
      throw new Problem('invalid', 'server/tls-file', {
        says: `the file in ${name} cannot be read: ${e instanceof Error ? e.message : 'unknown'}`,
        fix: `point ${name} to a PEM file that this user may read`,
        because: e,
      });
    }
  };
  return { cert: read('GATEHOUSE_TLS_CERT', tls.cert), key: read('GATEHOUSE_TLS_KEY', tls.key), minVersion: 'TLSv1.2' };
}

/** Open streams do not hold up a stop: what is idle closes at once, the rest after five seconds. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5000).unref();
  });
}
