import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import { ALL_TIERS } from './seat.ts';

const LimitRow = z.object({ tier: z.string(), seats: z.number(), taken: z.number(), waiting: z.number() });
/** A limit, how many seats of it are taken, and how many members have not signed in yet. */
export type SeatLimit = z.infer<typeof LimitRow>;

export const listSeatLimits = (db: Reader): Promise<SeatLimit[]> =>
  db.many(read(LimitRow)`
  select l.tier, l.seats,
         (select count(*)::int from member_seat s where s.org = app_org() and s.activated_at is not null and (l.tier = ${ALL_TIERS} or s.tier = l.tier)) as taken,
         (select count(*)::int from member m left join member_seat s on s.org = m.org and s.member = m.id
           where m.org = app_org() and s.activated_at is null and (l.tier = ${ALL_TIERS} or s.tier = l.tier)) as waiting
    from seat_limit l where l.org = app_org() order by l.tier`);

/** INVARIANT (a seat for one): whoever is about to take a seat counts alone. */
export const lockSeats = (tx: Tx): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtextextended('seats ' || app_org(), 0))`);

export const saveSeatLimit = (tx: Tx, tier: string, seats: number, by: string, at: Date): Promise<number> =>
  tx.run(write`
  insert into seat_limit as l (org, tier, seats, set_by, set_at) values (app_org(), ${tier}, ${seats}, ${by}, ${at})
  on conflict (org, tier) do update set seats = excluded.seats, set_by = excluded.set_by, set_at = excluded.set_at where l.seats <> excluded.seats`);

export const deleteSeatLimit = (tx: Tx, tier: string): Promise<number> =>
  tx.run(write`delete from seat_limit where org = app_org() and tier = ${tier}`);

const SeatRow = z.object({
  member: z.custom<Id<'mem'>>(),
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  tier: z.string().nullable(),
  activatedAt: z.date(),
  lastSignInAt: z.date().nullable(),
});
export type Seat = z.infer<typeof SeatRow>;

/** Seats whose people have not signed in since a time. Longest idle first, then by id. */
export const listIdleSeats = (
  db: Reader,
  f: { since: Date; like: string | null; after: readonly string[] | undefined; limit: number },
): Promise<Seat[]> =>
  db.many(read(SeatRow)`
  select s.member, s.user_id as "user", u.email, u.display_name as "displayName", m.role, s.tier, s.activated_at as "activatedAt", s.last_sign_in_at as "lastSignInAt"
    from member_seat s join member m on m.org = app_org() and m.id = s.member
    join app_user u on u.parent = app_parent() and u.id = s.user_id
   where s.org = app_org() and s.activated_at is not null and coalesce(s.last_sign_in_at, s.activated_at) < ${f.since}
     and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like})
     and (${f.after?.[0] ?? null}::text is null or s.member > ${f.after?.[0] ?? ''})
   order by s.member limit ${f.limit + 1}`);

/** Whether a member of the present organization may enter it: with a seat, or where seats are not counted. */
export const hasSeat = async (db: Reader, member: Id<'mem'>): Promise<boolean> =>
  (await db.one(read(z.object({ yes: z.boolean() }))`select has_seat(app_org(), ${member}) as yes`)).yes;
