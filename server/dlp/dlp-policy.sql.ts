import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import { settableActions, type DlpSetting } from './dlp-policy.ts';

const Row: z.ZodType<DlpSetting> = z.object({
  detector: z.string(),
  to_tool: z.enum(settableActions),
  to_user: z.enum(settableActions),
});

/** What the organization has set; detectors without a row keep their default. */
export const listDlpSettings = (db: Reader): Promise<DlpSetting[]> =>
  db.many(read(Row)`select detector, to_tool, to_user from dlp_policy where org = app_org() order by detector`);

/** False: it is set so already. */
export const saveDlpSetting = async (tx: Tx, s: DlpSetting, by: string, at: Date): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_policy (org, detector, to_tool, to_user, set_by, set_at)
    values (app_org(), ${s.detector}, ${s.to_tool}, ${s.to_user}, ${by}, ${at})
    on conflict (org, detector) do update set to_tool = excluded.to_tool, to_user = excluded.to_user, set_by = excluded.set_by, set_at = excluded.set_at
     where (dlp_policy.to_tool, dlp_policy.to_user) is distinct from (excluded.to_tool, excluded.to_user)`)) === 1;
