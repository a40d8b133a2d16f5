import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { domainStates, type Domain, type Standing } from './domain.ts';
import { faultCodes, type Fault } from './fault.ts';

const Moment = z.iso.datetime().transform((t) => new Date(t));
const FaultJson: z.ZodType<Fault> = z.object({
  code: z.enum(faultCodes),
  record: z.string(),
  where: z.string(),
  expected: z.string(),
  found: z.string(),
  ttl: z.number().nullable(),
  since: Moment,
  at: Moment,
  lastSuccess: Moment.nullable(),
});

/** The columns of a row, put together into the union: what is not true in a state is not looked at. */
const DomainRow = z
  .object({
    id: z.custom<Id<'dom'>>(),
    name: z.string(),
    shown: z.string(),
    token: z.string(),
    issuedTo: z.custom<Id<'par'>>(),
    includeSubdomains: z.boolean(),
    homeOrg: z.custom<Id<'org'> | null>(),
    addedAt: z.date(),
    checks: z.number(),
    checkedAt: z.date().nullable(),
    nextCheckAt: z.date(),
    state: z.enum(domainStates),
    since: z.date(),
    verifiedAt: z.date().nullable(),
    lastSuccess: z.date().nullable(),
    fault: FaultJson.nullable(),
    notices: z.number(),
  })
  .transform(({ state, since, verifiedAt, lastSuccess, fault, notices, ...rest }, ctx): Domain => {
    if (state === 'conflict' || state === 'pending')
      return { ...rest, standing: state === 'pending' ? { state, since, fault } : { state, since } };
    if (lastSuccess && state === 'verified') return { ...rest, standing: { state, since, lastSuccess, doubt: fault } };
    if (lastSuccess && fault && state === 'lapsed') return { ...rest, standing: { state, since, lastSuccess, fault } };
    if (lastSuccess && fault && verifiedAt && state === 'failing')
      return { ...rest, standing: { state, since, verifiedAt, lastSuccess, fault, notices } };
    ctx.addIssue({ code: 'custom', message: `a domain that is ${state} lacks what goes with it` });
    return z.NEVER;
  });

const one = (db: Reader, id: Id<'dom'>, lock: boolean): Promise<Domain | undefined> =>
  db.maybe(
    lock
      ? read(DomainRow)`
  select id, name, shown, token, coalesce(issued_to, parent) as "issuedTo", include_subdomains as "includeSubdomains", home_org as "homeOrg", added_at as "addedAt", checks,
         checked_at as "checkedAt", next_check_at as "nextCheckAt", state, since, verified_at as "verifiedAt",
         last_success_at as "lastSuccess", fault, notices
    from domain where parent = app_parent() and id = ${id} for update`
      : read(DomainRow)`
  select id, name, shown, token, coalesce(issued_to, parent) as "issuedTo", include_subdomains as "includeSubdomains", home_org as "homeOrg", added_at as "addedAt", checks,
         checked_at as "checkedAt", next_check_at as "nextCheckAt", state, since, verified_at as "verifiedAt",
         last_success_at as "lastSuccess", fault, notices
    from domain where parent = app_parent() and id = ${id}`,
  );

export const findDomain = (db: Reader, id: Id<'dom'>): Promise<Domain | undefined> => one(db, id, false);

/** Takes the row for the rest of the transaction. */
export const lockDomain = (tx: Tx, id: Id<'dom'>): Promise<Domain | undefined> => one(tx, id, true);

/** By name. */
export const listDomains = (
  db: Reader,
  f: {
    q?: string | undefined;
    state?: Standing['state'] | undefined;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<Domain[]> =>
  db.many(read(DomainRow)`
  select id, name, shown, token, coalesce(issued_to, parent) as "issuedTo", include_subdomains as "includeSubdomains", home_org as "homeOrg", added_at as "addedAt", checks,
         checked_at as "checkedAt", next_check_at as "nextCheckAt", state, since, verified_at as "verifiedAt",
         last_success_at as "lastSuccess", fault, notices
    from domain
   where parent = app_parent()
     and (${containing(f.q)}::text is null or name ilike ${containing(f.q)} or shown ilike ${containing(f.q)})
     and (${f.state ?? null}::text is null or state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or name > ${f.after?.[0] ?? ''})
   order by name
   limit ${f.limit + 1}`);

/** Names, in ASCII, of the domains that the parent holds: verified, or failing within their grace. */
export const listVerifiedNames = async (db: Reader): Promise<string[]> =>
  (
    await db.many(read(z.object({ name: z.string() }))`
    select name from domain where parent = app_parent() and state in ('verified', 'failing') order by name`)
  ).map((d) => d.name);

/** The parent's own domains of these names, nearest first, if they stand or once stood: what an address may belong to. */
export const listStanding = (db: Reader, names: readonly string[]): Promise<Domain[]> =>
  db.many(read(DomainRow)`
  select id, name, shown, token, coalesce(issued_to, parent) as "issuedTo", include_subdomains as "includeSubdomains", home_org as "homeOrg", added_at as "addedAt", checks,
         checked_at as "checkedAt", next_check_at as "nextCheckAt", state, since, verified_at as "verifiedAt",
         last_success_at as "lastSuccess", fault, notices
    from domain
   where parent = app_parent() and name = any(${names}) and state in ('verified', 'failing', 'lapsed')
     and (name = ${names[0] ?? ''} or include_subdomains)
   order by length(name) desc`);

/** 0: the parent has this domain already. */
export const insertDomain = (tx: Tx, d: Domain): Promise<number> =>
  tx.run(write`
  insert into domain (parent, id, name, shown, token, issued_to, include_subdomains, added_at, state, since, next_check_at)
  values (app_parent(), ${d.id}, ${d.name}, ${d.shown}, ${d.token}, ${d.issuedTo}, ${d.includeSubdomains}, ${d.addedAt}, 'pending', ${d.addedAt}, ${d.nextCheckAt})
  on conflict (parent, name) do nothing`);

export const countDomains = (db: Reader): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`select count(*)::int as n from domain where parent = app_parent()`);

/** Domains of the parent that were looked up since then. */
export const countCheckedSince = (db: Reader, since: Date): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from domain where parent = app_parent() and checked_at > ${since}`);

/** How a domain stands after a check. Fails with `takenElsewhere` when it would be the second verified one of its name. */
export const saveStanding = (tx: Tx, id: Id<'dom'>, s: Standing, at: Date, nextCheckAt: Date): Promise<number> => {
  const fault = s.state === 'verified' ? s.doubt : s.state === 'conflict' ? null : s.fault;
  const verifiedAt = s.state === 'verified' ? s.since : s.state === 'failing' ? s.verifiedAt : null;
  const lastSuccess = s.state === 'pending' || s.state === 'conflict' ? null : s.lastSuccess;
  return tx.run(write`
  update domain
     set state = ${s.state}, since = ${s.since}, verified_at = ${verifiedAt}, last_success_at = ${lastSuccess},
         fault = ${fault ? json(fault) : null}::jsonb, notices = ${s.state === 'failing' ? s.notices : 0},
         checks = checks + 1, checked_at = ${at}, next_check_at = ${nextCheckAt}
   where parent = app_parent() and id = ${id}`);
};

/** Whether an error is PostgreSQL's word that another parent has the domain verified. */
export const takenElsewhere = (e: unknown): boolean =>
  e instanceof Error &&
  'code' in e &&
  e.code === '23505' &&
  'constraint' in e &&
  e.constraint === 'domain_verified_once';

export const saveSubdomains = (tx: Tx, id: Id<'dom'>, include: boolean): Promise<number> =>
  tx.run(write`
  update domain set include_subdomains = ${include} where parent = app_parent() and id = ${id} and include_subdomains <> ${include}`);

export const saveHomeOrg = (tx: Tx, id: Id<'dom'>, org: Id<'org'> | null): Promise<number> =>
  tx.run(write`update domain set home_org = ${org} where parent = app_parent() and id = ${id}`);

/** With its evidence and captures. */
export const deleteDomain = (tx: Tx, id: Id<'dom'>): Promise<number> =>
  tx.run(write`delete from domain where parent = app_parent() and id = ${id}`);

const Due = z.object({ due: z.array(z.object({ parent: z.custom<Id<'par'>>(), domain: z.custom<Id<'dom'>>() })) });
/** For `Db.lookup`: which checks are due. */
export const lookupDueDomains = (at: Date) =>
  read(Due)`select coalesce(json_agg(d), '[]') as due from lookup_due_domains(${at}) d`;

const Holder = z.object({
  parent: z.custom<Id<'par'>>(),
  domain: z.custom<Id<'dom'>>(),
  name: z.string(),
  state: z.enum(['verified', 'failing']),
  homeOrg: z.custom<Id<'org'> | null>(),
});
export type Holder = z.infer<typeof Holder>;
/** For `Db.lookup`: who has verified the domain of an address; `names` from `domainAndAbove`. */
export const lookupHolder = (names: readonly string[]) =>
  read(Holder)`select parent, domain, name, state, home_org as "homeOrg" from lookup_domain_holder(${names})`;
