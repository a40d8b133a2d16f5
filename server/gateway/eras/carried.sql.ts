import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';

const Row = z.object({ key: z.string(), sealed: z.instanceof(Buffer) });

export const listCarried = (db: Reader, keys: readonly string[]): Promise<z.infer<typeof Row>[]> =>
  db.many(
    read(
      Row,
    )`select key, sealed from gateway_carried where org = app_org() and key = any(${keys}) and expires_at > now()`,
  );

/** 0: there is one under this key. One that is over makes room. */
export const insertCarried = (tx: Tx, key: string, sealed: Buffer, seconds: number): Promise<number> =>
  tx.run(write`
    insert into gateway_carried as c (org, key, sealed, expires_at) values (app_org(), ${key}, ${sealed}, now() + ${seconds} * interval '1 second')
    on conflict (org, key) do update set sealed = excluded.sealed, expires_at = excluded.expires_at where c.expires_at <= now()`);

export const saveCarried = (tx: Tx, key: string, sealed: Buffer, seconds: number): Promise<number> =>
  tx.run(write`
    insert into gateway_carried (org, key, sealed, expires_at) values (app_org(), ${key}, ${sealed}, now() + ${seconds} * interval '1 second')
    on conflict (org, key) do update set sealed = excluded.sealed, expires_at = excluded.expires_at`);

export const deleteCarried = (tx: Tx, key: string): Promise<number> =>
  tx.run(write`delete from gateway_carried where org = app_org() and key = ${key}`);

/** A few that are over, whenever something is written: nobody else has to come for them. */
export const deleteOver = (tx: Tx): Promise<number> =>
  tx.run(write`
    delete from gateway_carried where org = app_org() and key in (
      select key from gateway_carried where org = app_org() and expires_at <= now() order by expires_at limit 20 for update skip locked)`);

export const isNodeAlive = (db: Reader, node: string): Promise<{ alive: boolean } | undefined> =>
  db.maybe(
    read(z.object({ alive: z.boolean() }))`select lease_until > now() as alive from gateway_node where id = ${node}`,
  );
