import { randomBytes } from 'node:crypto';
import type { Ctx } from '#kernel/ctx.ts';
import { json, write, type Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { AuditEvent } from './events.ts';

/** A log belongs to an organization, or to a parent for what is the parent's: users, domains, directories, sign-in. */
export type LogId = Id<'org'> | Id<'par'>;

export const logOf = (ctx: Pick<Ctx, 'org' | 'parent'>): LogId => ctx.org ?? ctx.parent;

/** What an inbox row is made from. */
export type Recorded = { log: LogId; at: Date; actor: Ctx['actor']; request: string; event: AuditEvent };

/** The header is hashed into the tree and is kept for ever, so it has ids and fixed words only; the data can be erased, its salted commitment stays. */
export function inboxRow(r: Recorded): {
  id: Id<'evt'>;
  log: LogId;
  at: Date;
  header: string;
  data: string;
  salt: string;
} {
  const id = newId('evt', r.at.getTime());
  return {
    id,
    log: r.log,
    at: r.at,
    header: json({
      v: 1,
      id,
      log: r.log,
      at: r.at.toISOString(),
      type: r.event.type,
      actor: r.actor,
      request: r.request,
      ...r.event.about,
    }),
    data: json(r.event.data),
    salt: randomBytes(16).toString('hex'),
  };
}

/** Puts events into the inbox of their log, in order, within the caller's transaction, and bumps the version that caches are keyed by. */
export async function recordEvents(tx: Tx, ctx: Ctx, events: readonly AuditEvent[]): Promise<void> {
  const log = logOf(ctx);
  const rows = events.map((event) => inboxRow({ log, at: ctx.now, actor: ctx.actor, request: ctx.request, event }));
  await tx.run(write`
    insert into audit_inbox (id, log, at, header, data, salt)
    select r.id, r.log, r.at, r.header::jsonb, r.data::jsonb, decode(r.salt, 'hex')
      from unnest(${rows.map((r) => r.id)}::text[], ${rows.map((r) => r.log)}::text[], ${rows.map((r) => r.at)}::timestamptz[],
                  ${rows.map((r) => r.header)}::text[], ${rows.map((r) => r.data)}::text[], ${rows.map((r) => r.salt)}::text[])
        as r(id, log, at, header, data, salt)`);
  await tx.run(write`select bump_version(${ctx.parent}, ${ctx.org ?? null})`);
}
