// Another node of the gateway over a test's database, in a process of its own, so that it can be killed. `--pause opened` stops each call
// before it is sent, `--pause sent` after its answer has come and before it is closed; both say so on stdout.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { Dispatcher } from 'undici';
import { startGateway } from '#gateway/start-gateway.ts';
import { connect } from '#kernel/db.ts';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { testWorld } from './test-world.ts';

const { values } = parseArgs({
  options: { url: { type: 'string' }, origin: { type: 'string' }, pause: { type: 'string' } },
});
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const real = makeEgress({ log: silentLog });
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
const gateway = await startGateway(world);
const server = createServer((req, res) => gateway.handle(req, res));
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
process.stdin.once('end', () => process.exit(0)).resume();
