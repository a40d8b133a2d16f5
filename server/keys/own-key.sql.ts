import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { OwnKeyConfig, ownKeyStates, type OwnKey, type OwnKeyState } from './own-key.ts';

const OwnKeyRow = z.object({
  id: z.custom<Id<'owk'>>(),
  config: OwnKeyConfig,
  sealed: z.instanceof(Buffer),
  state: z.enum(ownKeyStates),
  since: z.date(),
  namedBy: z.string(),
  namedAt: z.date(),
});

/** At most one per org. */
export const findOwnKey = (db: Reader): Promise<OwnKey | undefined> =>
  db.maybe(read(OwnKeyRow)`
    select id, config, sealed, state, state_since as since, named_by as "namedBy", named_at as "namedAt"
      from own_key where org = app_org()`);

export const lockOwnKey = (tx: Tx): Promise<OwnKey | undefined> =>
  tx.maybe(read(OwnKeyRow)`
    select id, config, sealed, state, state_since as since, named_by as "namedBy", named_at as "namedAt"
      from own_key where org = app_org() for update`);

/** One row per org: another key takes the place of the one before. */
export const saveOwnKey = (tx: Tx, k: OwnKey): Promise<number> =>
  tx.run(write`
    insert into own_key (org, id, kind, config, sealed, state, state_since, named_by, named_at)
    values (app_org(), ${k.id}, ${k.config.kind}, ${json(k.config)}, ${k.sealed}, ${k.state}, ${k.since}, ${k.namedBy}, ${k.namedAt})
    on conflict (org) do update set id = excluded.id, kind = excluded.kind, config = excluded.config, sealed = excluded.sealed,
      state = excluded.state, state_since = excluded.state_since, named_by = excluded.named_by, named_at = excluded.named_at`);

export const saveOwnKeyState = (tx: Tx, state: OwnKeyState, now: Date): Promise<number> =>
  tx.run(write`update own_key set state = ${state}, state_since = ${now} where org = app_org()`);

export const deleteOwnKey = (tx: Tx): Promise<number> => tx.run(write`delete from own_key where org = app_org()`);

const Whose = z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() });
/** Orgs with a key of their own. */
export const listOwnKeys = (db: Reader): Promise<z.infer<typeof Whose>[]> =>
  db.many(read(Whose)`select parent, org from lookup_own_keys()`);
