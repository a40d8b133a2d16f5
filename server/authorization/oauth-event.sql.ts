import { z } from 'zod';
import type { Actor } from '#kernel/ctx.ts';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { AuditEvent } from '#audit/events.ts';
import { inboxRow } from '#audit/inbox.sql.ts';

/** An event with the log it belongs to. This room's requests learn their organization late, so there is no Ctx to take it from. */
export type Told = {
  parent: Id<'par'>;
  org: Id<'org'> | undefined;
  actor: Actor;
  event: AuditEvent;
  /** A consent ended: every cache of the organization must look again. */
  bump?: boolean;
};

/** Writes one event in the caller's transaction, through the one function that this role may use for it (0006-authorization.sql). */
export async function recordOauthEvent(tx: Tx, t: Told, request: string, at: Date): Promise<void> {
  const r = inboxRow({ log: t.org ?? t.parent, at, actor: t.actor, request, event: t.event });
  await tx.run(write`
    select record_oauth_event(${t.parent}, ${t.org ?? null}, ${r.id}, ${r.at}, ${r.header}::jsonb, ${r.data}::jsonb, decode(${r.salt}, 'hex'), ${t.bump ?? false})`);
}

/** Every parent of the deployment: all are told when a client registers itself. */
export const listParents = async (db: Reader): Promise<Id<'par'>[]> =>
  (await db.many(read(z.object({ parent: z.custom<Id<'par'>>() }))`select parent from lookup_parents()`)).map(
    (r) => r.parent,
  );
