import type { Reader } from '#kernel/db.ts';
import { policySet, type PolicySet } from './decide.ts';
import { currentOrg, listRules } from './rule.sql.ts';

/** The policies of the organization that `db` reads in, compiled. Keep it for as long as the organization's version stays the same. */
export async function loadPolicySet(db: Reader): Promise<PolicySet> {
  return policySet(await currentOrg(db), await listRules(db, { limit: 'all' }));
}
