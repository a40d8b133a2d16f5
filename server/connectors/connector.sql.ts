import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing, type ListQuery } from '#kernel/list.ts';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import type { Connector } from './connector.ts';
import { modes } from './kit/manifest.ts';
import { INSTRUCTIONS } from './tool.ts';

const ConnectorRow = z
  .object({
    id: z.custom<Id<'con'>>(),
    type: z.string(),
    mode: z.enum(modes),
    actAs: z.enum(actsAs),
    access: z.enum(accesses),
    settings: z.record(z.string(), z.unknown()),
    origins: z.record(z.string(), z.string()),
    originsPrivate: z.boolean(),
    slug: z.string(),
    name: z.string(),
    url: z.string(),
    privateHost: z.string().nullable(),
    tunnel: z.custom<Id<'tun'>>().nullable(),
    bearer: z.instanceof(Buffer).nullable(),
    generation: z.number(),
    state: z.enum(['on', 'off']),
    created: z.date(),
  })
  .transform(({ bearer, generation, privateHost, tunnel, ...c }): Connector => ({
    ...c,
    privateHost: privateHost ?? undefined,
    tunnel: tunnel ?? undefined,
    auth: bearer ? { kind: 'bearer', sealed: bearer, generation } : { kind: 'none' },
  }));

/** By name; an org has tens of them. */
export const listConnectors = (db: Reader): Promise<Connector[]> =>
  db.many(read(ConnectorRow)`
    select id, type, mode, act_as as "actAs", access, settings, origins, origins_private as "originsPrivate", slug, name, url, private_host as "privateHost", tunnel, bearer, bearer_generation as generation, state, created_at as created
      from connector where org = app_org() order by slug`);

/** A page of them, for people. */
export const pageOfConnectors = (db: Reader, f: ListQuery): Promise<Connector[]> =>
  db.many(read(ConnectorRow)`
    select id, type, mode, act_as as "actAs", access, settings, origins, origins_private as "originsPrivate", slug, name, url, private_host as "privateHost", tunnel, bearer, bearer_generation as generation, state, created_at as created
      from connector
     where org = app_org()
       and (${containing(f.q)}::text is null or slug ilike ${containing(f.q)} or name ilike ${containing(f.q)} or type ilike ${containing(f.q)})
       and (${f.cursor?.[0] ?? null}::text is null or slug > ${f.cursor?.[0] ?? ''})
     order by slug limit ${f.limit + 1}`);

export const findConnector = (db: Reader, id: Id<'con'>): Promise<Connector | undefined> =>
  db.maybe(read(ConnectorRow)`
    select id, type, mode, act_as as "actAs", access, settings, origins, origins_private as "originsPrivate", slug, name, url, private_host as "privateHost", tunnel, bearer, bearer_generation as generation, state, created_at as created
      from connector where org = app_org() and id = ${id}`);

/** Takes the row for the rest of the transaction; what is known of its tools changes under this lock only. */
export const lockConnector = (tx: Tx, id: Id<'con'>): Promise<Connector | undefined> =>
  tx.maybe(read(ConnectorRow)`
    select id, type, mode, act_as as "actAs", access, settings, origins, origins_private as "originsPrivate", slug, name, url, private_host as "privateHost", tunnel, bearer, bearer_generation as generation, state, created_at as created
      from connector where org = app_org() and id = ${id} for update`);

/** 0: the slug is taken. */
export const insertConnector = (tx: Tx, c: Connector): Promise<number> =>
  tx.run(write`
    insert into connector (org, id, type, mode, act_as, access, settings, origins, origins_private, slug, name, url, private_host, tunnel, bearer, bearer_generation, state, created_at)
    values (app_org(), ${c.id}, ${c.type}, ${c.mode}, ${c.actAs}, ${c.access}, ${JSON.stringify(c.settings)}, ${JSON.stringify(c.origins)}, ${c.originsPrivate}, ${c.slug}, ${c.name}, ${c.url}, ${c.privateHost ?? null}, ${c.tunnel ?? null},
            ${c.auth.kind === 'bearer' ? c.auth.sealed : null}, ${c.auth.kind === 'bearer' ? c.auth.generation : 0}, ${c.state}, ${c.created})
    on conflict (org, slug) do nothing`);

/** What an administrator chose. */
export const saveConnectorChoice = (tx: Tx, c: Connector): Promise<number> =>
  tx.run(write`
    update connector set name = ${c.name}, access = ${c.access}, act_as = ${c.actAs}, settings = ${JSON.stringify(c.settings)}, url = ${c.url}, tunnel = ${c.tunnel ?? null}
     where org = app_org() and id = ${c.id}`);

export const saveConnectorState = (tx: Tx, id: Id<'con'>, state: Connector['state']): Promise<number> =>
  tx.run(write`update connector set state = ${state} where org = app_org() and id = ${id}`);

/** What stands beside a connector in a list: its tools, and the live connections to it. */
export type ConnectorCounts = { usable: number; waiting: number; connections: number };
const CountsRow = z.object({
  connector: z.custom<Id<'con'>>(),
  usable: z.number(),
  waiting: z.number(),
  connections: z.number(),
});
export const countAtConnectors = async (
  db: Reader,
  connectors: readonly Id<'con'>[],
): Promise<ReadonlyMap<Id<'con'>, ConnectorCounts>> =>
  new Map(
    (
      await db.many(read(CountsRow)`
    select k.id as connector,
           (select count(*)::int from tool t where t.org = app_org() and t.connector = k.id and t.name <> ${INSTRUCTIONS} and t.state = 'reviewed') as usable,
           (select count(*)::int from tool t join tool_definition d on d.org = t.org and d.connector = t.connector and d.name = t.name and d.pin = t.pin
             where t.org = app_org() and t.connector = k.id and t.state in ('quarantined', 'changed') and d.verdict is distinct from 'closed') as waiting,
           (select count(*)::int from connection c where c.org = app_org() and c.connector = k.id and c.ended_at is null) as connections
      from unnest(${connectors}::text[]) as k(id)`)
    ).map(({ connector, ...counts }) => [connector, counts]),
  );
const ThroughRow = z.object({ id: z.custom<Id<'con'>>(), slug: z.string(), url: z.string() });
/** Those that are on and that a tunnel leads to. */
export const listConnectorsThrough = (db: Reader, tunnel: Id<'tun'>): Promise<z.infer<typeof ThroughRow>[]> =>
  db.many(read(ThroughRow)`
    select id, slug, url from connector where org = app_org() and tunnel = ${tunnel} and state = 'on' order by slug`);
