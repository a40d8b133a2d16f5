import type { Reader } from '#kernel/db.ts';
import { policiesFrom, type DlpPolicy } from './dlp-policy.ts';
import { listDlpSettings } from './dlp-policy.sql.ts';

/** What the organization that `db` reads in wants done, for every detector. Keep it for as long as the organization's version stays the same. */
export const loadDlpPolicies = async (db: Reader): Promise<DlpPolicy[]> => policiesFrom(await listDlpSettings(db));
