// Another node's vault over a test's database, in a process of its own, so that it can be killed. It renews the one connection that it is told
// of; with `pause` it stops for ever when the vendor's answer has come and nothing of it is stored, and says so on stdout.
import { connect } from '#kernel/db.ts';
import { makeEgress, type Egress } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { makeVault } from '#vault/vault.ts';
import { testWorld } from './test-world.ts';
import { siteOver, type NodeSheet } from './vault-house.ts';
import { plainManifest } from './vendors/plain-manifest.ts';

const sheet = JSON.parse(process.argv[2] ?? '{}') as NodeSheet & {
  connections: Id<'cnn'>[];
  times: number;
  pause: boolean;
};
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const real = makeEgress({ log: silentLog });
const paused: Egress = {
  ...real,
  async fetch(url, init, rules) {
    const answer = await real.fetch(url, init, rules);
    await answer.clone().arrayBuffer();
    say({ paused: 'answered' });
    return new Promise<Response>(() => undefined);
  },
};
const db = connect({ url: sheet.url, role: 'gatehouse_app', log: silentLog });
const world = await testWorld(db, { egress: sheet.pause ? paused : real });
const vault = makeVault(world, {
  siteOf: siteOver(sheet.connector, plainManifest(sheet.options), sheet.origins, { on: true, actAs: 'person' }),
});
const all = sheet.connections.flatMap((connection) =>
  Array.from({ length: sheet.times }, async () => {
    try {
      return (await vault.unlock(sheet.at, { connection })).token.reveal();
    } catch (e) {
      return e instanceof Problem ? e.code : String(e);
    }
  }),
);
say({ got: await Promise.all(all) });
await db.end();
await real.close();
