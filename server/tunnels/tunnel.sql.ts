import { z } from 'zod';
import { read, write, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing, type ListQuery } from '#kernel/list.ts';
import type { Tunnel, TunnelAgent } from './tunnel.ts';

const given = <T>(v: T | null): T | undefined => v ?? undefined;
const TunnelRow = z.object({
  id: z.custom<Id<'tun'>>(),
  name: z.string(),
  destinations: z.array(z.string()),
  generation: z.number(),
  rotated: z.date(),
  olderUntil: z.date().nullable().transform(given),
  told: z.enum(['online', 'offline']),
  lastSeen: z.date().nullable().transform(given),
  created: z.date(),
  revoked: z.date().nullable().transform(given),
});

export const insertTunnel = (tx: Tx, t: Tunnel, hash: Buffer): Promise<number> =>
  tx.run(write`
    insert into tunnel (org, id, name, destinations, generation, secret_hash, rotated_at, told, told_at, created_at)
    values (app_org(), ${t.id}, ${t.name}, ${t.destinations}, ${t.generation}, ${hash}, ${t.rotated}, ${t.told}, ${t.created}, ${t.created})
    on conflict (org, lower(name)) where revoked_at is null do nothing`);

export const findTunnel = (db: Reader, id: string): Promise<Tunnel | undefined> =>
  db.maybe(read(TunnelRow)`
    select id, name, destinations, generation, rotated_at as rotated, older_until as "olderUntil", told, last_seen_at as "lastSeen", created_at as created, revoked_at as revoked
      from tunnel where org = app_org() and id = ${id}`);

export const lockTunnel = (tx: Tx, id: Id<'tun'>): Promise<Tunnel | undefined> =>
  tx.maybe(read(TunnelRow)`
    select id, name, destinations, generation, rotated_at as rotated, older_until as "olderUntil", told, last_seen_at as "lastSeen", created_at as created, revoked_at as revoked
      from tunnel where org = app_org() and id = ${id} for update`);

/** A page, newest first; revoked ones stay, because someone may ask what one was. */
export const pageOfTunnels = (db: Reader, f: ListQuery): Promise<Tunnel[]> =>
  db.many(read(TunnelRow)`
    select id, name, destinations, generation, rotated_at as rotated, older_until as "olderUntil", told, last_seen_at as "lastSeen", created_at as created, revoked_at as revoked
      from tunnel
     where org = app_org()
       and (${containing(f.q)}::text is null or name ilike ${containing(f.q)} or id = ${f.q ?? ''} or array_to_string(destinations, ' ') ilike ${containing(f.q)})
       and (${f.cursor?.[0] ?? null}::text is null or id < ${f.cursor?.[0] ?? ''})
     order by id desc limit ${f.limit + 1}`);

/** 0: another one that lives has the name. */
export const saveTunnel = (tx: Tx, t: Pick<Tunnel, 'id' | 'name' | 'destinations'>): Promise<number> =>
  tx.run(write`
    update tunnel t set name = ${t.name}, destinations = ${t.destinations}
     where t.org = app_org() and t.id = ${t.id}
       and not exists (select from tunnel o where o.org = app_org() and o.id <> t.id and lower(o.name) = lower(${t.name}) and o.revoked_at is null)`);

/** The secret that was the newest becomes the older one. */
export const saveSecret = (tx: Tx, id: Id<'tun'>, hash: Buffer, olderUntil: Date, at: Date): Promise<number> =>
  tx.run(write`
    update tunnel set generation = generation + 1, older_secret_hash = secret_hash, older_until = ${olderUntil}, secret_hash = ${hash}, rotated_at = ${at}
     where org = app_org() and id = ${id}`);

export const saveRevoked = (tx: Tx, id: Id<'tun'>, at: Date): Promise<number> =>
  tx.run(write`
    update tunnel set revoked_at = ${at}, told = 'offline', told_at = ${at} where org = app_org() and id = ${id} and revoked_at is null`);

/** 0: the log tells it so already. */
export const saveTold = (tx: Tx, id: Id<'tun'>, told: Tunnel['told'], at: Date): Promise<number> =>
  tx.run(write`
    update tunnel set told = ${told}, told_at = ${at} where org = app_org() and id = ${id} and told <> ${told} and revoked_at is null`);

const AgentRow: z.ZodType<TunnelAgent> = z.object({
  id: z.custom<Id<'tag'>>(),
  tunnel: z.custom<Id<'tun'>>(),
  node: z.string(),
  name: z.string(),
  version: z.string(),
  address: z.string(),
  allow: z.array(z.string()),
  generation: z.number(),
  joined: z.date(),
});

/** Agents of these tunnels that are connected to nodes that live (the gateway keeps the leases). */
export const listAgents = (db: Reader, tunnels: readonly Id<'tun'>[]): Promise<TunnelAgent[]> =>
  db.many(read(AgentRow)`
    select a.id, a.tunnel, a.node, a.name, a.version, a.address, a.allow, a.generation, a.joined_at as joined
      from tunnel_agent a join gateway_node n on n.id = a.node and n.lease_until > now()
     where a.org = app_org() and a.tunnel = any(${tunnels}) order by a.id`);

export const insertAgent = (tx: Tx, a: TunnelAgent): Promise<number> =>
  tx.run(write`
    insert into tunnel_agent (org, id, tunnel, node, name, version, address, allow, generation, joined_at)
    values (app_org(), ${a.id}, ${a.tunnel}, ${a.node}, ${a.name}, ${a.version}, ${a.address}, ${a.allow}, ${a.generation}, ${a.joined})`);

/** 0: it was taken for dead already. */
export const deleteAgent = (tx: Tx, id: Id<'tag'>): Promise<number> =>
  tx.run(write`delete from tunnel_agent where org = app_org() and id = ${id}`);

export const saveLastSeen = (tx: Tx, id: Id<'tun'>, at: Date): Promise<number> =>
  tx.run(write`
    update tunnel set last_seen_at = greatest(last_seen_at, ${at}) where org = app_org() and id = ${id}`);

const LeftRow = z.object({
  id: z.custom<Id<'tag'>>(),
  tunnel: z.custom<Id<'tun'>>(),
  node: z.string(),
  at: z.date().nullable(),
});
/** Takes agents away whose node is gone. `at`: until when it was known to live. */
export const deleteLeftOver = (tx: Tx, quietSeconds: number): Promise<z.infer<typeof LeftRow>[]> =>
  tx.many(read(LeftRow)`
    delete from tunnel_agent a using tunnel_agent b left join gateway_node n on n.id = b.node
     where a.org = app_org() and b.org = a.org and b.id = a.id and (n.id is null or n.lease_until <= now() - make_interval(secs => ${quietSeconds}))
    returning a.id, a.tunnel, a.node, n.lease_until as at`);

const StandsRow = z.object({
  id: z.custom<Id<'tun'>>(),
  name: z.string(),
  told: z.enum(['online', 'offline']),
  living: z.boolean(),
});
/** Tunnels of which the log tells something else than what is. An agent that comes back within `quietSeconds` was never away. */
export const listUntold = (tx: Tx, now: Date, quietSeconds: number): Promise<z.infer<typeof StandsRow>[]> =>
  tx.many(read(StandsRow)`
    select * from (
      select t.id, t.name, t.told, t.last_seen_at,
             exists (select from tunnel_agent a join gateway_node n on n.id = a.node and n.lease_until > now() where a.org = t.org and a.tunnel = t.id) as living
        from tunnel t where t.org = app_org() and t.revoked_at is null) s
     where (living and told = 'offline')
        or (not living and told = 'online' and not exists (select from tunnel_agent x where x.org = app_org() and x.tunnel = s.id) and coalesce(last_seen_at <= ${now}::timestamptz - make_interval(secs => ${quietSeconds}), true))`);

const AddressRow = z.object({ id: z.string(), address: z.string().nullable() });
/** Where these nodes are reached, of those that live. */
export const listNodes = (db: Reader, ids: readonly string[]): Promise<z.infer<typeof AddressRow>[]> =>
  db.many(read(AddressRow)`select id, address from gateway_node where id = any(${ids}) and lease_until > now()`);

const LookedUp = z
  .object({
    parent: z.custom<Id<'par'>>(),
    org: z.custom<Id<'org'>>(),
    name: z.string(),
    generation: z.number(),
    hash: z.instanceof(Buffer),
    olderHash: z.instanceof(Buffer).nullable().transform(given),
    olderUntil: z.date().nullable().transform(given),
    revoked: z.date().nullable().transform(given),
  })
  .transform(({ parent, org, name, revoked, ...hashes }) => ({ parent, org, name, revoked, hashes }));
export type FoundTunnel = z.infer<typeof LookedUp>;

/** For `Db.lookup`: the tunnel that an agent or a connector names. */
export const lookupTunnel = (id: Id<'tun'>): Query<FoundTunnel> =>
  read(LookedUp)`
    select parent, org, name, generation, secret_hash as hash, older_secret_hash as "olderHash", older_until as "olderUntil", revoked_at as revoked
      from lookup_tunnel(${id})`;

const Scopes = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** For `Db.lookup`: where something is to be told or taken away. */
export const lookupUnsettled = (quietSeconds: number): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`
    select coalesce(json_agg(u), '[]') as scopes from lookup_unsettled_tunnels(make_interval(secs => ${quietSeconds})) u`;

const Figures = z.object({ figures: z.array(z.object({ state: z.string(), n: z.number() })) });
/** For `Db.lookup`. */
export const lookupFigures = (): Query<z.infer<typeof Figures>> =>
  read(Figures)`select coalesce(json_agg(f), '[]') as figures from lookup_tunnel_figures() f`;
