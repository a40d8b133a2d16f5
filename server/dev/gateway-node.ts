// Another node of the gateway over a test's database, in a process of its own, so that it can be killed. `--pause opened` stops each call
// before it is sent, `--pause sent` after its answer has come and before it is closed; both say so on stdout.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { Dispatcher } from 'undici';
import { startGateway } from '#gateway/start-gateway.ts';
import { newId } from '#kernel/id.ts';
import { startVersions } from '#kernel/versions.ts';
import { makeTunnels } from '#tunnels/start-tunnels.ts';
import { connect } from '#kernel/db.ts';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { testWorld } from './test-world.ts';

const { values } = parseArgs({
  options: { url: { type: 'string' }, origin: { type: 'string' }, pause: { type: 'string' } },
});
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const tunnels = makeTunnels();
const real = makeEgress({ log: silentLog, ways: tunnels.way });
const paused = (d: Dispatcher): Pick<Dispatcher, 'dispatch'> => ({
  dispatch(options, handler) {
    if (values.pause === 'opened') {
      say({ paused: 'opened' });
      return true;
    }
    return d.dispatch(options, {
      onRequestStart: (c, x) => handler.onRequestStart?.(c, x),
      onResponseStart: (c, s, h) => handler.onResponseStart?.(c, s, h),
      onResponseData: (c, chunk) => handler.onResponseData?.(c, chunk),
      onResponseEnd: () => say({ paused: 'sent' }),
      onResponseError: (c, e) => handler.onResponseError?.(c, e),
    });
  },
});
const egress: Egress =
  values.pause === undefined ? real : { ...real, dispatcher: (rules) => paused(real.dispatcher(rules)) as Dispatcher };

const db = connect({ url: values.url ?? '', role: 'gatehouse_app', log: silentLog });
const world = await testWorld(db, { origin: values.origin ?? '', egress });
const node = newId('nod');
const versions = await startVersions({ pool: db.pool, log: silentLog });
const shouldUpgradeCallback = (req: IncomingMessage): boolean => tunnels.handles(req.url ?? '/');
const server = createServer({ shouldUpgradeCallback }, (req, res) => gateway.handle(req, res));
server.on('upgrade', (req, socket, head) => tunnels.upgrade(req, socket, head));
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
tunnels.start({ world, versions, node });
const gateway = await startGateway(world, { versions, node, address: `http://127.0.0.1:${port}` });
say({ port, node });
process.stdin.once('end', () => process.exit(0)).resume();
// As a node that is told to stop: its agents go to another one, and what is under way has its moment.
process.once(
  'SIGTERM',
  () =>
    void tunnels
      .stop()
      .then(() => gateway.stop())
      .then(() => process.exit(0)),
);
