import type { Reader } from '#kernel/db.ts';
import { loadContent } from './content.sql.ts';
import { setOf } from './content.ts';
import type { PolicySet } from './decide.ts';
import { currentOrg } from './rule.sql.ts';

/** The policies of the organization that `db` reads in, compiled. Keep it for as long as the organization's version stays the same. */
export async function loadPolicySet(db: Reader): Promise<PolicySet> {
  return setOf(await currentOrg(db), await loadContent(db));
}
