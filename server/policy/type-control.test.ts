import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import {
  catalogue,
  crm,
  drive,
  everyone,
  loadPolicies,
  policyHouse,
  shelf,
  why,
  type PolicyHouse,
} from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { explain } from './because.ts';
import { decideByWasm } from './cedar.ts';
import { decideCall, factsOf, policySet } from './decide.ts';
import { policiesOfControls, regulated } from './control.ts';
import { toolClasses, type ToolClass } from './schema.ts';
import { listTypes } from './type-control.sql.ts';
import { typeBars, wordsOfType, type TypeControl } from './type-control.ts';

let t: TestDb;
let world: World;
before(async () => {
  t = await testDb();
  world = await t.world();
});
after(() => t.close());
const house = (name: string): Promise<PolicyHouse> => policyHouse(t, world, name);

const types = [
  { type: 'mcp', name: 'Own server' },
  { type: 'google-drive', name: 'Google Drive' },
];
beforeEach(() => {
  catalogue.types = () => types;
  shelf.tools = shelf.tools.map((x) => ({ ...x, type: x.connector === drive ? 'google-drive' : 'mcp' }));
});

const how = async (h: PolicyHouse, user: typeof h.ada, klass: ToolClass, type = 'google-drive') =>
  decideCall(
    await loadPolicies(h),
    {
      user,
      groups: user === h.ada ? [h.sales] : [],
      tool: { connector: type === 'mcp' ? crm : drive, name: `${klass}_it`, class: klass, type },
      context: {
        surface: 'mcp',
        device: 'unknown',
        now: { weekday: 1, minute: 0 },
        session: { readUntrusted: false, readPrivate: false },
      },
    },
    [{}],
  ).outcome;
const all = async (h: PolicyHouse): Promise<string[]> =>
  Promise.all([how(h, h.ada, 'read'), how(h, h.ada, 'write'), how(h, h.bob, 'read'), how(h, h.bob, 'read', 'mcp')]);
const allowAll = (h: PolicyHouse) =>
  h.ask('POST', '/rules', {
    name: 'all',
    who: everyone,
    connector: 'any',
    tools: { classes: ['read', 'write'] },
    effect: 'allow',
    asks: 'never',
  });
const put = async (h: PolicyHouse, body: object) => {
  const r = await h.ask('PUT', '/policy/types/google-drive', { ...body, ...why });
  assert.equal(r.status, 200, JSON.stringify(r.json));
  return r.json;
};

test('a type that is off is off for everybody, whatever a rule says, and only that type', async () => {
  const h = await house('typeoff');
  await allowAll(h);
  assert.deepEqual(await all(h), ['allowed', 'allowed', 'allowed', 'allowed']);
  const made = await put(h, { state: 'off' });
  assert.equal(made['words'], 'connectors of the type google-drive are switched off');
  assert.deepEqual(await all(h), ['denied', 'denied', 'denied', 'allowed']);
  assert.equal((await h.ask('DELETE', '/policy/types/google-drive?reason=over')).status, 204);
  assert.deepEqual(await all(h), ['allowed', 'allowed', 'allowed', 'allowed']);
  assert.equal((await h.ask('DELETE', '/policy/types/google-drive?reason=over')).json.code, 'policy/no-type-control');
});

test('a type for groups is for nobody else, whatever a rule says, and gives them its access without any rule', async () => {
  const h = await house('typegroups');
  const made = await put(h, { state: 'groups', groups: [h.sales], access: 'read' });
  assert.equal(made['words'], 'connectors of the type google-drive: only Sales, with read access');
  assert.deepEqual(await all(h), ['allowed', 'denied', 'denied', 'denied']);
  await allowAll(h);
  assert.deepEqual(await all(h), ['allowed', 'allowed', 'denied', 'allowed']);
});

test('what is said of one connector for everyone takes the place of the access of its type', async () => {
  const h = await house('typeown');
  await put(h, { state: 'on', access: 'read_write' });
  assert.deepEqual(await all(h), ['allowed', 'allowed', 'allowed', 'denied']);
  await h.ask('PUT', '/policy/controls', { who: everyone, connector: drive, access: 'read', ...why });
  assert.deepEqual(await all(h), ['allowed', 'denied', 'allowed', 'denied']);
});

test('the access of a type takes the place of what holds by default in an open organization', async () => {
  const h = await house('typedefault');
  await h.ask('PUT', '/policy/settings', { mode: 'open', defaultAccess: 'read_write', ...why });
  await put(h, { state: 'on', access: 'off' });
  assert.deepEqual(await all(h), ['denied', 'denied', 'denied', 'allowed']);
});

test('a preview says who loses what before a type is switched off, and binds the change to it', async () => {
  const h = await house('typepreview');
  await allowAll(h);
  const control = { type: 'google-drive', state: 'groups', groups: [h.sales] };
  const seen = await h.ask('POST', '/policy/preview', { kind: 'set_type_control', control });
  const [line] = seen.json['lines'] as {
    effect: string;
    peopleCount: number;
    people: { user: string }[];
    toolCount: number;
  }[];
  // The owner and Bob are not in Sales.
  assert.deepEqual([line?.effect, line?.peopleCount, line?.toolCount], ['loses', 2, 2]);
  assert.ok(line?.people.some((p) => p.user === h.bob) && !line.people.some((p) => p.user === h.ada));
  const stale = await h.ask('PUT', '/policy/types/google-drive', { state: 'off', previewed: seen.json.hash, ...why });
  assert.equal(stale.json.code, 'policy/preview-stale');
  await put(h, { state: 'groups', groups: [h.sales], previewed: seen.json.hash });
});

test('the types of the catalogue are listed with what holds for each, and searched', async () => {
  const h = await house('typelist');
  await put(h, { state: 'off' });
  const listed = await h.ask('GET', '/policy/types');
  assert.deepEqual(
    listed.json.items.map((i) => [i['type'], i['state'], i['control'] !== null]),
    [
      ['google-drive', 'off', true],
      ['mcp', 'on', false],
    ],
  );
  assert.deepEqual((await h.ask('GET', '/policy/types?q=drive&limit=1')).json.items.length, 1);
  const page = await h.ask('GET', '/policy/types?limit=1');
  const next = await h.ask('GET', `/policy/types?limit=1&cursor=${String(page.json['next'])}`);
  assert.deepEqual([page.json.items[0]?.['type'], next.json.items[0]?.['type']], ['google-drive', 'mcp']);
});

for (const [what, path, body, code] of [
  ['a type that the catalogue does not have', 'fax', { state: 'off' }, 'policy/no-type'],
  ['groups that are not here', 'mcp', { state: 'groups', groups: [newId('grp')] }, 'policy/no-group'],
  ['no group at all', 'mcp', { state: 'groups', groups: [] }, 'http/invalid'],
  ['access to what is off', 'mcp', { state: 'off', access: 'read' }, 'http/invalid'],
] as const)
  test(`a control of ${what} is refused`, async () => {
    const h = await house(`typebad${path}${code.length}${JSON.stringify(body).length}`);
    assert.equal((await h.ask('PUT', `/policy/types/${path}`, { ...body, ...why })).json.code, code);
  });

test('an old version brings its types back, and a version shows them', async () => {
  const h = await house('typeversions');
  const made = await put(h, { state: 'groups', groups: [h.sales], access: 'read' });
  await put(h, { state: 'off' });
  const v1 = await h.ask('GET', '/policy/versions/1');
  assert.deepEqual(v1.json['types'], [{ id: made['control'], type: 'google-drive', words: made['words'] }]);
  await h.ask('POST', '/policy/versions/1/restore', why);
  const [again] = await h.ctx.db.read(h.ctx, (db) => listTypes(db));
  assert.deepEqual(
    [again?.id, again?.state, again?.groups.map((g) => g.group)],
    [made['control'], 'groups', [h.sales]],
  );
  // What is so already is no version.
  const same = await put(h, { state: 'groups', groups: [h.sales], access: 'read' });
  assert.deepEqual((same.version as { number: number }).number, 3);
});

test('the compiler and cedar-wasm agree on controls of types, and a refusal and an explanation name them', () => {
  const [org, sales, control] = [newId('org'), newId('grp'), newId('ctl')];
  const controls: TypeControl[] = [
    { id: control, type: 'slack', state: 'groups', groups: [{ group: sales, name: 'Sales' }], access: 'read' },
    { id: newId('ctl'), type: 'mcp', state: 'off', groups: [], access: 'off' },
  ];
  const settings = { ...regulated, mode: 'open', defaultAccess: 'read_write' } as const;
  const names = new Map(controls.map((c) => [c.id, wordsOfType(c)]));
  const set = policySet(org, [], policiesOfControls(settings, [], controls, org), 'UTC', names);
  for (const groups of [[], [sales]])
    for (const type of ['slack', 'mcp', 'gmail', undefined])
      for (const klass of toolClasses) {
        const request = {
          user: newId('usr'),
          groups,
          tool: { connector: crm, name: 'x', class: klass, type },
          context: {
            surface: 'mcp',
            device: 'unknown',
            now: { weekday: 1, minute: 0 },
            session: { readUntrusted: false, readPrivate: false },
          },
        } as const;
        const asked = { ...request, action: 'call', context: { ...request.context, args: {} } } as const;
        const theirs = decideByWasm(set.policies, factsOf(org, asked));
        assert.equal(
          decideCall(set, request, [{}]).outcome === 'denied',
          !theirs.allowed,
          `${type} ${klass} ${groups.length}`,
        );
        if (type === 'slack' && groups.length === 0) {
          const told = explain(set, { ...request, args: [{}] });
          assert.deepEqual(
            told.rules.map((r) => r.policy),
            [control],
          );
          assert.match(told.says, /"connectors of the type slack: only Sales, with read access" does not let you/);
        }
      }
});

test('who may connect to systems of a type follows from its control alone', () => {
  const sales = newId('grp');
  const control = (state: TypeControl['state']): TypeControl[] => [
    { id: newId('ctl'), type: 'slack', state, groups: state === 'groups' ? [{ group: sales }] : [], access: 'off' },
  ];
  const barred = (state: TypeControl['state'], groups: (typeof sales)[], type = 'slack') =>
    typeBars(control(state), type, groups) !== undefined;
  assert.deepEqual(
    [
      barred('on', []),
      barred('off', [sales]),
      barred('groups', []),
      barred('groups', [sales]),
      barred('off', [], 'gmail'),
    ],
    [false, true, true, false, false],
  );
});
