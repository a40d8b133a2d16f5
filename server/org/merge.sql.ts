import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { entryChoices, mergeStates, type Merge, type MergeState, type Side } from './merge.ts';
import { MergeFacts } from './merge-preview.ts';

const usr = z.custom<Id<'usr'>>();
const MergeRow: z.ZodType<Merge> = z.object({
  id: z.custom<Id<'mrg'>>(),
  state: z.enum(mergeStates),
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  orgName: z.string(),
  intoParent: z.custom<Id<'par'>>(),
  intoOrg: z.custom<Id<'org'>>(),
  intoName: z.string(),
  proposedBy: usr,
  proposedFrom: z.enum(['joining', 'receiving']),
  byAddress: z.boolean(),
  sharedEntries: z.enum(entryChoices),
  openedAt: z.date().nullable(),
  preview: z.unknown(),
  previewHash: z.string().nullable(),
  joiningBy: usr.nullable(),
  joiningAt: z.date().nullable(),
  receivingBy: usr.nullable(),
  receivingAt: z.date().nullable(),
  createdAt: z.date(),
  expiresAt: z.date(),
  appliedAt: z.date().nullable(),
  undoUntil: z.date().nullable(),
  endedAt: z.date().nullable(),
  endedBy: z.string().nullable(),
});

const columns: Fragment = sql`id, state, parent, org, org_name as "orgName", into_parent as "intoParent", into_org as "intoOrg",
         into_name as "intoName", proposed_by as "proposedBy", proposed_from as "proposedFrom", by_address as "byAddress",
         shared_entries as "sharedEntries", opened_at as "openedAt", preview, preview_hash as "previewHash",
         joining_by as "joiningBy", joining_at as "joiningAt", receiving_by as "receivingBy", receiving_at as "receivingAt",
         created_at as "createdAt", expires_at as "expiresAt", applied_at as "appliedAt", undo_until as "undoUntil",
         ended_at as "endedAt", ended_by as "endedBy"`;

/** Seen by both sides: row-level security compares both parents. */
export const findMerge = (db: Reader, id: Id<'mrg'>): Promise<Merge | undefined> =>
  db.maybe(read(MergeRow)`select ${columns} from merge_proposal where id = ${id}`);

/** Takes the row for the rest of the transaction, so that the steps of one merge follow each other. */
export const lockMerge = (tx: Tx, id: Id<'mrg'>): Promise<Merge | undefined> =>
  tx.maybe(read(MergeRow)`select ${columns} from merge_proposal where id = ${id} for update`);

/** Newest first; a draft only to those who wrote it. */
export const listMerges = (
  db: Reader,
  f: { state?: MergeState | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<Merge[]> =>
  db.many(read(MergeRow)`
  select ${columns}
    from merge_proposal
   where (state <> 'draft' or app_parent() = case proposed_from when 'joining' then parent else into_parent end)
     and (${f.state ?? null}::text is null or state = ${f.state ?? null})
     and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
   order by id desc
   limit ${f.limit + 1}`);

/** 0: there is an open proposal between these two already. */
export const insertMerge = (
  tx: Tx,
  m: Pick<
    Merge,
    | 'id'
    | 'parent'
    | 'org'
    | 'orgName'
    | 'intoParent'
    | 'intoOrg'
    | 'intoName'
    | 'proposedBy'
    | 'proposedFrom'
    | 'byAddress'
    | 'sharedEntries'
    | 'createdAt'
    | 'expiresAt'
  >,
): Promise<number> =>
  tx.run(write`
  insert into merge_proposal (parent, id, org, org_name, into_parent, into_org, into_name, proposed_by, proposed_from, by_address, shared_entries,
                              state, created_at, expires_at)
  values (${m.parent}, ${m.id}, ${m.org}, ${m.orgName}, ${m.intoParent}, ${m.intoOrg}, ${m.intoName}, ${m.proposedBy}, ${m.proposedFrom},
          ${m.byAddress}, ${m.sharedEntries}, 'draft', ${m.createdAt}, ${m.expiresAt})
  on conflict (parent, into_parent) where state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale') do nothing`);

export const countOpenMerges = (db: Reader): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from merge_proposal where state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale')`);

export const saveMergeState = (tx: Tx, id: Id<'mrg'>, state: MergeState): Promise<number> =>
  tx.run(write`update merge_proposal set state = ${state} where id = ${id}`);

/** Ends a proposal that was not carried out. */
export const saveMergeEnded = (
  tx: Tx,
  id: Id<'mrg'>,
  state: 'expired' | 'rejected',
  by: string,
  at: Date,
): Promise<number> =>
  tx.run(write`update merge_proposal set state = ${state}, ended_at = ${at}, ended_by = ${by} where id = ${id}`);

/** A new preview: approvals of another one end with it. */
export const saveMergePreview = (
  tx: Tx,
  id: Id<'mrg'>,
  p: { preview: unknown; hash: string; openedAt: Date | null },
): Promise<number> =>
  tx.run(write`
  update merge_proposal
     set preview = ${json(p.preview)}::jsonb, preview_hash = ${p.hash}, opened_at = ${p.openedAt}, state = 'sent',
         joining_by = null, joining_at = null, receiving_by = null, receiving_at = null
   where id = ${id}`);

/** The preview stopped being true: nobody has approved what is true now. */
export const saveMergeStale = (tx: Tx, id: Id<'mrg'>): Promise<number> =>
  tx.run(write`
  update merge_proposal set state = 'stale', joining_by = null, joining_at = null, receiving_by = null, receiving_at = null where id = ${id}`);

export const saveMergeApproval = (
  tx: Tx,
  id: Id<'mrg'>,
  a: { side: Side; by: Id<'usr'>; at: Date; state: MergeState },
): Promise<number> =>
  a.side === 'joining'
    ? tx.run(
        write`update merge_proposal set joining_by = ${a.by}, joining_at = ${a.at}, state = ${a.state} where id = ${id}`,
      )
    : tx.run(
        write`update merge_proposal set receiving_by = ${a.by}, receiving_at = ${a.at}, state = ${a.state} where id = ${id}`,
      );

/** Both sides as they are now. hold: neither gets or loses people, organizations, directories or connections before the transaction ends. */
export const readMergeFacts = async (db: Reader, id: Id<'mrg'>, hold: boolean): Promise<MergeFacts> =>
  (await db.one(read(z.object({ facts: MergeFacts }))`select merge_facts(${id}, ${hold}) as facts`)).facts;

const Carried = z.object({
  orgs: z.array(z.custom<Id<'org'>>()),
  people: z.number(),
  joined: z.number(),
  directories: z.number(),
  connections: z.number(),
  domains: z.number(),
});
export type Carried = z.infer<typeof Carried>;

/** Moving a large parent takes longer than a request's statement may; nobody waits for a lock meanwhile but who would change these two. */
const allowTime = (tx: Tx): Promise<number> => tx.run(write`set local statement_timeout = '15min'`);

export async function carryOutMerge(tx: Tx, id: Id<'mrg'>, at: Date, undoUntil: Date): Promise<Carried> {
  await allowTime(tx);
  return (await tx.one(read(z.object({ done: Carried }))`select apply_merge(${id}, ${at}, ${undoUntil}) as done`)).done;
}

export async function takeBackMerge(tx: Tx, id: Id<'mrg'>, at: Date, by: string): Promise<Carried> {
  await allowTime(tx);
  return (await tx.one(read(z.object({ done: Carried }))`select undo_merge(${id}, ${at}, ${by}) as done`)).done;
}

export const obstacleCodes = [
  'org_elsewhere',
  'belongs_to_both',
  'was_here_before',
  'address_taken',
  'connection_of_other',
  'domain_of_other',
] as const;
const Obstacle = z.object({ code: z.enum(obstacleCodes), about: z.string(), name: z.string() });
export type Obstacle = z.infer<typeof Obstacle>;

/** What stands in the way of undoing, with the name of whom or what it is about. */
export const listObstacles = (db: Reader, id: Id<'mrg'>, hold: boolean): Promise<Obstacle[]> =>
  db.many(read(Obstacle)`
  select o.code, o.about, coalesce(u.email, g.name, c.name, d.shown, o.about) as name
    from merge_obstacles(${id}, ${hold}) o
    left join app_user u on u.id = o.about
    left join org g on g.id = o.about
    left join sso_connection c on c.id = o.about
    left join domain d on d.id = o.about
   order by o.code, o.about
   limit 200`);

const SealedRow = z.object({
  table: z.enum(['sso_connection', 'saml_key']),
  row: z.string(),
  generation: z.number(),
  /** Whose it is: what a merge must have moved for the secret to be placed. */
  of: z.string(),
  sealed: z.instanceof(Buffer),
});
export type SealedRow = z.infer<typeof SealedRow>;

/** Every secret that is sealed for the parent of this transaction and belongs to a row that moves. server/org/merge-rules.test.ts finds one that is missing. */
export const listSealedAtParent = (db: Reader): Promise<SealedRow[]> =>
  db.many(read(SealedRow)`
  select 'sso_connection' as table, id as row, secret_generation as generation, id as of, secret_sealed as sealed
    from sso_connection where parent = app_parent() and secret_sealed is not null
  union all
  select 'saml_key', id, 1, org, private_sealed from saml_key where parent = app_parent()
  order by 1, 2`);

/** false: the secret has been replaced since it was read. */
export const placeMovedSecret = async (
  tx: Tx,
  merge: Id<'mrg'>,
  s: { table: string; row: string; was: Buffer; becomes: Buffer },
): Promise<boolean> =>
  (
    await tx.one(
      read(
        z.object({ placed: z.boolean() }),
      )`select place_moved_secret(${merge}, ${s.table}, ${s.row}, ${s.was}, ${s.becomes}) as placed`,
    )
  ).placed;

const OwnerRow = z.object({ user: usr, email: z.string() });

/** The owners of the transaction's organization who can act. */
export const listOwners = (db: Reader): Promise<z.infer<typeof OwnerRow>[]> =>
  db.many(read(OwnerRow)`
  select m.user_id as user, lower(u.email) as email
    from member m join app_user u on u.id = m.user_id and u.parent = app_parent() and u.state = 'active'
   where m.org = app_org() and m.role in ('owner', 'primary_owner')
   order by m.user_id`);

const Due = z.object({
  due: z.array(z.object({ merge: z.custom<Id<'mrg'>>(), parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })),
});

/** For `Db.lookup`: proposals that wait for the job. */
export const lookupDueMerges = (at: Date) => read(Due)`
  select coalesce(jsonb_agg(jsonb_build_object('merge', merge, 'parent', parent, 'org', org)), '[]') as due from lookup_due_merges(${at})`;

/** The organizations of the transaction's parent. By name. */
export const listSisters = (db: Reader): Promise<{ id: Id<'org'>; name: string; surface: string }[]> =>
  db.many(read(z.object({ id: z.custom<Id<'org'>>(), name: z.string(), surface: z.string() }))`
  select id, name, surface from org where parent = app_parent() order by lower(name), id`);
