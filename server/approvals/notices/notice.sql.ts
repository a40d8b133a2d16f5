import { z } from 'zod';
import { read, write, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Notice } from './notice.ts';

/** How many notices each of these people was to get at once since then; who got none is not in it. */
export const countRecent = (
  db: Reader,
  people: readonly Id<'usr'>[],
  since: Date,
): Promise<{ person: Id<'usr'>; n: number }[]> =>
  db.many(read(z.object({ person: z.custom<Id<'usr'>>(), n: z.number() }))`
    select person, count(*)::int as n from approval_notice
     where org = app_org() and person = any(${people}) and how = 'now' and planned_at > ${since}
     group by person`);

/** 0: this person is told of this request already. */
export const insertNotice = (
  tx: Tx,
  n: { person: Id<'usr'>; approval: Id<'apr'>; how: Notice; at: Date },
): Promise<number> =>
  tx.run(write`
    insert into approval_notice (org, person, approval, how, planned_at)
    values (app_org(), ${n.person}, ${n.approval}, ${n.how}, ${n.at}) on conflict do nothing`);

const Unsent = z.object({ person: z.custom<Id<'usr'>>(), approval: z.custom<Id<'apr'>>(), plannedAt: z.date() });
/** What is still to be said, of requests that still wait, oldest first; taken for the rest of the transaction. */
export const lockUnsent = (tx: Tx, how: Notice, now: Date, limit: number): Promise<z.infer<typeof Unsent>[]> =>
  tx.many(read(Unsent)`
    select n.person, n.approval, n.planned_at as "plannedAt"
      from approval_notice n join approval a on a.org = n.org and a.id = n.approval and a.state = 'pending' and a.expires_at > ${now}
     where n.org = app_org() and n.sent_at is null and n.how = ${how}
     order by n.planned_at, n.person limit ${limit} for update of n skip locked`);

export const saveSent = (tx: Tx, person: Id<'usr'>, approvals: readonly Id<'apr'>[], at: Date): Promise<number> =>
  tx.run(write`
    update approval_notice set sent_at = ${at}
     where org = app_org() and person = ${person} and approval = any(${approvals}) and sent_at is null`);

const Due = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** Organizations in which somebody is to be told of something that was planned by then. */
export const lookupDueNotices = (plannedBefore: Date): Query<z.infer<typeof Due>> =>
  read(Due)`select coalesce(json_agg(e), '[]') as scopes from lookup_due_notices(${plannedBefore}) e`;
