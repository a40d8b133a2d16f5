import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { memberRoles, type Member, type MemberRole, type MemberUser } from './member.ts';

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

/** Takes the rows of two members in one order, so that two such changes cannot wait for each other. */
export const lockPrimaryOwnerAnd = (tx: Tx, id: Id<'mem'>): Promise<Member[]> =>
  tx.many(read(MemberRow)`
  select id, user_id as user, role from member where org = app_org() and (id = ${id} or role = 'primary_owner') order by id for update`);

export const insertMember = (tx: Tx, m: Member, at: Date): Promise<number> =>
  tx.run(write`
  insert into member (org, id, user_id, role, created_at) values (app_org(), ${m.id}, ${m.user}, ${m.role}, ${at})
  on conflict (org, user_id) do nothing`);

export const saveMemberRole = (tx: Tx, id: Id<'mem'>, role: Member['role']): Promise<number> =>
  tx.run(write`
  update member set role = ${role} where org = app_org() and id = ${id}`);

export const deleteMember = (tx: Tx, id: Id<'mem'>): Promise<number> =>
  tx.run(write`delete from member where org = app_org() and id = ${id}`);

const MemberUserRow: z.ZodType<MemberUser> = z.object({
  id: z.custom<Id<'mem'>>(),
  user: z.custom<Id<'usr'>>(),
  role: z.enum(memberRoles),
  email: z.string(),
  displayName: z.string(),
  state: z.enum(['active', 'suspended']),
  origin: z.enum(['local', 'directory', 'sign_in']),
  since: z.date(),
});

export type MemberFilter = {
  q?: string | undefined;
  role?: MemberRole | undefined;
  state?: 'active' | 'suspended' | undefined;
  after?: readonly string[] | undefined;
  limit: number;
};

/** By e-mail. `q` is looked for in e-mail and name. One more than asked, so that the caller knows whether there is another page. */
export const listMembers = (db: Reader, f: MemberFilter): Promise<MemberUser[]> =>
  db.many(read(MemberUserRow)`
  select m.id, m.user_id as user, m.role, u.email, u.display_name as "displayName", u.state, u.origin, m.created_at as since
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
   where m.org = app_org()
     and (${containing(f.q)}::text is null or u.email ilike ${containing(f.q)} or u.display_name ilike ${containing(f.q)})
     and (${f.role ?? null}::text is null or m.role = ${f.role ?? null})
     and (${f.state ?? null}::text is null or u.state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or (lower(u.email), m.id) > (${f.after?.[0] ?? ''}, ${f.after?.[1] ?? ''}))
   order by lower(u.email), m.id
   limit ${f.limit + 1}`);

export const findMemberUser = (db: Reader, id: Id<'mem'>): Promise<MemberUser | undefined> =>
  db.maybe(read(MemberUserRow)`
  select m.id, m.user_id as user, m.role, u.email, u.display_name as "displayName", u.state, u.origin, m.created_at as since
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
   where m.org = app_org() and m.id = ${id}`);

/** A few active people with one of these roles, longest here first: whom a refusal may name. */
export const listPeopleWithRole = (
  db: Reader,
  roles: readonly MemberRole[],
  limit: number,
): Promise<{ name: string }[]> =>
  db.many(read(z.object({ name: z.string() }))`
  select u.display_name as name
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
   where m.org = app_org() and m.role = any(${roles}) and u.state = 'active'
   order by m.created_at, m.id
   limit ${limit}`);

/** Everybody who has one of these roles and is active: who is told of what only they can mend. */
export const listActiveOfRoles = (db: Reader, roles: readonly MemberRole[]): Promise<{ user: Id<'usr'> }[]> =>
  db.many(read(z.object({ user: z.custom<Id<'usr'>>() }))`
  select m.user_id as user
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent() and u.state = 'active'
   where m.org = app_org() and m.role = any(${roles}) order by m.user_id`);
