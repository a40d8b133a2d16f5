import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { authMethods, Discovery, idJagModes, parModes, type SsoConnection, type WayIn } from './sso-connection.ts';

const ConnectionRow: z.ZodType<SsoConnection> = z.object({
  id: z.custom<Id<'sso'>>(),
  name: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  authMethod: z.enum(authMethods),
  secretSealed: z.instanceof(Buffer).nullable(),
  secretGeneration: z.number(),
  allowPrivate: z.array(z.string()),
  matchDirectory: z.boolean(),
  hostedDomains: z.array(z.string()),
  tenants: z.array(z.string()),
  par: z.enum(parModes),
  idJag: z.enum(idJagModes),
  state: z.enum(['active', 'disabled']),
  discovery: Discovery,
  discoveredAt: z.date(),
  createdAt: z.date(),
});

const columns: Fragment = sql`id, name, issuer, client_id as "clientId", auth_method as "authMethod", secret_sealed as "secretSealed",
         secret_generation as "secretGeneration", allow_private as "allowPrivate", match_directory as "matchDirectory", hosted_domains as "hostedDomains", tenants,
         par, id_jag as "idJag", state, discovery,
         discovered_at as "discoveredAt", created_at as "createdAt"`;

/** 0: this parent has a connection with this issuer and client already. */
export const insertConnection = (tx: Tx, c: SsoConnection): Promise<number> =>
  tx.run(write`
  insert into sso_connection (parent, id, name, kind, issuer, client_id, auth_method, secret_sealed, secret_generation, allow_private,
                              match_directory, hosted_domains, tenants, par, id_jag, state, discovery, discovered_at, created_at)
  values (app_parent(), ${c.id}, ${c.name}, 'oidc', ${c.issuer}, ${c.clientId}, ${c.authMethod}, ${c.secretSealed}, ${c.secretGeneration},
          ${c.allowPrivate}, ${c.matchDirectory}, ${c.hostedDomains}, ${c.tenants}, ${c.par}, ${c.idJag}, ${c.state}, ${json(c.discovery)}, ${c.discoveredAt}, ${c.createdAt})
  on conflict (parent, issuer, client_id) do nothing`);

export const findConnection = (db: Reader, id: Id<'sso'>): Promise<SsoConnection | undefined> =>
  db.maybe(
    read(
      ConnectionRow,
    )`select ${columns} from sso_connection where parent = app_parent() and id = ${id} and kind = 'oidc'`,
  );

export const lockConnection = (tx: Tx, id: Id<'sso'>): Promise<SsoConnection | undefined> =>
  tx.maybe(
    read(
      ConnectionRow,
    )`select ${columns} from sso_connection where parent = app_parent() and id = ${id} and kind = 'oidc' for update`,
  );

/** OpenID connections by name. `q` is looked for in name and issuer. */
export const listConnections = (
  db: Reader,
  f: {
    q?: string | undefined;
    state?: SsoConnection['state'] | undefined;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<SsoConnection[]> =>
  db.many(read(ConnectionRow)`
  select ${columns}
    from sso_connection
   where parent = app_parent() and kind = 'oidc'
     and (${containing(f.q)}::text is null or name ilike ${containing(f.q)} or issuer ilike ${containing(f.q)})
     and (${f.state ?? null}::text is null or state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or (lower(name), id) > (${f.after?.[0] ?? ''}, ${f.after?.[1] ?? ''}))
   order by lower(name), id
   limit ${f.limit + 1}`);

const WayRow: z.ZodType<WayIn> = z.object({ id: z.custom<Id<'sso'>>(), name: z.string() });

/** The active connections of every kind, by name: what a sign-in page offers. */
export const listWaysIn = (db: Reader, limit: number): Promise<WayIn[]> =>
  db.many(read(WayRow)`
  select id, name from sso_connection where parent = app_parent() and state = 'active' order by lower(name), id limit ${limit}`);

/** Whether another connection of the parent matches directory users already. */
export const someConnectionMatches = (db: Reader): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from sso_connection where parent = app_parent() and match_directory`);

/** 0: it is in that state already. */
export const saveConnectionState = (tx: Tx, id: Id<'sso'>, state: SsoConnection['state']): Promise<number> =>
  tx.run(
    write`update sso_connection set state = ${state} where parent = app_parent() and id = ${id} and state <> ${state}`,
  );

/** 0: somebody else has replaced the secret of this generation. */
export const saveConnectionSecret = (
  tx: Tx,
  id: Id<'sso'>,
  s: { sealed: Buffer | null; authMethod: string; generation: number },
): Promise<number> =>
  tx.run(write`
  update sso_connection set secret_sealed = ${s.sealed}, auth_method = ${s.authMethod}, secret_generation = ${s.generation}
   where parent = app_parent() and id = ${id} and secret_generation = ${s.generation - 1}`);

export const saveDiscovery = (tx: Tx, id: Id<'sso'>, d: Discovery, at: Date): Promise<number> =>
  tx.run(write`
  update sso_connection set discovery = ${json(d)}, discovered_at = ${at} where parent = app_parent() and id = ${id}`);

/** For `Db.lookup`: whose connection this is. */
export const lookupConnectionParent = (id: Id<'sso'>) =>
  read(z.object({ parent: z.custom<Id<'par'>>().nullable() }))`select lookup_sso_connection(${id}) as parent`;

/** 0: it is so already. */
export const saveConnectionRules = (
  tx: Tx,
  id: Id<'sso'>,
  r: Pick<SsoConnection, 'hostedDomains' | 'tenants' | 'par' | 'idJag'>,
): Promise<number> =>
  tx.run(write`
  update sso_connection set hosted_domains = ${r.hostedDomains}, tenants = ${r.tenants}, par = ${r.par}, id_jag = ${r.idJag}
   where parent = app_parent() and id = ${id}
     and (hosted_domains, tenants, par, id_jag) is distinct from (${r.hostedDomains}::text[], ${r.tenants}::text[], ${r.par}, ${r.idJag})`);
