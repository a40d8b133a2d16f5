import assert from 'node:assert/strict';
import { Hono } from 'hono';
import { createDirectory } from '#directory/create-directory.ts';
import { directoryOperations } from '#directory/directory.http.ts';
import { newScimToken, scimTokenHash } from '#directory/directory.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { listUnverified } from '#domains/home.ts';
import { listLastCalls } from '#gateway/last-call.sql.ts';
import { apiGate } from '#identity/gate.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { orgOperations } from '#org/org.http.ts';
import { admission } from '#provisioning/admission.ts';
import { provisioningOperations } from '#provisioning/provisioning.http.ts';
import type { DoorHouse } from './door-house.ts';

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON
export type ProvisioningAnswer = { status: number; body: Json; text: string };

/** A directory and the API of provisioning over somebody's house, so that a test pushes with one hand and looks with the other. */
export type ProvisioningHouse = {
  directory: Id<'dir'>;
  /** A SCIM request with the directory's token; must succeed unless `expect` says which status is to come. */
  scim(method: string, path: string, body?: unknown, expect?: number): Promise<Json>;
  /** The API below `/orgs/:org/provisioning`, as the primary owner's key. */
  api(method: string, path: string, body?: unknown): Promise<ProvisioningAnswer>;
  /** The same, and it must be fine. */
  ok(method: string, path: string, body?: unknown): Promise<Json>;
  /** Pushes a person; returns entry and account. */
  push(name: string, more?: object): Promise<{ entry: string; user: Id<'usr'> }>;
  /** Pushes a group of these entries. */
  group(name: string, entries?: readonly string[]): Promise<Id<'grp'>>;
  regroup(group: string, op: 'add' | 'remove' | 'replace', entries: readonly string[]): Promise<void>;
  disable(entry: string): Promise<void>;
  enable(entry: string): Promise<void>;
  /** The parent has these domains verified. */
  verified(...domains: string[]): Promise<void>;
  /** Makes a plan of these edits and applies it. */
  set(...edits: object[]): Promise<void>;
  roleOf(user: string): Promise<string | undefined>;
  stateOf(user: string): Promise<string | undefined>;
  /** How many members the organization has. */
  members(): Promise<number>;
};

const patch = (Operations: object[]): object => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});

export async function provisioningHouse(h: DoorHouse): Promise<ProvisioningHouse> {
  const app = new Hono();
  const scimDoor = {
    prefix: '/scim/v2/:directory',
    gate: scimGate(h.world, admission),
    dialect: scimDialect,
    operations: scimOperations,
  };
  mount(app, scimDoor, silentLog);
  const operations = [
    ...provisioningOperations(listLastCalls, listUnverified),
    ...directoryOperations,
    ...orgOperations,
  ];
  mount(app, { prefix: '/api', gate: apiGate(h.world), dialect: problemJson, operations }, silentLog);

  const { id: directory } = await createDirectory(h.ctx, 'Northwind ID');
  const token = newScimToken();
  await h.t.super(
    `insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at) values ($1, $2, $3, $4, 'test', now(), now() + interval '1 year')`,
    h.acme.parent,
    newId('sct'),
    directory,
    scimTokenHash(token),
  );

  const send = async (
    bearer: string,
    type: string,
    method: string,
    url: string,
    body?: unknown,
  ): Promise<ProvisioningAnswer> => {
    const r = await app.request(url, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await r.text();
    return { status: r.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  const scim: ProvisioningHouse['scim'] = async (method, path, body, expect) => {
    const r = await send(token, 'application/scim+json', method, `http://localhost/scim/v2/${directory}${path}`, body);
    assert.ok(expect === undefined ? r.status < 300 : r.status === expect, `${method} ${path}: ${r.status} ${r.text}`);
    return r.body;
  };
  const api: ProvisioningHouse['api'] = (method, path, body) =>
    send(h.key, 'application/json', method, `http://localhost/api/orgs/${h.acme.org}/provisioning${path}`, body);
  const ok: ProvisioningHouse['ok'] = async (method, path, body) => {
    const r = await api(method, path, body);
    assert.ok(r.status < 300, `${method} ${path}: ${r.status} ${r.text}`);
    return r.body;
  };
  const active = (entry: string, value: boolean): Promise<Json> =>
    scim('PATCH', `/Users/${entry}`, patch([{ op: 'replace', path: 'active', value }]));

  return {
    directory,
    scim,
    api,
    ok,
    async push(name, more = {}) {
      const made = await scim('POST', '/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `${name.toLowerCase()}@acme.example`,
        externalId: `ext-${name.toLowerCase()}`,
        displayName: name,
        emails: [{ value: `${name.toLowerCase()}@acme.example`, primary: true }],
        ...more,
      });
      const [row] = await h.t.super<{ user_id: Id<'usr'> }>('select user_id from scim_user where id = $1', made['id']);
      assert.ok(row);
      return { entry: String(made['id']), user: row.user_id };
    },
    async verified(...domains) {
      for (const name of domains)
        await h.t.super(
          `insert into domain (parent, id, name, shown, token, include_subdomains, added_at, state, since, verified_at, last_success_at, next_check_at)
           values ($1, $2, $3, $3, repeat('a', 32), false, now(), 'verified', now(), now(), now(), now() + interval '1 year') on conflict do nothing`,
          h.acme.parent,
          newId('dom'),
          name,
        );
    },
    async group(name, entries = []) {
      const made = await scim('POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: name,
        members: entries.map((value) => ({ value })),
      });
      return made['id'] as Id<'grp'>;
    },
    async regroup(group, op, entries) {
      const value = entries.map((e) => ({ value: e }));
      await scim('PATCH', `/Groups/${group}`, patch([{ op, path: 'members', value }]));
    },
    disable: async (entry) => void (await active(entry, false)),
    enable: async (entry) => void (await active(entry, true)),
    async set(...edits) {
      const plan = await ok('POST', '/plans', { edits });
      await ok('POST', `/plans/${plan['id']}/apply`, { hash: plan['hash'], confirm: 'Acme Workspace' });
    },
    async roleOf(user) {
      const rows = await h.t.super<{ role: string }>(
        'select role from member where user_id = $1 and org = $2',
        user,
        h.acme.org,
      );
      return rows[0]?.role;
    },
    async stateOf(user) {
      return (await h.t.super<{ state: string }>('select state from app_user where id = $1', user))[0]?.state;
    },
    async members() {
      return (
        (await h.t.super<{ n: number }>('select count(*)::int as n from member where org = $1', h.acme.org))[0]?.n ?? 0
      );
    },
  };
}
