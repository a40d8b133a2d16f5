import { Problem } from '#kernel/problem.ts';
import type { Approval } from './approval.ts';
import type { Judgement, Missing } from './judge.ts';

export const noApproval = (id: string): Problem =>
  new Problem('missing', 'approvals/no-approval', { says: `there is no approval ${id} in this organization` });

/** What became of a request, for somebody who comes too late; with who and when, for machines too. */
export function settled(a: Exclude<Approval, { state: 'pending' }>): Problem {
  const at = { approval: a.id, state: a.state };
  const anew = 'let the agent call again; that asks anew';
  switch (a.state) {
    case 'approved':
    case 'denied': {
      const { by, at: when, surface } = a.decided;
      return new Problem('conflict', 'approvals/decided', {
        says: `this was decided already: ${a.state} by ${by} at ${when.toISOString()}`,
        fix: 'the first decision stands; a new call asks anew',
        more: { ...at, by, at: when.toISOString(), surface },
      });
    }
    case 'expired':
      return new Problem('conflict', 'approvals/expired', {
        says: `nobody decided until ${a.ended.toISOString()}, so the request is over`,
        fix: anew,
        more: { ...at, at: a.ended.toISOString() },
      });
    case 'cancelled':
      return a.why === 'asker_gone'
        ? new Problem('conflict', 'approvals/asker-gone', {
            says: `${a.asker.member}, whose agent asked, is suspended or not a member any more, so the request is over`,
            fix: 'nothing is left to decide',
            more: at,
          })
        : new Problem('conflict', 'approvals/cancelled', {
            says: `the request was taken back by ${a.why === 'agent' ? 'the agent that asked' : (a.by ?? 'the one who asked')} at ${a.ended.toISOString()}`,
            fix: 'nothing is left to decide',
            more: { ...at, by: a.by, at: a.ended.toISOString() },
          });
    case 'superseded':
      return new Problem('conflict', 'approvals/superseded', {
        says: {
          newer: `the agent replaced this request by ${a.by ?? 'a newer one'}`,
          definition: 'the tool is not the one that this request was about any more',
          policy: 'the rules do not allow this call any more',
        }[a.why],
        fix: a.by === null ? anew : `look at ${a.by}`,
        more: { ...at, by: a.by, at: a.ended.toISOString() },
      });
  }
}

const codes = {
  fresh: 'approvals/proof-needed',
  surface: 'approvals/other-surface',
  manager: 'approvals/not-the-manager',
  own_request: 'approvals/own-request',
  role: 'approvals/not-your-role',
  person: 'approvals/not-yours',
} as const satisfies Record<Missing, string>;

/** Why somebody may not say yes as he stands. */
export const mayNot = (j: Judgement & { may: false }): Problem =>
  new Problem('forbidden', codes[j.missing], { says: j.says, fix: j.fix, more: { missing: j.missing } });
