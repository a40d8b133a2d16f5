import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { ApprovalSettings } from './settings.ts';

const Row: z.ZodType<ApprovalSettings> = z.object({
  runGrants: z.boolean(),
  runMost: z.number(),
  runMinutes: z.number(),
  noticesAnHour: z.number(),
});

/** Undefined: the organization never said anything. */
export const findSettings = (db: Reader): Promise<ApprovalSettings | undefined> =>
  db.maybe(read(Row)`
    select run_grants as "runGrants", run_most as "runMost", run_minutes as "runMinutes", notices_an_hour as "noticesAnHour"
      from approval_settings where org = app_org()`);

/** 0: it is so already. */
export const saveSettings = (tx: Tx, s: ApprovalSettings, by: string, at: Date): Promise<number> =>
  tx.run(write`
    insert into approval_settings as a (org, run_grants, run_most, run_minutes, notices_an_hour, set_by, set_at)
    values (app_org(), ${s.runGrants}, ${s.runMost}, ${s.runMinutes}, ${s.noticesAnHour}, ${by}, ${at})
    on conflict (org) do update
       set run_grants = excluded.run_grants, run_most = excluded.run_most, run_minutes = excluded.run_minutes,
           notices_an_hour = excluded.notices_an_hour, set_by = excluded.set_by, set_at = excluded.set_at
     where (a.run_grants, a.run_most, a.run_minutes, a.notices_an_hour)
           is distinct from (excluded.run_grants, excluded.run_most, excluded.run_minutes, excluded.notices_an_hour)`);
