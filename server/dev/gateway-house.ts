import { request, type IncomingHttpHeaders } from 'node:http';
import { decideApprovals } from '#approvals/decide-approvals.ts';
import { addConnector } from '#connectors/add-connector.ts';
import { findReviewedTool } from '#connectors/find-reviewed-tool.ts';
import { reviewTools } from '#connectors/review-tools.ts';
import { listToolsOf } from '#connectors/tool.sql.ts';
import { startGateway, type Gateway, type GatewayDeps } from '#gateway/start-gateway.ts';
import { scopeOf, systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { addRule } from '#policy/add-rule.ts';
import type { RuleDraft } from '#policy/rule.ts';
import type { Brought, ToolClass } from '#policy/schema.ts';
import { oauthHouse, register, signIn, type HousePerson, type OauthHouse, type TestClient } from './oauth-house.ts';
import type { WorldOver } from './test-world.ts';

/** An organization with its gateway, listening on the same origin as its authorization server. */
export type GatewayHouse = {
  house: OauthHouse;
  gateway: Gateway;
  client: TestClient;
  ctx: OrgCtx;
  /** As a signed-in person, for what only people may do. */
  as(person: HousePerson): OrgCtx;
  /** Adds a server, reviews every tool (`read` unless `classes` says otherwise), and lets everyone use them all. */
  connect(
    slug: string,
    url: string,
    o?: {
      bearer?: string;
      classes?: Record<string, ToolClass>;
      /** What the reviewer says of what tools bring and where they can carry it. */
      flows?: Record<string, { brings?: Brought[]; outward?: boolean }>;
      rules?: boolean;
    },
  ): Promise<Id<'con'>>;
  rule(draft: RuleDraft): Promise<void>;
  token(person?: HousePerson, resource?: string, scope?: string): Promise<string>;
  decide(approval: Id<'apr'>, verdict: 'approved' | 'denied', by: HousePerson, reason?: string): Promise<void>;
  /** What the log has of calls, in order, sequenced or not. */
  events(type?: string): Promise<{ type: string; header: Record<string, unknown>; data: Record<string, unknown> }[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function gatewayHouse(
  o: { deps?: GatewayDeps | ((world: World) => GatewayDeps); over?: WorldOver } = {},
): Promise<GatewayHouse> {
  const house = await oauthHouse(o.over ? { over: o.over } : {});
  const gateway = await startGateway(house.world, typeof o.deps === 'function' ? o.deps(house.world) : o.deps);
  house.also.raw = gateway;
  const client = await register(house);
  // Read each time: the house's clock can be moved.
  const ctxNow = (): OrgCtx => ({
    ...systemCtx(house.world, 'test', { parent: house.parent, org: house.org }),
    org: house.org,
  });
  // Nobody remembers anything before the first token; after that a change is seen when caches look again (kernel/versions.ts: 0.4 s).
  let used = false;
  const seen = (): Promise<void> => new Promise((done) => void setTimeout(done, used ? 500 : 0));
  const self: GatewayHouse = {
    house,
    gateway,
    client,
    get ctx() {
      return ctxNow();
    },
    as: (person) => ({ ...ctxNow(), actor: { kind: 'user', id: person.user, session: newId('ses') } }),
    async connect(slug, url, { bearer, classes = {}, flows = {}, rules = true } = {}) {
      const { connector } = await addConnector(ctxNow(), { slug, name: slug, url, bearer, allowPrivate: true });
      const tools = await house.world.db.read(scopeOf(ctxNow()), (db) => listToolsOf(db, connector.id));
      if (tools.length > 0)
        await reviewTools(
          ctxNow(),
          connector.id,
          tools.map((t) => ({ name: t.name, pin: t.pin, class: classes[t.name] ?? 'read', ...flows[t.name] })),
        );
      if (rules)
        await self.rule({
          name: `everyone uses ${slug}`,
          who: { kind: 'everyone' },
          connector: connector.id,
          tools: { classes: ['read', 'write', 'destructive'] },
          effect: 'allow',
          asks: 'never',
        });
      await seen();
      return connector.id;
    },
    async rule(draft) {
      await addRule(ctxNow(), draft, { hasConnector: () => Promise.resolve(true) });
      await seen();
    },
    async token(person, resource = `${house.origin}/mcp`, scope = 'mcp:read mcp:write') {
      used = true;
      return (await signIn(house, client, { resource, scope }, person)).access_token;
    },
    async decide(approval, verdict, by, reason) {
      const tools = { findTool: findReviewedTool };
      await decideApprovals(self.as(by), tools, { items: [{ approval }], verdict, reason });
    },
    events: async (type) =>
      (
        await house.t.super<{ header: Record<string, unknown>; data: Record<string, unknown> }>(
          `select header, data from (
             select arrived as n, header, data from audit_inbox where log = $1) e order by n`,
          house.org,
        )
      )
        .map((e) => ({ ...e, type: String(e.header['type']) }))
        .filter((e) => type === undefined || e.type === type),
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await house[Symbol.asyncDispose]();
    },
  };
  return self;
}

export type RawAnswer = { status: number; headers: IncomingHttpHeaders; text: string; json: Record<string, unknown> };
export type RawRequest = {
  path?: string;
  method?: string;
  token?: string | undefined;
  headers?: Record<string, string>;
  body?: string | Buffer;
};

/** One request as it is: any header, any bytes. The answer is read to its end. */
export function raw(g: GatewayHouse, r: RawRequest): Promise<RawAnswer> {
  const url = new URL(r.path ?? '/mcp/up', g.house.origin);
  return new Promise((resolve, reject) => {
    const req = request(
      url,
      {
        method: r.method ?? 'POST',
        agent: false,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(r.token === undefined ? {} : { authorization: `Bearer ${r.token}` }),
          ...r.headers,
        },
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (c: Buffer) => chunks.push(c));
        const end = (): void => {
          const text = Buffer.concat(chunks).toString();
          const last = [...text.matchAll(/^data: ?(.+)$/gm)].at(-1)?.[1] ?? text;
          let json: Record<string, unknown> = {};
          try {
            json = JSON.parse(last) as Record<string, unknown>;
          } catch {
            // not every answer is JSON
          }
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json });
        };
        res.on('end', end).on('error', end);
      },
    );
    req.on('error', reject);
    req.end(r.body ?? '');
  });
}

/** A call of the older revision, without session. */
export const callBody = (name: string, args: unknown = {}, id: string | number = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

/** The code of a refusal of this door. */
export const codeOf = (a: RawAnswer): unknown => {
  const e = a.json['error'] as { data?: { code?: string } } | undefined;
  return e?.data?.code;
};
/** What the model reads of an answer to a call. */
export const saidOf = (a: RawAnswer): string => {
  const r = a.json['result'] as { content?: { text?: string }[] } | undefined;
  return r?.content?.[0]?.text ?? '';
};
