import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { appWays, type AppProof, type ConnectorApp } from './connector-app.ts';
import { clientAuthMethods } from './oauth-facts.ts';

const columns = {
  connector: z.custom<Id<'con'>>(),
  clientId: z.string(),
  kind: z.enum(['secret', 'key', 'none']),
  generation: z.number(),
  certificate: z.string().nullable(),
  keyId: z.string().nullable(),
  sameAddress: z.boolean(),
  ends: z.date().nullable(),
  failingSince: z.date().nullable(),
  setBy: z.string(),
  setAt: z.date(),
  way: z.enum(appWays),
  issuer: z.string().nullable(),
  method: z.enum(clientAuthMethods).nullable(),
};
const appOf = (r: z.infer<z.ZodObject<typeof columns>>): ConnectorApp => ({
  connector: r.connector,
  clientId: r.clientId,
  proof:
    r.kind === 'key' && r.certificate !== null && r.keyId !== null
      ? { kind: 'key', certificate: r.certificate, keyId: r.keyId }
      : { kind: r.kind === 'none' ? 'none' : 'secret' },
  generation: r.generation,
  sameAddress: r.sameAddress,
  ends: r.ends ?? undefined,
  failingSince: r.failingSince ?? undefined,
  set: { by: r.setBy, at: r.setAt },
  way: r.way,
  issuer: r.issuer ?? undefined,
  method: r.method ?? undefined,
});

/** With what opens for `appAad` only; undefined for an app without a secret. */
export type SealedApp = { app: ConnectorApp; sealed: Buffer | undefined };
const SealedRow = z
  .object({ ...columns, sealed: z.instanceof(Buffer).nullable() })
  .transform((r): SealedApp => ({ app: appOf(r), sealed: r.sealed ?? undefined }));

export const findSealedApp = (db: Reader, connector: Id<'con'>): Promise<SealedApp | undefined> =>
  db.maybe(read(SealedRow)`
  select connector, client_id as "clientId", kind, generation, certificate, key_id as "keyId", same_address as "sameAddress", ends_at as ends,
         failing_since as "failingSince", set_by as "setBy", set_at as "setAt", way, issuer, method, sealed
    from connector_app where org = app_org() and connector = ${connector}`);

export const findApp = async (db: Reader, connector: Id<'con'>): Promise<ConnectorApp | undefined> =>
  (await findSealedApp(db, connector))?.app;

/** Connectors for which an app is registered; an org has tens of them. */
export const listAppConnectors = async (db: Reader): Promise<Set<Id<'con'>>> =>
  new Set(
    (
      await db.many(
        read(z.object({ connector: z.custom<Id<'con'>>() }))`select connector from connector_app where org = app_org()`,
      )
    ).map((r) => r.connector),
  );

export type NewApp = Omit<ConnectorApp, 'proof' | 'failingSince'> & {
  proof: AppProof;
  sealed: Buffer | undefined;
};

/** Puts it in the place of generation `before` (0: of none). 0: somebody else was faster. */
export const saveApp = (tx: Tx, a: NewApp, before: number): Promise<number> => {
  const key = a.proof.kind === 'key' ? a.proof : undefined;
  return tx.run(write`
  insert into connector_app as a (org, connector, client_id, kind, sealed, generation, certificate, key_id, same_address, ends_at, set_by, set_at, way, issuer, method)
  values (app_org(), ${a.connector}, ${a.clientId}, ${a.proof.kind}, ${a.sealed ?? null}, ${a.generation}, ${key?.certificate ?? null},
          ${key?.keyId ?? null}, ${a.sameAddress}, ${a.ends ?? null}, ${a.set.by}, ${a.set.at}, ${a.way}, ${a.issuer ?? null}, ${a.method ?? null})
  on conflict (org, connector) do update
     set client_id = excluded.client_id, kind = excluded.kind, sealed = excluded.sealed, generation = excluded.generation,
         certificate = excluded.certificate, key_id = excluded.key_id, same_address = excluded.same_address, ends_at = excluded.ends_at,
         refused_at = '{}', failing_since = null, set_by = excluded.set_by, set_at = excluded.set_at, way = excluded.way, issuer = excluded.issuer,
         method = excluded.method
   where a.generation = ${before}`);
};

export const deleteApp = (tx: Tx, connector: Id<'con'>): Promise<number> =>
  tx.run(write`delete from connector_app where org = app_org() and connector = ${connector}`);

/** Forgets what we registered ourselves, in the generation that was refused. 0: it is another one by now. */
export const deleteRegistration = (tx: Tx, connector: Id<'con'>, generation: number): Promise<number> =>
  tx.run(write`
  delete from connector_app where org = app_org() and connector = ${connector} and generation = ${generation} and way = 'registered'`);

const RefusalsRow = z.object({ refused: z.array(z.date()), failingSince: z.date().nullable() });

/** Takes the row; undefined: there is no app any more. */
export const lockAppRefusals = (
  tx: Tx,
  connector: Id<'con'>,
): Promise<{ refused: Date[]; failingSince: Date | null } | undefined> =>
  tx.maybe(read(RefusalsRow)`
  select refused_at as refused, failing_since as "failingSince" from connector_app where org = app_org() and connector = ${connector} for update`);

export const saveAppRefusals = (
  tx: Tx,
  connector: Id<'con'>,
  r: { refused: readonly Date[]; failingSince: Date | null },
): Promise<number> =>
  tx.run(write`
  update connector_app set refused_at = ${r.refused}, failing_since = ${r.failingSince} where org = app_org() and connector = ${connector}`);

/** The vendor took it. 0: it was not failing. */
export const saveAppTaken = (tx: Tx, connector: Id<'con'>): Promise<number> =>
  tx.run(write`
  update connector_app set refused_at = '{}', failing_since = null
   where org = app_org() and connector = ${connector} and (failing_since is not null or refused_at <> '{}')`);
