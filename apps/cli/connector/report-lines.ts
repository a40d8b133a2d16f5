import type { ProbeReport } from '@gatehouse/server/connectors/probe-vendor.ts';
import { tableOf } from './table.ts';

const words = { works: 'works', refused: 'REFUSED', not_tried: 'not tried' };

/** What a check found, for people. `account` is whose it is, in words. */
export const linesOfReport = (name: string, r: Omit<ProbeReport, 'account'> & { account: string }): string[] => [
  `${name}: ${r.account}`,
  ...(r.wrong === undefined ? [] : [`  not usable: ${r.wrong}`]),
  ...(r.scopes.length > 0 ? [`  scopes: ${r.scopes.join(' ')}`] : []),
  '',
  ...tableOf(
    ['TOOL', 'OUTCOME', 'MISSING SCOPE', 'SAYS'],
    r.tools.map((t) => [t.tool, words[t.outcome], t.missingScopes.join(' or ') || '-', t.says]),
  ),
];
