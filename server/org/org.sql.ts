import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from './member.ts';
import { surfaces, type Org, type OrgOfUser } from './org.ts';

const OrgRow: z.ZodType<Org> = z.object({
  id: z.custom<Id<'org'>>(),
  name: z.string(),
  surface: z.enum(surfaces),
  region: z.string(),
  createdAt: z.date(),
});

export const findOrg = (db: Reader, id: Id<'org'>): Promise<Org | undefined> =>
  db.maybe(read(OrgRow)`
  select id, name, surface, region, created_at as "createdAt" from org where parent = app_parent() and id = ${id}`);

export const insertParent = (tx: Tx, id: Id<'par'>, name: string, at: Date): Promise<number> =>
  tx.run(write`insert into parent (id, name, created_at) values (${id}, ${name}, ${at})`);

export const insertOrg = (tx: Tx, o: Org): Promise<number> =>
  tx.run(write`
  insert into org (parent, id, name, surface, region, created_at)
  values (app_parent(), ${o.id}, ${o.name}, ${o.surface}, ${o.region}, ${o.createdAt})`);

/** 0: it has that name already. */
export const saveOrgName = (tx: Tx, id: Id<'org'>, name: string): Promise<number> =>
  tx.run(write`update org set name = ${name} where parent = app_parent() and id = ${id} and name <> ${name}`);

const OrgOfUserRow: z.ZodType<OrgOfUser> = z.object({
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  role: z.enum(memberRoles),
});

/** Where a user of this parent is a member. By name. */
export const listOrgsOfUser = (db: Reader, user: Id<'usr'>): Promise<OrgOfUser[]> =>
  db.many(read(OrgOfUserRow)`select org, name, role from orgs_of_user(${user})`);

const ParentRow = z.object({ parent: z.custom<Id<'par'>>().nullable() });

/** For `Db.lookup`. */
export const lookupOrgParent = (org: Id<'org'>) => read(ParentRow)`select lookup_org_parent(${org}) as parent`;

/** For `Db.lookup`: the parent, if the deployment has exactly one. */
export const lookupOnlyParent = () => read(ParentRow)`select lookup_only_parent() as parent`;

const FoundedRow = z.object({ founded: z.boolean() });

/** For `Db.lookup`: whether the deployment has any organization. */
export const lookupFounded = () => read(FoundedRow)`select lookup_founded() as founded`;

/** Whether it has one, asked by whoever is about to found the first: two of them cannot both hear no. */
export async function lockFounding(tx: Tx): Promise<boolean> {
  await tx.run(write`select pg_advisory_xact_lock(hashtext('gatehouse founding'))`);
  return (await tx.one(lookupFounded())).founded;
}

/** The parent's own name. */
export const findParentName = (db: Reader): Promise<{ name: string } | undefined> =>
  db.maybe(read(z.object({ name: z.string() }))`select name from parent where id = app_parent()`);
