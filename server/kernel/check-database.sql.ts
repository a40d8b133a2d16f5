import { z } from 'zod';
import { read, type Reader } from './db.ts';

const Standing = z.object({
  version: z.coerce.number(),
  encoding: z.string(),
  login: z.string(),
  role: z.string(),
  superuser: z.array(z.string()),
  bypass: z.array(z.string()),
  creators: z.array(z.string()),
  owned: z.string().nullable(),
  missing: z.array(z.string()),
});
export type Standing = z.infer<typeof Standing>;

/**
 * What the connected login is and what it could become. Every role that it is a member of counts, whether or not it has taken it on:
 * `set role` is one statement away for whoever can inject one.
 */
export const findStanding = (db: Reader, roles: readonly string[]): Promise<Standing> =>
  db.one(read(Standing)`
  with able as (
    select rolname::text as name, rolsuper, rolbypassrls, rolcreaterole from pg_roles
     where rolname = session_user or (not (select rolsuper from pg_roles where rolname = session_user) and pg_has_role(session_user, oid, 'member'))
  )
  select current_setting('server_version_num') as version,
         pg_encoding_to_char((select encoding from pg_database where datname = current_database())) as encoding,
         session_user::text as login,
         current_user::text as role,
         array(select name from able where rolsuper order by name) as superuser,
         array(select name from able where rolbypassrls order by name) as bypass,
         array(select name from able where rolcreaterole order by name) as creators,
         (select format('%I.%I of %I', n.nspname, c.relname, r.rolname)
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
           where n.nspname = 'public' and c.relkind in ('r', 'p') and r.rolname in (select name from able)
           order by c.relname limit 1) as owned,
         array(select wanted from unnest(${roles}::text[]) wanted
                where wanted not in (select name from able) and not exists (select from able where rolsuper)) as missing`);
