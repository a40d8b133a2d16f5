// Organizations on a real database with the policy room's doors open, for its tests.
import assert from 'node:assert/strict';
import { Hono } from 'hono';
import { z } from 'zod';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { addMember } from '#org/add-member.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import type { Catalogue, CataloguedTool } from '#policy/catalogue.ts';
import { decideCall } from '#policy/decide.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { policyOperations } from '#policy/policy.http.ts';
import type { ToolClass } from '#policy/schema.ts';
import type { TestDb } from './test-db.ts';

export const crm = newId('con');
export const drive = newId('con');

/** Stands where the connectors room is: two connectors with a tool of each class. `tools` may be changed by a test. */
export const shelf: { tools: CataloguedTool[] } = {
  tools: [crm, drive].flatMap((connector) =>
    (['read', 'write', 'destructive'] as const).map((c) => ({
      connector,
      connectorName: connector === crm ? 'CRM' : 'Drive',
      name: `${c}_it`,
      class: c,
    })),
  ),
};
export const catalogue: Catalogue = {
  hasConnector: (_db, id) => Promise.resolve(id === crm || id === drive),
  reviewedTools: () => Promise.resolve(shelf.tools),
  tools: () => Promise.resolve([]),
  ownDomains: () => Promise.resolve([]),
};

export type PolicyHouse = Founded & { ctx: OrgCtx; ada: Id<'usr'>; bob: Id<'usr'>; sales: Id<'grp'>; ask: Ask };
type Ask = (method: string, path: string, value?: unknown) => Promise<{ status: number; json: Answer }>;
type Answer = z.infer<typeof Answer>;
const Answer = z.looseObject({
  items: z.array(z.looseObject({ id: z.string().optional() })).default([]),
  id: z.string().default(''),
  code: z.string().optional(),
  detail: z.string().default(''),
  hash: z.string().default(''),
  number: z.number().default(0),
  version: z.unknown().optional(),
});

/** An organization with Ada and Bob, of whom Ada is in Sales. */
export async function policyHouse(t: TestDb, world: World, name: string): Promise<PolicyHouse> {
  const f = await foundOrg(world, {
    parentName: name,
    orgName: name,
    owner: { email: `owner@${name}.example`, displayName: 'O' },
  });
  const ctx: OrgCtx = { ...systemCtx(world, 'test', f), org: f.org };
  const add = async (who: string) =>
    (await addMember(ctx, { email: `${who}@${name}.example`, displayName: who, role: 'user' })).user;
  const [ada, bob, sales] = [await add('Ada'), await add('Bob'), newId('grp')];
  await t.super(
    `insert into org_group (parent, id, org, source, name, first_seen_at, last_seen_at) values ($1, $2, $3, 'hand', 'Sales', now(), now())`,
    f.parent,
    sales,
    f.org,
  );
  await t.super(
    `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
    f.parent,
    f.org,
    sales,
    ada,
  );
  const app = new Hono();
  const gate = () => Promise.resolve({ ...ctx, now: new Date() });
  mount(app, { prefix: '/api', gate, dialect: problemJson, operations: policyOperations(catalogue) }, silentLog);
  const ask: Ask = async (method, path, value) => {
    const init =
      value === undefined
        ? { method }
        : { method, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
    const r = await app.request(`/api/orgs/${f.org}${path}`, init);
    return { status: r.status, json: Answer.parse(r.status === 204 ? {} : await r.json()) };
  };
  return { ...f, ctx, ada, bob, sales, ask };
}

/** The policies in force. */
export const loadPolicies = (h: PolicyHouse) => h.ctx.db.read(h.ctx, loadPolicySet);
/** How a call of this class would end. */
export async function may(h: PolicyHouse, user: Id<'usr'>, klass: ToolClass, connector = crm): Promise<string> {
  const set = await loadPolicies(h);
  const groups = user === h.ada ? [h.sales] : [];
  return decideCall(
    set,
    {
      user,
      groups,
      tool: { connector, name: klass, class: klass },
      context: { surface: 'mcp', device: 'unknown', now: { weekday: 1, minute: 0 } },
    },
    [{}],
  ).outcome;
}
/** The reason of every change that a test does not ask about. */
export const why = { reason: 'the board wants it' };
export const everyone = { kind: 'everyone' } as const;
/** Sets a control. */
export const setControl = async (h: PolicyHouse, value: unknown) => {
  const r = await h.ask('PUT', '/policy/controls', { ...why, ...(value as object) });
  assert.equal(r.status, 200, JSON.stringify(r.json));
  return r.json;
};
