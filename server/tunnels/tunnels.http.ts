import { z } from 'zod';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { createTunnel } from './create-tunnel.ts';
import { editTunnel } from './edit-tunnel.ts';
import { revokeTunnel } from './revoke-tunnel.ts';
import { rotateSecret } from './rotate-secret.ts';
import type { Through } from './through.ts';
import { noTunnel, reaches, type Tunnel, type TunnelAgent } from './tunnel.ts';
import { findTunnel, listAgents, pageOfTunnels } from './tunnel.sql.ts';

const InOrg = z.strictObject({ org: z.string() });
const OneTunnel = z.strictObject({ org: z.string(), tun: z.string() });

const TunnelShown = z.object({
  id: z.string(),
  name: z.string(),
  destinations: z.array(z.string()),
  state: z.enum(['online', 'offline', 'revoked']),
  agentsOnline: z.number(),
  /** Now where an agent is connected; null: none ever was. */
  lastSeen: z.string().nullable(),
  created: z.string(),
  revoked: z.string().nullable(),
  secretRotated: z.string(),
  /** Until when the secret before the last one is good. */
  olderSecretUntil: z.string().nullable(),
});
const AgentShown = z.object({
  id: z.string(),
  /** What it says of itself. */
  name: z.string(),
  version: z.string(),
  allow: z.array(z.string()),
  address: z.string(),
  joined: z.string(),
  /** It came with the secret before the last one. */
  olderSecret: z.boolean(),
  /** Destinations of the tunnel that its command line does not let it reach. */
  refuses: z.array(z.string()),
});
const Secret = z.object({
  /** Shown this once. */
  secret: z.string(),
});

const shown = (t: Tunnel, agents: readonly TunnelAgent[], now: Date): z.infer<typeof TunnelShown> => {
  const here = agents.filter((a) => a.tunnel === t.id);
  return {
    id: t.id,
    name: t.name,
    destinations: [...t.destinations],
    state: t.revoked ? 'revoked' : here.length > 0 ? 'online' : 'offline',
    agentsOnline: here.length,
    lastSeen: (here.length > 0 ? now : t.lastSeen)?.toISOString() ?? null,
    created: t.created.toISOString(),
    revoked: t.revoked?.toISOString() ?? null,
    secretRotated: t.rotated.toISOString(),
    olderSecretUntil: t.olderUntil && t.olderUntil > now ? t.olderUntil.toISOString() : null,
  };
};

const shownAgent = (t: Tunnel, a: TunnelAgent): z.infer<typeof AgentShown> => ({
  id: a.id,
  name: a.name,
  version: a.version,
  allow: [...a.allow],
  address: a.address,
  joined: a.joined.toISOString(),
  olderSecret: a.generation < t.generation,
  refuses: t.destinations.filter((d) => !reaches(a.allow, new URL(d))),
});

const inOrg = (ctx: Ctx): OrgCtx => {
  if (ctx.org === undefined)
    throw new Problem('bug', 'tunnels/no-org', { says: 'this operation is inside an organization' });
  return { ...ctx, org: ctx.org };
};
const idOf = (text: string): Id<'tun'> => {
  const id = parseId('tun', text);
  if (!id) throw noTunnel(text.slice(0, 60));
  return id;
};
/** A change, and what it came to, with the agents of this moment. */
const after = async (ctx: Ctx, t: Tunnel): Promise<z.infer<typeof TunnelShown>> =>
  shown(t, await ctx.db.read(scopeOf(ctx), (db) => listAgents(db, [t.id])), ctx.now);
const found = async (db: Reader, id: Id<'tun'>): Promise<Tunnel> => {
  const t = await findTunnel(db, id);
  if (!t) throw noTunnel(id);
  return t;
};

const Name = z.string().trim().min(1).max(100);
const Destinations = z.array(z.string().min(1).max(2000)).min(1).max(50);
/** A day is enough for a rolling restart; a week for one by hand. */
const DEFAULT_OVERLAP_HOURS = 24;
const MAX_OVERLAP_HOURS = 168;

/** Tunnels of an organization. */
export const tunnelOperations = (through: Through): readonly Operation[] => [
  operation({
    id: 'tunnels.list',
    at: 'GET /orgs/:org/tunnels',
    can: 'connector.manage',
    says: 'Lists the tunnels of the organization, newest first, revoked ones too; q searches name and destinations.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(TunnelShown),
    handle: (ctx, { query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const rows = await pageOfTunnels(db, query);
        const agents = await listAgents(
          db,
          rows.map((t) => t.id),
        );
        return listed(
          rows.map((t) => shown(t, agents, ctx.now)),
          query.limit,
          (t) => [t.id],
        );
      }),
  }),
  operation({
    id: 'tunnels.create',
    at: 'POST /orgs/:org/tunnels',
    can: 'connector.manage',
    says: 'Makes a tunnel into a network. The secret for its agents is in this answer and nowhere else.',
    params: InOrg,
    body: z.strictObject({ name: Name, destinations: Destinations }),
    status: 201,
    reply: TunnelShown.extend(Secret.shape),
    handle: async (ctx, { body }) => {
      const { tunnel, secret } = await createTunnel(inOrg(ctx), body);
      return { ...shown(tunnel, [], ctx.now), secret };
    },
    headers: (value, ctx) => ({ location: `${ctx.origin}/api/orgs/${ctx.org}/tunnels/${value.id}` }),
  }),
  operation({
    id: 'tunnels.get',
    at: 'GET /orgs/:org/tunnels/:tun',
    can: 'connector.manage',
    says: 'Shows a tunnel, its agents that are connected now, and the connectors that are reached through it.',
    params: OneTunnel,
    reply: TunnelShown.extend({
      agents: z.array(AgentShown),
      connectors: z.array(z.object({ id: z.string(), slug: z.string(), url: z.string() })),
    }),
    handle: (ctx, { params }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        const t = await found(db, idOf(params.tun));
        const agents = await listAgents(db, [t.id]);
        const connectors = (await through.connectors(db, t.id)).map(({ id, slug, url }) => ({ id, slug, url }));
        return { ...shown(t, agents, ctx.now), agents: agents.map((a) => shownAgent(t, a)), connectors };
      }),
  }),
  operation({
    id: 'tunnels.edit',
    at: 'PATCH /orgs/:org/tunnels/:tun',
    can: 'connector.manage',
    says: 'Changes the name or the destinations of a tunnel; a destination that a connector needs is not taken away.',
    params: OneTunnel,
    body: z
      .strictObject({ name: Name.optional(), destinations: Destinations.optional() })
      .refine((b) => Object.keys(b).length > 0, 'say what to change'),
    reply: TunnelShown,
    handle: async (ctx, { params, body }) => after(ctx, await editTunnel(inOrg(ctx), idOf(params.tun), body, through)),
  }),
  operation({
    id: 'tunnels.rotate_secret',
    at: 'POST /orgs/:org/tunnels/:tun/secret',
    can: 'connector.manage',
    says: 'Gives a tunnel a new secret, shown in this answer only. The one before is good for overlapHours more (24 where nothing is said; 0: no more).',
    params: OneTunnel,
    body: z.strictObject({ overlapHours: z.number().min(0).max(MAX_OVERLAP_HOURS).default(DEFAULT_OVERLAP_HOURS) }),
    reply: TunnelShown.extend(Secret.shape),
    handle: async (ctx, { params, body }) => {
      const { tunnel, secret } = await rotateSecret(inOrg(ctx), idOf(params.tun), body.overlapHours * 3_600_000);
      return { ...(await after(ctx, tunnel)), secret };
    },
  }),
  operation({
    id: 'tunnels.revoke',
    at: 'POST /orgs/:org/tunnels/:tun/revoke',
    can: 'connector.manage',
    says: 'Ends a tunnel for good: its agents are cut off at every node within a second, and with them what is under way.',
    params: OneTunnel,
    reply: TunnelShown,
    handle: async (ctx, { params }) => shown(await revokeTunnel(inOrg(ctx), idOf(params.tun)), [], ctx.now),
  }),
];
