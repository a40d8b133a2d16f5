import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

export type KeptClaims = { trace: Id<'sgn'>; connection: Id<'sso'>; sealed: Buffer; until: Date };

export const insertClaims = (tx: Tx, k: KeptClaims): Promise<number> =>
  tx.run(write`
  insert into sign_in_claims (parent, trace, connection, sealed, kept_until)
  values (app_parent(), ${k.trace}, ${k.connection}, ${k.sealed}, ${k.until})`);

export const findClaims = (db: Reader, trace: Id<'sgn'>, now: Date): Promise<{ sealed: Buffer } | undefined> =>
  db.maybe(read(z.object({ sealed: z.instanceof(Buffer) }))`
  select sealed from sign_in_claims where parent = app_parent() and trace = ${trace} and kept_until > ${now}`);
