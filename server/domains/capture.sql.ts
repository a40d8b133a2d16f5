import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { choices, type Capture, type Choice, type Offer } from './capture.ts';

const CaptureRow: z.ZodType<Capture> = z.object({
  id: z.custom<Id<'cpt'>>(),
  domain: z.custom<Id<'dom'>>(),
  name: z.string(),
  org: z.custom<Id<'org'>>(),
  state: z.enum(['announced', 'in_force', 'cancelled']),
  announcedAt: z.date(),
  endsAt: z.date(),
  nextAt: z.date(),
});

/** The capture of a domain that was not cancelled, if there is one. */
export const findCaptureOf = (db: Reader, domain: Id<'dom'>): Promise<Capture | undefined> =>
  db.maybe(read(CaptureRow)`
  select c.id, c.domain, d.shown as name, c.org, c.state, c.announced_at as "announcedAt", c.ends_at as "endsAt", c.next_at as "nextAt"
    from domain_capture c join domain d on d.parent = c.parent and d.id = c.domain
   where c.parent = app_parent() and c.domain = ${domain} and c.state <> 'cancelled'`);

/** The captures that were not cancelled, by the domain's name. */
export const listCaptures = (db: Reader): Promise<Capture[]> =>
  db.many(read(CaptureRow)`
  select c.id, c.domain, d.shown as name, c.org, c.state, c.announced_at as "announcedAt", c.ends_at as "endsAt", c.next_at as "nextAt"
    from domain_capture c join domain d on d.parent = c.parent and d.id = c.domain
   where c.parent = app_parent() and c.state <> 'cancelled' order by d.name, c.id limit 1000`);

export const findCapture = (db: Reader, id: Id<'cpt'>): Promise<Capture | undefined> =>
  db.maybe(read(CaptureRow)`
  select c.id, c.domain, d.shown as name, c.org, c.state, c.announced_at as "announcedAt", c.ends_at as "endsAt", c.next_at as "nextAt"
    from domain_capture c join domain d on d.parent = c.parent and d.id = c.domain
   where c.parent = app_parent() and c.id = ${id}`);

/** Takes the row for the rest of the transaction. */
export const lockCapture = (tx: Tx, id: Id<'cpt'>): Promise<Capture | undefined> =>
  tx.maybe(read(CaptureRow)`
  select c.id, c.domain, d.shown as name, c.org, c.state, c.announced_at as "announcedAt", c.ends_at as "endsAt", c.next_at as "nextAt"
    from domain_capture c join domain d on d.parent = c.parent and d.id = c.domain
   where c.parent = app_parent() and c.id = ${id} for update of c`);

/** 0: the domain is captured already. */
export const insertCapture = (tx: Tx, c: Capture): Promise<number> =>
  tx.run(write`
  insert into domain_capture (parent, id, domain, org, state, announced_at, ends_at, next_at)
  values (app_parent(), ${c.id}, ${c.domain}, ${c.org}, ${c.state}, ${c.announcedAt}, ${c.endsAt}, ${c.nextAt})
  on conflict (parent, domain) where state <> 'cancelled' do nothing`);

export const saveCapture = (tx: Tx, id: Id<'cpt'>, state: Capture['state'], nextAt: Date): Promise<number> =>
  tx.run(
    write`update domain_capture set state = ${state}, next_at = ${nextAt} where parent = app_parent() and id = ${id}`,
  );

export const insertOffers = (tx: Tx, capture: Id<'cpt'>, users: readonly Id<'usr'>[]): Promise<number> =>
  tx.run(write`
  insert into domain_capture_offer (parent, capture, user_id) select app_parent(), ${capture}, u from unnest(${users}::text[]) u`);

export const listUnanswered = (db: Reader, capture: Id<'cpt'>): Promise<{ user: Id<'usr'> }[]> =>
  db.many(read(z.object({ user: z.custom<Id<'usr'>>() }))`
  select user_id as user from domain_capture_offer where parent = app_parent() and capture = ${capture} and choice is null order by user_id`);

const OfferRow: z.ZodType<Offer> = z.object({
  user: z.custom<Id<'usr'>>(),
  choice: z.enum(choices).nullable(),
  answeredAt: z.date().nullable(),
  appliedAt: z.date().nullable(),
});

export const lockOffer = (tx: Tx, capture: Id<'cpt'>, user: Id<'usr'>): Promise<Offer | undefined> =>
  tx.maybe(read(OfferRow)`
  select user_id as user, choice, answered_at as "answeredAt", applied_at as "appliedAt"
    from domain_capture_offer where parent = app_parent() and capture = ${capture} and user_id = ${user} for update`);

export const saveChoice = (tx: Tx, capture: Id<'cpt'>, user: Id<'usr'>, choice: Choice, at: Date): Promise<number> =>
  tx.run(write`
  update domain_capture_offer set choice = ${choice}, answered_at = ${at} where parent = app_parent() and capture = ${capture} and user_id = ${user}`);

export const saveApplied = (tx: Tx, capture: Id<'cpt'>, user: Id<'usr'>, at: Date): Promise<number> =>
  tx.run(write`
  update domain_capture_offer set applied_at = ${at}
   where parent = app_parent() and capture = ${capture} and user_id = ${user} and choice is not null and applied_at is null`);

const CountRow = z.object({ offered: z.number(), merge: z.number(), fresh: z.number(), applied: z.number() });
export const countOffers = (db: Reader, capture: Id<'cpt'>): Promise<z.infer<typeof CountRow>> =>
  db.one(read(CountRow)`
  select count(*)::int as offered, count(*) filter (where choice = 'merge')::int as merge,
         count(*) filter (where choice = 'fresh')::int as fresh, count(applied_at)::int as applied
    from domain_capture_offer where parent = app_parent() and capture = ${capture}`);

const AskedRow = z.object({
  capture: z.custom<Id<'cpt'>>(),
  name: z.string(),
  org: z.custom<Id<'org'>>(),
  orgName: z.string(),
  state: z.enum(['announced', 'in_force']),
  endsAt: z.date(),
  choice: z.enum(choices).nullable(),
});
export type Asked = z.infer<typeof AskedRow>;

/** What a person is asked, soonest first. */
export const listAsked = (db: Reader, user: Id<'usr'>): Promise<Asked[]> =>
  db.many(read(AskedRow)`
  select c.id as capture, d.shown as name, c.org, o.name as "orgName", c.state, c.ends_at as "endsAt", f.choice
    from domain_capture_offer f
    join domain_capture c on c.parent = f.parent and c.id = f.capture and c.state <> 'cancelled'
    join domain d on d.parent = c.parent and d.id = c.domain
    join org o on o.parent = c.parent and o.id = c.org
   where f.parent = app_parent() and f.user_id = ${user}
   order by c.ends_at, c.id`);

const Due = z.object({ due: z.array(z.object({ parent: z.custom<Id<'par'>>(), capture: z.custom<Id<'cpt'>>() })) });
/** For `Db.lookup`: captures with something to do. */
export const lookupDueCaptures = (at: Date) =>
  read(Due)`select coalesce(json_agg(c), '[]') as due from lookup_due_captures(${at}) c`;
