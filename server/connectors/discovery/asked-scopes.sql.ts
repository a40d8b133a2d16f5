import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const Row = z.object({
  connector: z.custom<Id<'con'>>(),
  scopes: z.array(z.string()),
  asked: z.array(z.string()),
  tries: z.number(),
  generation: z.number(),
  askedGeneration: z.number().nullable(),
});

/** What a live connection has and what its server asked for beyond; takes the row. */
export const findAskedScopes = (tx: Tx, id: Id<'cnn'>): Promise<z.infer<typeof Row> | undefined> =>
  tx.maybe(read(Row)`
  select connector, scopes, asked_scopes as asked, asked_tries as tries, generation, asked_generation as "askedGeneration"
    from connection where org = app_org() and id = ${id} and ended_at is null for update`);

export const saveAskedScopes = (
  tx: Tx,
  id: Id<'cnn'>,
  a: { asked: readonly string[]; tries: number; generation: number },
): Promise<number> =>
  tx.run(write`
  update connection set asked_scopes = ${a.asked}, asked_tries = ${a.tries}, asked_generation = ${a.generation}
   where org = app_org() and id = ${id} and ended_at is null`);

/** What a member's next consent asks for beyond what the server names: what they have from the same issuer, and what it asked for since. */
export const findScopesToKeep = async (
  db: Reader,
  { connector, member, issuer }: { connector: Id<'con'>; member: Id<'mem'>; issuer: string },
): Promise<string[]> =>
  (
    await db.maybe(read(z.object({ scopes: z.array(z.string()) }))`
  select scopes || asked_scopes as scopes from connection
   where org = app_org() and connector = ${connector} and owner_kind = 'person' and member = ${member} and ended_at is null
     and facts ->> 'issuer' = ${issuer}`)
  )?.scopes ?? [];
