import { parseArgs } from 'node:util';
import { auditEvents, event } from '#audit/events.ts';
import { inboxRow } from '#audit/inbox.sql.ts';
import { change } from '#audit/change.ts';
import { startSequencer } from '#audit/sequencer.ts';
import { testDb } from '#dev/test-db.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';

/**
 * Events per second that are written by `change` and sequenced, beside a floor: the same rows, in the same batches, in plain INSERTs into
 * one table, without inbox, tree or sequencer. Load generator, server and PostgreSQL share this machine.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    lanes: { type: 'string', default: '4' },
    commit: { type: 'string', default: '50' },
    orgs: { type: 'string', default: '1' },
  },
});
const [seconds, lanes, perCommit, orgs] = [values.seconds, values.lanes, values.commit, values.orgs].map(Number) as [
  number,
  number,
  number,
  number,
];

await using t = await testDb();
const world = await t.world();
const parent = newId('par');
const scopes = Array.from({ length: orgs }, () => newId('org'));
const user = newId('usr');
const session = newId('ses');
const ctxOf = (lane: number): Ctx => {
  const { now, ...rest } = world;
  return {
    ...rest,
    actor: { kind: 'user', id: user, session },
    parent,
    org: scopes[lane % orgs],
    now: now(),
    request: newId('req'),
  };
};
const sample = (i: number) =>
  event(auditEvents, 'audit.read', {
    log: scopes[0]!,
    from: i,
    to: i + 100,
    filter: `connector con_${i % 50}, actor ${user}`,
  });

async function load(
  write: (lane: number, n: number) => Promise<void>,
): Promise<{ events: number; ms: number; began: number }> {
  const began = performance.now();
  const until = began + seconds * 1000;
  let events = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() < until) {
        await write(lane, events);
        events += perCommit;
      }
    }),
  );
  return { events, ms: performance.now() - began, began };
}

const cpu = (): number => process.cpuUsage().user + process.cpuUsage().system;
const perSecond = (n: number, ms: number): string =>
  Math.round((n / ms) * 1000)
    .toLocaleString('en')
    .padStart(8);

await t.super(
  `create table floor (id text primary key, log text not null, at timestamptz not null, header jsonb not null, data jsonb not null, salt bytea not null)`,
);
await t.super('grant insert on floor to gatehouse_app');
const floor = await load(async (lane, n) => {
  const ctx = ctxOf(lane);
  const rows = Array.from({ length: perCommit }, (_, i) =>
    inboxRow({ log: ctx.org!, at: ctx.now, actor: ctx.actor, request: ctx.request, event: sample(n + i) }),
  );
  await t.db.pool.query(
    `insert into floor select id, log, at, header::jsonb, data::jsonb, decode(salt, 'hex') from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[]) as r(id, log, at, header, data, salt)`,
    [
      rows.map((r) => r.id),
      rows.map((r) => r.log),
      rows.map((r) => r.at),
      rows.map((r) => r.header),
      rows.map((r) => r.data),
      rows.map((r) => r.salt),
    ],
  );
});

const sequencer = startSequencer({ world: { ...world, db: t.as('gatehouse_sequencer') } });
await sequencer.settled();
const before = cpu();
const run = await load((lane, n) =>
  change(ctxOf(lane), async () => ({
    value: undefined,
    events: Array.from({ length: perCommit }, (_, i) => sample(n + i)) as [ReturnType<typeof sample>],
  })),
);
const backlog = Number((await t.super<{ n: string }>('select count(*) as n from audit_inbox'))[0]!.n);
await sequencer.settled();
const total = performance.now() - run.began;
const used = (cpu() - before) / 1000;
const [sum] = await t.super<{ size: string; checkpoints: string }>(
  'select (select sum(size) from audit_head) as size, (select count(*) from audit_checkpoint) as checkpoints',
);
await sequencer.stop();

console.log(
  `audit: ${lanes} lanes, ${perCommit} events per commit, ${orgs} log(s), ${seconds} s, everything on this machine`,
);
console.log(`  plain INSERT into one table (floor) ${perSecond(floor.events, floor.ms)} events/s`);
console.log(`  written through change()            ${perSecond(run.events, run.ms)} events/s`);
console.log(`  written, sequenced and signed       ${perSecond(run.events, total)} events/s`);
console.log(
  `  backlog when the writers stopped    ${String(backlog).padStart(8)} events, gone ${Math.round(total - run.ms)} ms later`,
);
console.log(
  `  processor time of this process      ${((used / run.events) * 1000).toFixed(1).padStart(8)} µs per event, load generator included`,
);
console.log(`  checkpoints                         ${(sum?.checkpoints ?? '').padStart(8)}`);
if (Number(sum?.size) !== run.events)
  throw new Error(`${run.events} events were acknowledged, ${sum?.size} are in the log`);
