import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { newId, type Id } from '#kernel/id.ts';
import { notifyOperations } from '#notify/notify.http.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import type { MemberRole } from '#org/member.ts';
import { mergeOperations } from '#org/merge.http.ts';
import type { MergeUpstairs } from '#org/merge-upstairs.ts';
import { mergeUpstairs } from '../merge-upstairs.ts';
import { doorHouse, type Answer, type DoorHouse } from './door-house.ts';
import { SESSION_COOKIE } from '#identity/cookies.ts';

/** A person of a test, signed in where they are. */
export type Person = { user: Id<'usr'>; member: Id<'mem'> };

/** Two parents that may merge: Acme (receiving, owner Ada) and Birch (joining, owner Bo), with the whole API over both. */
export type MergeHouse = DoorHouse & {
  birch: Founded;
  /** What the merges of this house ask of rooms above. */
  up: MergeUpstairs;
  /** As the database's superuser, over one connection. */
  sql<T extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<T[]>;
  /** Calls the API as this user, with a session that began now. */
  as(user: Id<'usr'>, method: string, path: string, body?: unknown): Promise<Answer>;
  /** A member of any organization. */
  person(at: Founded | { parent: Id<'par'>; org: Id<'org'> }, email: string, role: MemberRole): Promise<Person>;
  link(parent: Id<'par'>, connection: string, subject: string, user: string): Promise<void>;
  connection(parent: Id<'par'>, name: string, issuer?: string): Promise<string>;
  directory(at: { parent: Id<'par'>; org: Id<'org'> }, name: string): Promise<string>;
  entry(parent: Id<'par'>, directory: string, user: string): Promise<string>;
  /** From a draft of Bo to the state before the approvals; gives the id and the hash. */
  proposed(more?: object): Promise<{ id: string; hash: string; preview: Record<string, unknown> }>;
  /** A step of a merge, by Ada for Acme or by Bo for Birch. */
  ada(path: string, body?: unknown): Promise<Answer>;
  bo(path: string, body?: unknown): Promise<Answer>;
  parentOf(org: string): Promise<unknown>;
  stateOf(merge: string): Promise<unknown>;
  /** Both approve. */
  merged(more?: object): Promise<string>;
};

export async function mergeHouse(): Promise<MergeHouse> {
  const h = await doorHouse({ operations: [...mergeOperations(mergeUpstairs), ...notifyOperations] });
  const client = new pg.Client({ connectionString: h.t.superUrl });
  await client.connect();
  const sql = async <T extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<T[]> =>
    (await client.query<T>(text, values)).rows;
  const birch = await foundOrg(h.world, {
    parentName: 'Birch',
    orgName: 'Birch Console',
    surface: 'console',
    owner: { email: 'bo@birch.example', displayName: 'Bo' },
  });
  const sessions = new Map<string, { secret: string; at: number }>();
  const cookieOf = async (user: Id<'usr'>): Promise<string> => {
    const known = sessions.get(user);
    const now = h.world.now().getTime();
    if (known && now - known.at < 5 * 60_000) return known.secret;
    const secret = randomBytes(32).toString('base64url');
    await sql(
      `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at)
       select parent, $2, id, $3, 'setup_link', 'test', $4, $4, $4::timestamptz + interval '1 day' from app_user where id = $1`,
      user,
      newId('ses'),
      createHash('sha256').update(secret).digest(),
      new Date(now),
    );
    sessions.set(user, { secret, at: now });
    return secret;
  };
  const house: MergeHouse = {
    ...h,
    birch,
    up: mergeUpstairs,
    sql,
    async [Symbol.asyncDispose]() {
      await client.end();
      await h[Symbol.asyncDispose]();
    },
    async as(user, method, path, body) {
      const headers = {
        cookie: `${SESSION_COOKIE}=${await cookieOf(user)}`,
        origin: h.origin,
        'sec-fetch-site': 'same-origin',
      };
      return h.api(method, path, body, headers);
    },
    async person(at, email, role) {
      const [user, member] = [newId('usr'), newId('mem')];
      await sql(
        `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $3, 'active', 'local', now() - interval '1 day')`,
        at.parent,
        user,
        email,
      );
      await sql(
        `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, $4, now())`,
        at.org,
        member,
        user,
        role,
      );
      return { user, member };
    },
    async connection(parent, name, issuer = `https://${name.toLowerCase()}.example`) {
      const id = newId('sso');
      await sql(
        `insert into sso_connection (parent, id, name, kind, issuer, client_id, auth_method, match_directory, state, discovery, discovered_at, created_at)
         values ($1, $2, $3, 'oidc', $4, $5, 'none', false, 'active', '{}', now(), now())`,
        parent,
        id,
        name,
        issuer,
        id,
      );
      return id;
    },
    async link(parent, connection, subject, user) {
      await sql(
        `insert into identity_link (parent, connection, issuer, subject, user_id, made_by, linked_at)
         select $1, $2, issuer, $3, $4, 'person', now() from sso_connection where id = $2`,
        parent,
        connection,
        subject,
        user,
      );
    },
    async directory(at, name) {
      const id = newId('dir');
      await sql(
        `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, $4, now())`,
        at.parent,
        id,
        at.org,
        name,
      );
      return id;
    },
    async entry(parent, directory, user) {
      const id = newId('scu');
      await sql(
        `insert into scim_user (parent, id, directory, attributes, user_name_key, external_id, active, user_id, created_at, changed_at)
         values ($1, $2, $3, '{}', $4, $4, true, $5, now(), now())`,
        parent,
        id,
        directory,
        id,
        user,
      );
      return id;
    },
    async proposed(more = {}) {
      const draft = await house.as(birch.owner, 'POST', `/orgs/${birch.org}/merges`, {
        with: h.acme.org,
        as: 'joining',
        ...more,
      });
      assert.equal(draft.status, 201, draft.text);
      const id = String(draft.body['id']);
      const sent = await house.as(birch.owner, 'POST', `/orgs/${birch.org}/merges/${id}/send`, {});
      assert.equal(sent.status, 200, sent.text);
      const seen = await house.as(h.acme.owner, 'POST', `/orgs/${h.acme.org}/merges/${id}/preview`, {});
      assert.equal(seen.status, 200, seen.text);
      return { id, hash: String(seen.body['hash']), preview: seen.body['preview'] as Record<string, unknown> };
    },
    ada: (path, body = {}) => house.as(h.acme.owner, 'POST', `/orgs/${h.acme.org}/merges${path}`, body),
    bo: (path, body = {}) => house.as(birch.owner, 'POST', `/orgs/${birch.org}/merges${path}`, body),
    parentOf: async (org) => (await sql('select parent from org where id = $1', org))[0]?.['parent'],
    stateOf: async (merge) => (await sql('select state from merge_proposal where id = $1', merge))[0]?.['state'],
    async merged(more = {}) {
      const { id, hash } = await house.proposed(more);
      for (const [user, org] of [
        [h.acme.owner, h.acme.org],
        [birch.owner, birch.org],
      ] as const) {
        const r = await house.as(user, 'POST', `/orgs/${org}/merges/${id}/approve`, { hash });
        assert.equal(r.status, 200, r.text);
      }
      return id;
    },
  };
  return house;
}
