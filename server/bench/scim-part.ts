// The servers of bench/scim.ts, each in a process of its own: `gatehouse` (the doors of the real server over a database with N users) and
// `scimmy` (the peer, over node:http, resources in memory). Prints one line of JSON when ready.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { newScimToken, scimTokenHash } from '#directory/directory.ts';
import { newId } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { foundOrg } from '#org/found-org.ts';
import { testDb } from '#dev/test-db.ts';
import { doors } from '../doors.ts';

const [role, count = '500000'] = process.argv.slice(2);

function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

async function gatehouse(users: number): Promise<Record<string, unknown>> {
  const t = await testDb();
  let handler: RequestListener = (_req, res) => res.end();
  const url = await listen((req, res) => handler(req, res));
  const world = await t.world({ origin: url });
  const app = new Hono();
  for (const door of doors(world)) mount(app, door, silentLog);
  const listener = getRequestListener(app.fetch, { hostname: new URL(url).host, overrideGlobalObjects: false });
  handler = (req, res) => void listener(req, res);

  const acme = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  const directory = newId('dir');
  const token = newScimToken();
  await t.super(
    `insert into directory (parent, id, org, name, created_at, rate) values ($1, $2, $3, 'IdP', now(), 100000)`,
    acme.parent,
    directory,
    acme.org,
  );
  await t.super(
    `insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at) values ($1, $2, $3, $4, 'bench', now(), now() + interval '1 day')`,
    acme.parent,
    newId('sct'),
    directory,
    scimTokenHash(token),
  );
  const id = (prefix: string): string => `'${prefix}_' || lpad(to_hex(i), 32, '0')`;
  const all = `generate_series(1, ${users}) i`;
  await t.super(
    `insert into app_user (parent, id, email, display_name, state, origin, created_at)
     select $1, ${id('usr')}, 'person' || i || '@acme.example', 'Person ' || i, 'active', 'directory', now() from ${all}`,
    acme.parent,
  );
  await t.super(
    `insert into member (org, id, user_id, role, created_at) select $1, ${id('mem')}, ${id('usr')}, 'user', now() from ${all}`,
    acme.org,
  );
  await t.super(
    `insert into scim_user (parent, id, directory, attributes, user_name_key, display_name_key, external_id, active, user_id, created_at, changed_at)
     select $1, ${id('scu')}, $2,
            jsonb_build_object('userName', 'person' || i || '@acme.example', 'displayName', 'Person ' || i, 'externalId', 'e' || i, 'active', true,
                               'name', jsonb_build_object('givenName', 'Person', 'familyName', i::text),
                               'emails', jsonb_build_array(jsonb_build_object('value', 'person' || i || '@acme.example', 'type', 'work', 'primary', true))),
            'person' || i || '@acme.example', 'person ' || i, 'e' || i, true, ${id('usr')}, now(), now() from ${all}`,
    acme.parent,
    directory,
  );
  await t.super(
    `insert into scim_email (parent, directory, scim_user, position, value_key, type_key, is_primary)
     select $1, $2, ${id('scu')}, 1, 'person' || i || '@acme.example', 'work', true from ${all}`,
    acme.parent,
    directory,
  );
  const big = newId('grp');
  const busy = newId('grp');
  for (const [group, name] of [
    [big, 'Everybody'],
    [busy, 'Busy'],
  ] as const)
    await t.super(
      `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at) values ($1, $2, $3, $4, lower($4), now(), now())`,
      acme.parent,
      group,
      directory,
      name,
    );
  await t.super(
    `insert into scim_membership (parent, group_id, scim_user, asserted_at) select $1, $2, ${id('scu')}, now() from generate_series(1, ${Math.min(users, 100_000)}) i`,
    acme.parent,
    big,
  );
  // Sessions of the first hundred people, for the time from a deactivation to the last session's end.
  const sessions: string[] = [];
  for (let i = 1; i <= 100; i++) {
    const secret = randomBytes(32).toString('base64url');
    await t.super(
      `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, 'setup_link', 'bench', now(), now(), now() + interval '1 day')`,
      acme.parent,
      newId('ses'),
      `usr_${i.toString(16).padStart(32, '0')}`,
      createHash('sha256').update(secret).digest(),
    );
    sessions.push(`__Host-gatehouse=${secret}`);
  }
  await t.super('vacuum analyze');
  process.stdin.on('end', () => void t.close().then(() => process.exit(0)));
  process.stdin.resume();
  return { url: `${url}/scim/v2/${directory}`, api: `${url}/api`, token, big, busy, sessions, pid: process.pid };
}

/** SCIMMY as its README shows it: handlers over resources in memory. */
async function scimmy(users: number): Promise<Record<string, unknown>> {
  const { default: SCIMMY } = await import('scimmy').catch(() => ({ default: undefined }));
  if (!SCIMMY) return { missing: 'scimmy is not installed' };
  type Stored = Record<string, unknown> & { id: string; userName: string };
  const byId = new Map<string, Stored>();
  let n = 0;
  const stamp = { meta: { created: new Date(), lastModified: new Date() } };
  for (let i = 1; i <= users; i++)
    byId.set(String(++n), {
      id: String(n),
      userName: `person${i}@acme.example`,
      emails: [{ value: `person${i}@acme.example`, type: 'work', primary: true }],
      ...stamp,
    });
  const Users = SCIMMY.Resources.User;
  Users.ingress((resource, instance) => {
    const stored = {
      ...Object.fromEntries(Object.entries(instance)),
      id: resource.id ?? String(++n),
      userName: instance.userName ?? '',
      ...stamp,
    };
    byId.set(stored.id, stored);
    return stored;
  });
  Users.egress((resource) => {
    if (resource.id !== undefined) return byId.get(resource.id) ?? [];
    const all = [...byId.values()];
    return resource.filter ? resource.filter.match(all) : all;
  });
  SCIMMY.Resources.declare(Users);
  const url = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const at = new URL(req.url ?? '', 'http://x');
      const done = async (): Promise<unknown> =>
        req.method === 'POST'
          ? await new Users().write(JSON.parse(Buffer.concat(chunks).toString()))
          : await new Users(undefined, { filter: at.searchParams.get('filter') ?? '' }).read();
      done().then(
        (body) => {
          const text = JSON.stringify(body);
          res.writeHead(req.method === 'POST' ? 201 : 200, { 'content-length': Buffer.byteLength(text) }).end(text);
        },
        (e: unknown) => res.writeHead(500).end(String(e)),
      );
    });
  });
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
  return { url, pid: process.pid };
}

console.log(JSON.stringify(role === 'scimmy' ? await scimmy(Number(count)) : await gatehouse(Number(count))));
