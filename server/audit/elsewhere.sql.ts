import type { Ctx } from '#kernel/ctx.ts';
import { read, write, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { z } from 'zod';
import type { AuditEvent } from './events.ts';
import { inboxRow, logOf } from './inbox.sql.ts';

/** A parent, or one of its organizations. */
export type Place = { parent: Id<'par'>; org: Id<'org'> | undefined };

/**
 * Works in another parent or organization for a part of a change, and tells its log. For the few changes that are about two places at once
 * (a sister organization, a merge): both know, or neither. The caller answers for why its actor may do this there.
 * INVARIANT (back home): the transaction's scope is the caller's again when this returns; when it throws there is no transaction any more.
 */
export async function elsewhere(
  tx: Tx,
  ctx: Ctx,
  place: Place,
  work: (there: Ctx) => Promise<readonly AuditEvent[]>,
): Promise<void> {
  const there: Ctx = { ...ctx, parent: place.parent, org: place.org };
  await enter(tx, place);
  const rows = (await work(there)).map((event) =>
    inboxRow({ log: logOf(there), at: ctx.now, actor: ctx.actor, request: ctx.request, event }),
  );
  if (rows.length > 0) {
    await tx.run(write`
    insert into audit_inbox (id, log, at, header, data, salt)
    select r.id, r.log, r.at, r.header::jsonb, r.data::jsonb, decode(r.salt, 'hex')
      from unnest(${rows.map((r) => r.id)}::text[], ${rows.map((r) => r.log)}::text[], ${rows.map((r) => r.at)}::timestamptz[],
                  ${rows.map((r) => r.header)}::text[], ${rows.map((r) => r.data)}::text[], ${rows.map((r) => r.salt)}::text[])
        as r(id, log, at, header, data, salt)`);
    await tx.one(read(z.unknown())`select bump_version(${place.parent}, ${place.org ?? null})`);
  }
  await enter(tx, ctx);
}

const enter = (tx: Tx, place: Place): Promise<unknown> =>
  tx.one(
    read(
      z.unknown(),
    )`select set_config('app.parent', ${place.parent}, true), set_config('app.org', ${place.org ?? ''}, true)`,
  );
