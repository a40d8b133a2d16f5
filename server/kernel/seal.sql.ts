import { z } from 'zod';
import { read, write, type Query, type Reader, type Tx } from './db.ts';

const KeyRow = z.object({ generation: z.number(), provider: z.string(), wrapped: z.instanceof(Buffer) });
/** A key that is not retired. */
export type KeyRow = z.infer<typeof KeyRow>;

/** The key that seals now. Generation 0 is the deployment's secret, which seals only where there is no later one. */
export const findLatestKey = (db: Reader, scope: string): Promise<KeyRow | undefined> =>
  db.maybe(read(KeyRow)`
    select generation, provider, wrapped from seal_key
     where scope = ${scope} and generation > 0 and wrapped is not null order by generation desc limit 1`);

/** Above every key that a scope has or had: a retired generation is never given again. */
export const nextGeneration = async (db: Reader, scope: string): Promise<number> =>
  (
    await db.one(
      read(
        z.object({ n: z.number() }),
      )`select coalesce(max(generation), 0) + 1 as n from seal_key where scope = ${scope}`,
    )
  ).n;

const KeptKey = KeyRow.extend({ wrapped: z.instanceof(Buffer).nullable() });

/** A key that sealed something, perhaps long ago; a retired one has no bytes any more. */
export const findKey = (db: Reader, scope: string, generation: number): Promise<KeyRow | 'retired' | undefined> =>
  db
    .maybe(read(KeptKey)`
    select generation, provider, wrapped from seal_key where scope = ${scope} and generation = ${generation}`)
    .then((k) => (k?.wrapped ? { ...k, wrapped: k.wrapped } : k && 'retired'));

/** Does nothing when another node was faster: read again to know whose key it is. No audit event: no person does this, and `seal_key` says when. */
export const insertKey = (tx: Tx, key: KeyRow & { scope: string }): Promise<number> =>
  tx.run(write`
    insert into seal_key (scope, generation, provider, wrapped)
    values (${key.scope}, ${key.generation}, ${key.provider}, ${key.wrapped})
    on conflict do nothing`);

/** Names of the keys that anything in this database is sealed with. */
export const sealProviders = (): Query<{ names: string[]; used: boolean }> =>
  read(
    z.object({ names: z.array(z.string()), used: z.boolean() }),
  )`select lookup_seal_providers() as names, lookup_seal_used() as used`;
