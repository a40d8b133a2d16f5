import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles, type Member } from './member.ts';

const MemberRow: z.ZodType<Member> = z.object({
  id: z.custom<Id<'mem'>>(),
  user: z.custom<Id<'usr'>>(),
  role: z.enum(memberRoles),
});

export const findMember = (db: Reader, id: Id<'mem'>): Promise<Member | undefined> =>
  db.maybe(read(MemberRow)`
  select id, user_id as user, role from member where org = app_org() and id = ${id}`);

export const findMemberByUser = (db: Reader, user: Id<'usr'>): Promise<Member | undefined> =>
  db.maybe(read(MemberRow)`
  select id, user_id as user, role from member where org = app_org() and user_id = ${user}`);

/** Takes the row for the rest of the transaction. */
export const lockMember = (tx: Tx, id: Id<'mem'>): Promise<Member | undefined> =>
  tx.maybe(read(MemberRow)`
  select id, user_id as user, role from member where org = app_org() and id = ${id} for update`);

export const insertMember = (tx: Tx, m: Member, at: Date): Promise<number> =>
  tx.run(write`
  insert into member (org, id, user_id, role, created_at) values (app_org(), ${m.id}, ${m.user}, ${m.role}, ${at})
  on conflict (org, user_id) do nothing`);

export const saveMemberRole = (tx: Tx, id: Id<'mem'>, role: Member['role']): Promise<number> =>
  tx.run(write`
  update member set role = ${role} where org = app_org() and id = ${id}`);

export const deleteMember = (tx: Tx, id: Id<'mem'>): Promise<number> =>
  tx.run(write`delete from member where org = app_org() and id = ${id}`);
