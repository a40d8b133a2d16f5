import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { listeningDirectory } from '@gatehouse/server/dev/listening-directory.ts';
import { testConsole, type Console } from './test-console.ts';

let d: Awaited<ReturnType<typeof listeningDirectory>>;
let c: Console;
before(async () => {
  d = await listeningDirectory();
  // The server limits requests by its own clock, which goes along with our waits.
  c = testConsole(d, (ms) => d.directory.clock.advance(ms));
});
after(async () => {
  c.close();
  await d.close();
});

const writes = (): string[] => d.requests.filter((r) => !r.startsWith('GET'));
const group = async (displayName: string): Promise<string> =>
  (await d.directory.send('POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName }))
    .body['id'];

test('our own server takes a whole life: made, granted, revoked, deleted, and made again', async () => {
  await group('Engineering');
  const plan = join(c.dir, 'p1.json');
  const desired = c.file(
    'd1.csv',
    'email,display_name,external_id,groups\nAda@x.example,Ada Byron King,e1,engineering\nprince@x.example,Prince,,Engineering\n',
  );
  const p = await c.run('plan', '--desired', desired, '--out', plan);
  assert.equal(p.status, 0, p.err);
  const a = await c.run('apply', '--plan', plan);
  assert.equal(a.status, 0, a.err + a.out);
  const ada = (await d.directory.send('GET', `/Users?filter=${encodeURIComponent('userName eq "ada@x.example"')}`))
    .body['Resources'][0];
  assert.deepEqual(
    [ada.name.givenName, ada.name.familyName, ada.userName, ada.externalId, ada.active],
    ['Ada', 'Byron King', 'Ada@x.example', 'e1', true],
  );
  const before = writes().length;
  assert.equal((await c.run('plan', '--desired', desired, '--check')).status, 0);
  assert.equal((await c.run('apply', '--plan', plan, '--state', join(c.dir, 's'))).json.already, 4);
  assert.equal(writes().length, before, 'two applies change nothing');

  const off = await c.run('revoke', '--user', 'ADA@x.example', '--group', 'Engineering');
  assert.equal(off.json.results[0].result, 'done', off.err);
  assert.equal(
    (await c.run('revoke', '--user', 'ADA@x.example', '--group', 'Engineering')).json.results[0].result,
    'already',
  );
  const on = await c.run('grant', '--user', 'ada@x.example', '--user', 'prince@x.example', '--group', 'Engineering');
  assert.deepEqual(
    on.json.results.map((r: { result: string }) => r.result),
    ['done', 'already'],
  );

  const leave = c.file('d2.csv', 'email,group\nprince@x.example,Engineering\n');
  await c.run('plan', '--desired', leave, '--out', join(c.dir, 'p2.json'));
  assert.equal((await c.run('apply', '--plan', join(c.dir, 'p2.json'))).status, 0);
  assert.equal((await c.run('sync')).json.users.length, 1);
  await c.run('plan', '--desired', desired, '--out', join(c.dir, 'p3.json'));
  assert.equal((await c.run('apply', '--plan', join(c.dir, 'p3.json'))).status, 0);
  assert.equal((await c.run('plan', '--desired', desired, '--check')).status, 0);
});

test('a list of more than a page and a group of more than a request come through whole', async () => {
  const people = Array.from({ length: 230 }, (_, i) => ({
    email: `m${i}@x.example`,
    displayName: `M ${i}`,
    groups: ['Everybody'],
  }));
  await group('Everybody');
  const desired = c.file('many.json', { people });
  const plan = join(c.dir, 'many-plan.json');
  await c.run('plan', '--desired', desired, '--keep-unlisted', '--out', plan);
  const r = await c.run('apply', '--plan', plan);
  assert.equal(r.json.applied, 460, r.err);
  const again = await c.run('plan', '--desired', desired, '--keep-unlisted', '--check');
  assert.equal(again.status, 0, again.out.slice(0, 500));
});

test(
  'from any file to any other: plan, apply, and the next plan is empty (random files, real server)',
  { timeout: 120_000 },
  async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ n: fc.nat(7), ext: fc.boolean(), groups: fc.uniqueArray(fc.nat(3)) }), {
          selector: (p) => p.n,
        }),
        fc.uniqueArray(fc.nat(3)),
        async (people, named) => {
          const desired = c.file(`r${++n}.json`, {
            people: people.map((p) => ({
              email: `r${p.n}@x.example`,
              displayName: `R ${p.n}`,
              ...(p.ext ? { externalId: `x${p.n}` } : {}),
              groups: p.groups.map((g) => `Group ${g}`),
            })),
            groups: named.map((g) => `Group ${g}`),
          });
          const plan = join(c.dir, `r${n}-plan.json`);
          const p = await c.run('plan', '--desired', desired, '--manage-groups', '--out', plan);
          assert.equal(p.status, 0, p.out);
          const a = await c.run('apply', '--plan', plan, '--allow-removals', String(p.json.removals));
          assert.equal(a.status, 0, a.out + a.err);
          const again = await c.run('plan', '--desired', desired, '--manage-groups', '--check');
          assert.equal(again.status, 0, again.out);
        },
      ),
      { numRuns: 12 },
    );
  },
);
