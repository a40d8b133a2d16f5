import { Hono } from 'hono';
import type { World } from '#kernel/ctx.ts';
import { stoppedClock } from '#kernel/clock.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { problemJson } from '#kernel/dialect.ts';
import { mount, type Gate } from '#kernel/operation.ts';
import { adoptionOperations } from '#directory/adoption.http.ts';
import { directoryOperations } from '#directory/directory.http.ts';
import { journalOperations } from '#directory/journal.http.ts';
import { scimClientOperations } from '#directory/scim-client.http.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimDiscovery } from '#directory/scim-discovery.http.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimTokenOperations } from '#directory/scim-token.http.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { admission } from '#provisioning/admission.ts';
import { newScimToken, scimTokenHash } from '#directory/directory.ts';
import { testDb, type TestDb } from './test-db.ts';

/** A SCIM answer, parsed. Tests know what they asked for. */
export type Answer = { status: number; headers: Headers; text: string; body: Record<string, any> }; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

export type TestDirectory = {
  t: TestDb;
  world: World;
  clock: ReturnType<typeof stoppedClock>;
  app: Hono;
  parent: Id<'par'>;
  org: Id<'org'>;
  id: Id<'dir'>;
  token: string;
  base: string;
  /** A request to this directory with its token. A string is sent as it is, anything else as JSON. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A request of an administrator to `/api/orgs/{org}` of this directory's org. Who may do this is tested elsewhere. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Another directory of the same parent, or of another one. */
  another(where: 'same parent' | 'another parent'): Promise<TestDirectory>;
};

/** The SCIM door over a database of its own, with one parent, one org and one directory. */
export async function testDirectory(): Promise<TestDirectory> {
  const t = await testDb();
  const clock = stoppedClock('2026-08-01T09:00:00Z');
  const none = (): never => {
    throw new Error('SCIM needs neither seal nor egress');
  };
  const world: World = {
    db: t.db,
    log: silentLog,
    seal: {
      seal: none,
      open: none,
      derive: none,
      get keys(): never {
        return none();
      },
    },
    egress: { fetch: none, dispatcher: none, close: none },
    dns: { ask: none, roots: [], resolvers: [] },
    origin: 'https://gatehouse.test',
    now: () => clock.now(),
  };
  const app = new Hono();
  mount(
    app,
    {
      prefix: '/scim/v2/:directory',
      gate: scimGate(world, admission),
      dialect: scimDialect,
      operations: [...scimOperations, ...scimDiscovery, ...scimTokenOperations],
    },
    silentLog,
  );
  const gate: Gate = (c, _op, request) => {
    const { now, ...rest } = world;
    const [parent, org] = (c.req.header('x-test-scope') ?? '').split(' ');
    return Promise.resolve({
      ...rest,
      now: now(),
      actor: { kind: 'api_key', id: newId('key') },
      parent: parent as Id<'par'>,
      org: org as Id<'org'>,
      request,
    });
  };
  mount(
    app,
    {
      prefix: '/api',
      gate,
      dialect: problemJson,
      operations: [
        ...directoryOperations,
        ...scimClientOperations,
        ...journalOperations(admission),
        ...adoptionOperations(admission),
      ],
    },
    silentLog,
  );
  return makeDirectory(t, world, clock, app, undefined);
}

async function makeDirectory(
  t: TestDb,
  world: World,
  clock: ReturnType<typeof stoppedClock>,
  app: Hono,
  inside: { parent: Id<'par'>; org: Id<'org'> } | undefined,
): Promise<TestDirectory> {
  const parent = inside?.parent ?? newId('par');
  const org = inside?.org ?? newId('org');
  if (!inside) {
    await t.super('insert into parent (id, name, created_at) values ($1, $2, now())', parent, 'Corp');
    await t.super(
      `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Corp', 'workspace', now())`,
      parent,
      org,
    );
  }
  const id = newId('dir');
  const token = newScimToken();
  await t.super(
    `insert into directory (parent, id, org, name, created_at, rate) values ($1, $2, $3, 'IdP', now(), 100000)`,
    parent,
    id,
    org,
  );
  await t.super(
    `insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at) values ($1, $2, $3, $4, 'test', now(), '2027-01-01')`,
    parent,
    newId('sct'),
    id,
    scimTokenHash(token),
  );
  return {
    t,
    world,
    clock,
    app,
    parent,
    org,
    id,
    token,
    base: `https://gatehouse.test/scim/v2/${id}`,
    async send(method, path, body, headers = {}) {
      const res = await app.request(`https://gatehouse.test/scim/v2/${id}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await res.text();
      return { status: res.status, headers: res.headers, text, body: text === '' ? {} : JSON.parse(text) };
    },
    async api(method, path, body) {
      const res = await app.request(`https://gatehouse.test/api/orgs/${org}${path}`, {
        method,
        headers: {
          'x-test-scope': `${parent} ${org}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await res.text();
      return { status: res.status, headers: res.headers, text, body: text === '' ? {} : JSON.parse(text) };
    },
    another: (where) => makeDirectory(t, world, clock, app, where === 'same parent' ? { parent, org } : undefined),
  };
}
