import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { askedFors } from './approval.ts';

const id = z.string();
const call = { connector: id, tool: z.string().max(128) };
const about = (d: { connector: string; tool: string }) => ({ connector: d.connector, tool: d.tool });
const decided = z.object({
  approval: id,
  ...call,
  hash: z.string(),
  asker: id,
  decision: id,
  /** SHA-256 of the decision's document, which `verify-approval.mjs` recomputes. */
  decisionHash: z.string(),
  surface: z.string(),
  fresh: z.boolean(),
});

/** What happens to requests that wait for a person, and to what a yes is worth. The action itself is only its hash here. */
export const approvalEvents = {
  'approval.asked': declare({
    data: z.object({
      approval: id,
      ...call,
      hash: z.string(),
      asker: id,
      call: id,
      askedFor: z.enum(askedFors),
    }),
    says: (d) => `asked to run ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval, call: d.call }),
  }),
  'approval.read': declare({
    data: z.object({ approval: id, ...call }),
    says: (d) => `looked at the call of ${d.tool} that waits`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.approved': declare({
    data: decided,
    says: (d) => `approved a call of ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.denied': declare({
    data: decided,
    says: (d) => `denied a call of ${d.tool}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.expired': declare({
    data: z.object({ approval: id }),
    says: () => 'saw a request run out of time, undecided',
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.cancelled': declare({
    data: z.object({ approval: id, why: z.enum(['asker', 'agent', 'asker_gone']) }),
    says: (d) =>
      d.why === 'asker_gone'
        ? 'ended a request, because the person whose agent asked is suspended or gone'
        : 'took back a request',
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.superseded': declare({
    data: z.object({ approval: id, why: z.enum(['newer', 'definition', 'policy']), by: id.nullable() }),
    says: (d) =>
      ({
        newer: 'replaced a request by a newer one',
        definition: 'ended a request, because the tool is not the one that it was about any more',
        policy: 'ended a request, because the rules do not allow the call any more',
      })[d.why],
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.run_allowed': declare({
    data: z.object({ approval: id, grant: id, ...call, most: z.number().int(), expires: z.iso.datetime() }),
    says: (d) => `allowed up to ${d.most} calls of ${d.tool} in one run`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval }),
  }),
  'approval.grant_used': declare({
    data: z.object({
      approval: id,
      grant: id,
      ...call,
      hash: z.string(),
      call: id,
      used: z.number().int(),
      most: z.number().int(),
    }),
    says: (d) => `used the approval for one call of ${d.tool}${d.most > 1 ? ` (${d.used} of ${d.most})` : ''}`,
    ocsf: 6003,
    about: (d) => ({ ...about(d), resource: d.approval, call: d.call }),
  }),
  'approval.grant_expired': declare({
    data: z.object({ approval: id, grant: id, used: z.number().int(), most: z.number().int() }),
    says: (d) => `saw an approval run out of time, ${d.used === 0 ? 'unused' : `used ${d.used} times of ${d.most}`}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.grant_revoked': declare({
    data: z.object({ approval: id, why: z.enum(['asker', 'admin', 'asker_gone', 'policy']) }),
    says: (d) =>
      d.why === 'policy'
        ? 'took back an approval, because whoever gave it may not give it any more'
        : d.why === 'asker_gone'
          ? 'took back an approval, because the person whose agent asked is suspended or gone'
          : 'took back an approval',
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.told': declare({
    data: z.object({ approval: id, now: z.number().int(), later: z.number().int() }),
    says: (d) =>
      `told ${d.now} people that a call waits for them${d.later > 0 ? `, and tells ${d.later} in a summary` : ''}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.approval }),
  }),
  'approval.summed_up': declare({
    data: z.object({ people: z.number().int() }),
    says: (d) => `told ${d.people} people in a summary what waits for them`,
    ocsf: 6003,
  }),
  'approval.settings_changed': declare({
    data: z.object({
      runGrants: z.boolean(),
      runMost: z.number().int(),
      runMinutes: z.number().int(),
      noticesAnHour: z.number().int(),
    }),
    says: (d) => `set how approvals work (runs: ${d.runGrants ? `up to ${d.runMost} calls` : 'no'})`,
    ocsf: 5019,
  }),
} as const;
