import type pg from 'pg';

/**
 * The whole schema of a database as text that is the same for the same schema: tables, columns, keys, policies, grants, functions. What
 * `server/schema/schema.sql` holds; a reviewer reads it instead of adding up migrations.
 */
export async function describeSchema(client: pg.Client): Promise<string> {
  const all = async (text: string): Promise<string[]> =>
    (await client.query<{ line: string }>(text)).rows.map((r) => r.line);
  const tables = await client.query<{
    name: string;
    kind: string;
    rls: boolean;
    comment: string | null;
    of: string | null;
    partition: string | null;
  }>(`
    select c.relname as name, c.relkind as kind, c.relrowsecurity as rls, obj_description(c.oid) as comment,
           (select p.relname from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid) as of,
           pg_get_partkeydef(c.oid) as partition
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p', 'v') and c.relname !~ '^audit_event_[0-9]'
     order by c.relname`);
  const out: string[] = [
    '-- The whole schema, written by `npm run gen` from the migrations and checked by a wall. Read it; do not run or edit it.',
    '',
  ];
  for (const t of tables.rows) {
    if (t.of) {
      out.push(`-- ${t.name} is a partition of ${t.of}`, '');
      continue;
    }
    const columns = await all(`
      select format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end,
             case when a.attidentity <> '' then ' generated always as identity' when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
                  when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end, '') as line
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = 'public.${t.name}'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`);
    const constraints = await all(`
      select '  ' || pg_get_constraintdef(oid) as line from pg_constraint
       where conrelid = 'public.${t.name}'::regclass and contype in ('p','u','f','c') order by array_position(array['p','u','f','c'], contype::text), pg_get_constraintdef(oid)`);
    out.push(
      `-- ${t.comment ?? 'NO COMMENT'}`,
      `create table ${t.name} (`,
      [...columns, ...constraints].join(',\n'),
      `)${t.partition ? ` partition by ${t.partition}` : ''};`,
    );
    out.push(
      ...(await all(`
      select indexdef || ';' as line from pg_indexes i where schemaname = 'public' and tablename = '${t.name}'
         and not exists (select from pg_constraint k where k.conname = i.indexname and k.conrelid = 'public.${t.name}'::regclass) order by indexname`)),
    );
    out.push(t.rls ? `alter table ${t.name} enable row level security;` : `-- NO ROW LEVEL SECURITY`);
    out.push(
      ...(await all(`
      select format('create policy %s on %s for %s to %s%s%s;', policyname, tablename, lower(cmd), array_to_string(roles, ', '),
             coalesce(' using ' || qual, ''), coalesce(' with check ' || with_check, '')) as line
        from pg_policies where schemaname = 'public' and tablename = '${t.name}' order by policyname`)),
    );
    out.push(
      ...(await all(`
      select format('grant %s on ${t.name} to %s;', string_agg(lower(privilege_type), ', ' order by privilege_type), grantee) as line
        from information_schema.role_table_grants where table_schema = 'public' and table_name = '${t.name}' and grantee <> 'gatehouse_owner' group by grantee order by grantee`)),
    );
    out.push(
      ...(await all(`
      select format('grant %s (%s) on ${t.name} to %s;', lower(p.privilege_type), string_agg(p.column_name, ', ' order by p.column_name), p.grantee) as line
        from information_schema.column_privileges p
       where p.table_schema = 'public' and p.table_name = '${t.name}' and p.grantee <> 'gatehouse_owner'
         and not exists (select from information_schema.role_table_grants g where g.table_schema = 'public' and g.table_name = p.table_name and g.grantee = p.grantee and g.privilege_type = p.privilege_type)
       group by p.privilege_type, p.grantee order by p.grantee, p.privilege_type`)),
    );
    out.push(
      ...(await all(
        `select pg_get_triggerdef(oid) || ';' as line from pg_trigger where tgrelid = 'public.${t.name}'::regclass and not tgisinternal order by tgname`,
      )),
      '',
    );
  }
  for (const f of await all(`
    select pg_get_functiondef(p.oid) || coalesce('-- may be run by: ' || (select string_agg(coalesce(nullif(a.grantee::regrole::text, '-'), 'PUBLIC'), ', ' order by a.grantee::regrole::text)
             from aclexplode(p.proacl) a where a.grantee <> p.proowner), '-- may be run by: PUBLIC') as line
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' order by p.proname, pg_get_function_identity_arguments(p.oid)`))
    out.push(f, '');
  return out.join('\n').replace(/[ \t]+$/gm, '');
}
