import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { reasons, type NotSent, type StoredMessage } from './message.ts';

const Queued = z.object({ id: z.custom<Id<'msg'>>(), state: z.enum(['queued', 'not_sent']) });

/**
 * Puts one message for each of these people into the outbox of the transaction's organization. Whoever is not a member gets none; beyond
 * the hour's measure a message is kept as not sent.
 */
export const insertMessages = (
  tx: Tx,
  m: {
    ids: readonly Id<'msg'>[];
    to: readonly Id<'usr'>[];
    kind: string;
    data: unknown;
    at: Date;
    hourAgo: Date;
    most: number;
  },
): Promise<z.infer<typeof Queued>[]> =>
  tx.many(read(Queued)`
  insert into message (org, id, user_id, kind, data, state, why, created_at, settled_at)
  select app_org(), r.id, r.user_id, ${m.kind}, ${json(m.data)}::jsonb,
         case when recent.n < ${m.most} then 'queued' else 'not_sent' end, case when recent.n < ${m.most} then null else 'too_many' end,
         ${m.at}, case when recent.n < ${m.most} then null else ${m.at}::timestamptz end
    from unnest(${m.ids}::text[], ${m.to}::text[]) as r(id, user_id)
    join member on member.org = app_org() and member.user_id = r.user_id
   cross join lateral (select count(*) as n from message x
                        where x.org = app_org() and x.user_id = r.user_id and x.created_at > ${m.hourAgo} and x.state <> 'not_sent') recent
  returning id, state`);

const Row: z.ZodType<StoredMessage> = z.object({
  id: z.custom<Id<'msg'>>(),
  user: z.custom<Id<'usr'>>(),
  kind: z.string(),
  data: z.unknown(),
  state: z.enum(['queued', 'sent', 'not_sent']),
  why: z.enum(reasons).nullable(),
  attempts: z.number(),
  createdAt: z.date(),
  settledAt: z.date().nullable(),
});

export const findMessage = (db: Reader, id: Id<'msg'>): Promise<StoredMessage | undefined> =>
  db.maybe(read(Row)`
  select id, user_id as user, kind, data, state, why, attempts, created_at as "createdAt", settled_at as "settledAt"
    from message where org = app_org() and id = ${id}`);

/** Writes down how an attempt ended. 0: it is settled already. */
export const saveAttempt = (
  tx: Tx,
  id: Id<'msg'>,
  a: { state: StoredMessage['state']; why: NotSent | null; attempts: number; settledAt: Date | null },
): Promise<number> =>
  tx.run(write`
  update message set state = ${a.state}, why = ${a.why}, attempts = ${a.attempts}, settled_at = ${a.settledAt}
   where org = app_org() and id = ${id} and state = 'queued'`);

const Listed = z.object({
  id: z.custom<Id<'msg'>>(),
  user: z.custom<Id<'usr'>>(),
  kind: z.string(),
  state: z.enum(['queued', 'sent', 'not_sent']),
  why: z.enum(reasons).nullable(),
  attempts: z.number(),
  createdAt: z.date(),
  settledAt: z.date().nullable(),
  email: z.string().nullable(),
});
export type ListedMessage = z.infer<typeof Listed>;

/** Newest first. `q` is looked for in the kind and the person's address. */
export const listMessages = (
  db: Reader,
  f: {
    q?: string | undefined;
    state?: StoredMessage['state'] | undefined;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<ListedMessage[]> =>
  db.many(read(Listed)`
  select m.id, m.user_id as user, m.kind, m.state, m.why, m.attempts, m.created_at as "createdAt", m.settled_at as "settledAt", u.email
    from message m left join app_user u on u.id = m.user_id and u.parent = app_parent()
   where m.org = app_org()
     and (${containing(f.q)}::text is null or m.kind ilike ${containing(f.q)} or u.email ilike ${containing(f.q)})
     and (${f.state ?? null}::text is null or m.state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or m.id < ${f.after?.[0] ?? ''})
   order by m.id desc
   limit ${f.limit + 1}`);
