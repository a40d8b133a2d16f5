import { createHash } from 'node:crypto';
import type { Ctx } from '#kernel/ctx.ts';
import { json, prepared, sql, write, type Fragment, type Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import { randomPooled } from '#kernel/random.ts';
import type { AuditEvent } from './events.ts';

/** A log belongs to an organization, or to a parent for what is the parent's: users, domains, directories, sign-in. */
export type LogId = Id<'org'> | Id<'par'>;

export const logOf = (ctx: Pick<Ctx, 'org' | 'parent'>): LogId => ctx.org ?? ctx.parent;

/** What an inbox row is made from. */
export type Recorded = { log: LogId; at: Date; actor: Ctx['actor']; request: string; event: AuditEvent };

/** Data above this is content, which does not belong into an event; the log then keeps its size and hash. */
const MAX_DATA_CHARS = 64 * KiB;
/** Far more than ids and fixed words need. An entry of the log must stay below 64 KiB (C2SP tlog-tiles). */
const MAX_HEADER_CHARS = 4 * KiB;

/** Replaces what PostgreSQL cannot store and canonical JSON cannot express: NUL and halves of surrogate pairs. */
function storable(value: unknown, longest: number): unknown {
  if (typeof value === 'string') return value.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.slice(0, longest).map((v) => storable(v, longest));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [storable(k, longest), storable(v, longest)]));
}

/** JSON text of a part of an event. What an outsider chose (a tool's name, a client's id) may be cut or mended, but can never keep an event out of the log. */
function eventText(value: unknown, most: number, shorten: (text: string) => unknown): string {
  let text = json(value);
  // JSON.stringify writes \u only for control characters and lone surrogates, so most events pass here.
  if (text.includes('\\u')) text = json(storable(value, Infinity));
  return text.length <= most ? text : json(shorten(text));
}

const sizeAndHash = (text: string): unknown => ({
  oversize: { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') },
});

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
  const header = {
    v: 1,
    id,
    log: r.log,
    at: r.at.toISOString(),
    type: r.event.type,
    actor: r.actor,
    request: r.request,
    ...r.event.about,
  };
  return {
    id,
    log: r.log,
    at: r.at,
    header: eventText(header, MAX_HEADER_CHARS, () => storable(header, 64)),
    data: eventText(r.event.data, MAX_DATA_CHARS, sizeAndHash),
    salt: randomPooled(16).toString('hex'),
  };
}

/** What one request did: its events, under its actor and its id. */
export type Told = { by: Pick<Ctx, 'now' | 'actor' | 'request'>; events: readonly AuditEvent[] };

/** An insert that goes along with the events; its text is always the same for one `name`. */
export type Beside = { name: string; insert: Fragment };

/**
 * Puts events into the inbox of their log, in order, within the caller's transaction, and bumps the version that caches are keyed by: one
 * statement, the transaction's last, because the version is one row that all changes of a parent queue at.
 */
export function recordEvents(tx: Tx, ctx: Ctx, told: readonly Told[], beside?: Beside): void {
  const log = logOf(ctx);
  const rows = told.flatMap(({ by, events }) =>
    events.map((event) => inboxRow({ log, at: by.now, actor: by.actor, request: by.request, event })),
  );
  tx.last(
    prepared(
      beside ? `record beside ${beside.name}` : 'record',
      write`
    with told as (
      insert into audit_inbox (id, log, at, header, data, salt)
      select r.id, r.log, r.at, r.header::jsonb, r.data::jsonb, decode(r.salt, 'hex')
        from unnest(${rows.map((r) => r.id)}::text[], ${rows.map((r) => r.log)}::text[], ${rows.map((r) => r.at)}::timestamptz[],
                    ${rows.map((r) => r.header)}::text[], ${rows.map((r) => r.data)}::text[], ${rows.map((r) => r.salt)}::text[])
          as r(id, log, at, header, data, salt)
      returning 1
    )${beside ? sql`, beside as (${beside.insert} returning 1)` : sql``}
    select bump_version(${ctx.parent}, ${ctx.org ?? null})
      from (select (select count(*) from told)${beside ? sql` + (select count(*) from beside)` : sql``}) as written`,
    ),
  );
}
