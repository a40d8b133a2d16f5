import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { typeStates, type TypeControl } from './type-control.ts';

/** A control of a type with who set it. */
export type StoredType = TypeControl & { setBy: string; setAt: Date };

const Row: z.ZodType<StoredType> = z.object({
  id: z.custom<Id<'ctl'>>(),
  type: z.string(),
  state: z.enum(typeStates),
  access: z.enum(['off', 'read', 'read_write']),
  groups: z.array(
    z.object({ group: z.custom<Id<'grp'>>(), name: z.string().nullable() }).transform(({ group, name }) => ({
      group,
      name: name ?? undefined,
    })),
  ),
  setBy: z.string(),
  setAt: z.date(),
});

/** Controls of types in force, now or in a version, by type, with the names that their groups have now. */
export const listTypes = (
  db: Reader,
  f: { at?: number | undefined; q?: string | undefined } = {},
): Promise<StoredType[]> =>
  db.many(read(Row)`
    select c.id, c.type, c.state, c.access, c.set_by as "setBy", c.set_at as "setAt",
           (select coalesce(json_agg(json_build_object('group', m.group_id, 'name', coalesce(g.display_name, o.name)) order by m.group_id), '[]')
              from policy_type_group m
              left join scim_group g on g.parent = app_parent() and g.id = m.group_id
              left join org_group o on o.parent = app_parent() and o.id = m.group_id
             where m.org = c.org and m.control = c.id and m.since = c.since) as groups
      from policy_type_control c
     where c.org = app_org()
       and case when ${f.at ?? null}::int is null then c.until is null
                else c.since <= ${f.at ?? null} and (c.until is null or c.until > ${f.at ?? null}) end
       and (${containing(f.q)}::text is null or c.type ilike ${containing(f.q)})
     order by c.type`);

export async function insertType(tx: Tx, t: TypeControl, since: number, by: string, at: Date): Promise<void> {
  await tx.run(write`
    insert into policy_type_control (org, id, type, state, access, set_by, set_at, since)
    values (app_org(), ${t.id}, ${t.type}, ${t.state}, ${t.access}, ${by}, ${at}, ${since})`);
  if (t.groups.length > 0)
    await tx.run(write`
      insert into policy_type_group (org, control, since, group_id)
      select app_org(), ${t.id}, ${since}, g from unnest(${t.groups.map((g) => g.group)}::text[]) as g`);
}

export const endTypes = (tx: Tx, ids: readonly string[], until: number): Promise<number> =>
  tx.run(write`
    update policy_type_control set until = ${until} where org = app_org() and id = any(${ids}::text[]) and until is null`);
