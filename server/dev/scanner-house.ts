import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { foundOrg, type Founded } from '#org/found-org.ts';
import type { DlpEngine, Inspected } from '#dlp/engine.ts';
import { addScanner, type NewScanner } from '#dlp/scanners/add-scanner.ts';
import { scannerEngines } from '#dlp/scanners/scanner-engine.ts';
import { runtimeOf } from '#dlp/scanners/scanner-runtime.ts';
import { ScannerConfig, type Scanner } from '#dlp/scanners/scanner.ts';
import { listActiveScanners } from '#dlp/scanners/scanner.sql.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { doors } from '../doors.ts';
import { testDb, type TestDb } from './test-db.ts';
import type { WorldOver } from './test-world.ts';

/** An organization with outside scanners, and what may be asked of them. */
export type ScannerHouse = {
  t: TestDb;
  world: World;
  org: Founded;
  ctx: OrgCtx;
  /** Adds one at `config` that may be inside the network; enforces everything unless said otherwise. */
  add(config: unknown, more?: Partial<NewScanner>): Promise<{ scanner: Scanner; signingSecret: string | undefined }>;
  /** Engines of the rows as they are now. */
  engines(): Promise<DlpEngine[]>;
  engine(): Promise<DlpEngine>;
  /** Below `/api/orgs/:org/dlp/scanners`, with a key that may read and manage policy. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }>;
  settled(): Promise<void>;
  events(type?: string): Promise<{ type: string; data: Record<string, unknown> }[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const anyContent = (over: Partial<Inspected> & { org: Id<'org'> }): Inspected => ({
  phase: 'arguments',
  connector: newId('con'),
  tool: 'send_mail',
  class: 'write',
  actor: { type: 'agent', id: newId('usr'), email: 'ada@lamps.example' },
  session: undefined,
  call: newId('tcl'),
  content: { to: 'x@elsewhere.example', body: 'hello' },
  ...over,
});

export async function scannerHouse(over: WorldOver = {}): Promise<ScannerHouse> {
  const t = await testDb();
  const world = await t.world(over);
  let named = 0;
  const org = await foundOrg(world, {
    parentName: 'Lamps',
    orgName: 'Lamps',
    owner: { email: 'o@lamps.example', displayName: 'O' },
  });
  const app = new Hono();
  for (const door of doors(world)) mount(app, door, silentLog);
  const key = `ghk_${randomBytes(32).toString('base64url')}`;
  await t.super(
    `insert into api_key (org, id, name, hash, permissions, created_by, created_at, expires_at) values ($1, $2, 'k', $3, '{policy.read,policy.manage}', $4, $5, $6)`,
    org.org,
    newId('key'),
    createHash('sha256').update(key).digest(),
    org.owner,
    world.now(),
    new Date(world.now().getTime() + 30 * 86_400_000),
  );
  const ctx: OrgCtx = { ...systemCtx(world, 'test', org), org: org.org };
  const engines = async (): Promise<DlpEngine[]> =>
    scannerEngines(world, org, await world.db.read({ parent: org.parent, org: org.org }, listActiveScanners));
  return {
    t,
    world,
    org,
    ctx,
    engines,
    async engine() {
      const [first] = await engines();
      if (!first) throw new Error('no scanner is on');
      return first;
    },
    add: (config, more = {}) =>
      addScanner(
        { ...ctx, now: world.now() },
        {
          name: `scanner ${++named}`,
          config: ScannerConfig.parse(config),
          allowPrivate: true,
          phases: ['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out'],
          mode: 'enforce',
          percentage: 100,
          failMode: null,
          timeoutMs: 5000,
          excludedRoles: [],
          excludedGroups: [],
          state: 'on',
          credentials: {},
          ...more,
        },
      ),
    async api(method, path, body) {
      const r = await app.request(`/api/orgs/${org.org}/dlp/scanners${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: r.status, text: await r.text() };
    },
    settled: () => runtimeOf(world).aside.settled(),
    events: async (type) =>
      (
        await t.super<{ type: string; data: Record<string, unknown> }>(
          `select header ->> 'type' as type, data from audit_inbox order by arrived`,
        )
      ).filter((e) => (type === undefined ? e.type.startsWith('dlp.scanner') : e.type === type)),
    async [Symbol.asyncDispose]() {
      await runtimeOf(world).aside.settled();
      await t.close();
    },
  };
}
