import { hash } from 'node:crypto';
import { z } from 'zod';
import { grantStates } from '@gatehouse/contract/approval.ts';
import { toolClasses } from '#policy/schema.ts';
import { askedFors, asOf, requestStates, runFacts, type Approval } from './approval.ts';
import type { Judgement } from './judge.ts';
import type { Names } from './names.ts';

const Time = z.string();

export const RunConditionShown = z.strictObject({
  fact: z.enum(runFacts),
  is: z.enum(['equal', 'under']),
  value: z.string().min(1).max(4096),
});

/** Of a list: what is waiting, without the arguments, which are content. */
export const ApprovalListed = z.object({
  id: z.string(),
  state: z.enum(requestStates),
  connector: z.string(),
  /** As it is called now; null where it is gone. So are the names of people. */
  connectorName: z.string().nullable(),
  tool: z.string(),
  class: z.enum(toolClasses),
  /** Of the exact call; a decision is bound to it. */
  hash: z.string(),
  asker: z.object({ member: z.string(), user: z.string(), name: z.string().nullable(), client: z.string() }),
  /** The same for requests of one agent for one tool, which belong together on a screen. */
  group: z.string(),
  askedFor: z.enum(askedFors),
  asked: Time,
  expires: Time,
  decided: z
    .object({
      by: z.string(),
      name: z.string().nullable(),
      at: Time,
      surface: z.string(),
      fresh: z.boolean(),
      reason: z.string().nullable(),
    })
    .nullable(),
  /** How it ended without a decision: who, or which newer request, and why. */
  ended: z.object({ at: Time, why: z.string().nullable(), by: z.string().nullable() }).nullable(),
  grant: z
    .object({
      state: z.enum(grantStates),
      used: z.number(),
      most: z.number(),
      expires: Time,
      run: z.array(RunConditionShown).nullable(),
      lastCall: z.string().nullable(),
      why: z.string().nullable(),
    })
    .nullable(),
  /** Whether whoever looks may say yes or no, and what fails if not; null where it is not theirs, or waits no more. */
  may: z
    .object({ approve: z.boolean(), deny: z.boolean(), missing: z.string().nullable(), says: z.string().nullable() })
    .nullable(),
});
export const ApprovalShown = ApprovalListed.extend({
  args: z.unknown(),
  also: z.unknown(),
  pin: z.string().nullable(),
  /** From where its session had read; null where no rule asked about that. */
  hasRead: z
    .array(
      z.object({
        connector: z.string(),
        tool: z.string(),
        untrusted: z.boolean(),
        private: z.boolean(),
        at: Time,
      }),
    )
    .nullable(),
});

/** The wire form of a request, as of now. */
export function shown(approval: Approval, now: Date, names: Names, j?: Judgement): z.infer<typeof ApprovalShown> {
  const a = asOf(approval, now);
  const decided = a.state === 'approved' || a.state === 'denied' ? a.decided : undefined;
  const grant = a.state === 'approved' ? a.grant : undefined;
  return {
    id: a.id,
    state: a.state,
    connector: a.action.connector,
    connectorName: names.connector(a.action.connector),
    tool: a.action.tool,
    class: a.class,
    args: a.action.args,
    also: a.action.also,
    pin: a.action.pin,
    hash: a.hash,
    asker: {
      member: a.asker.member,
      user: a.asker.user,
      name: names.person(a.asker.user),
      client: a.asker.client,
    },
    group: groupOf(a),
    askedFor: a.askedFor,
    hasRead: a.hasRead?.map((s) => ({ ...s, at: s.at.toISOString() })) ?? null,
    asked: a.asked.toISOString(),
    expires: a.expires.toISOString(),
    decided: decided
      ? {
          by: decided.by,
          name: names.person(decided.by),
          at: decided.at.toISOString(),
          surface: decided.surface,
          fresh: decided.fresh,
          reason: decided.reason,
        }
      : null,
    ended: endedOf(a),
    grant: grant
      ? {
          state: grant.state,
          used: grant.used,
          most: grant.most,
          expires: grant.expires.toISOString(),
          run: grant.run ? [...grant.run] : null,
          lastCall: grant.lastCall,
          why: grant.why,
        }
      : null,
    may:
      j && a.state === 'pending'
        ? {
            approve: j.may,
            deny: j.may || j.elsewhere,
            missing: j.may ? null : j.missing,
            says: j.may ? null : j.says,
          }
        : null,
  };
}

function endedOf(a: Approval): z.infer<typeof ApprovalListed>['ended'] {
  if (a.state === 'expired') return { at: a.ended.toISOString(), why: null, by: null };
  return a.state === 'cancelled' || a.state === 'superseded'
    ? { at: a.ended.toISOString(), why: a.why, by: a.by }
    : null;
}

/** Names requests that belong together: of one agent of one person, for one tool. */
export const groupOf = (a: Approval): string =>
  hash('sha256', [a.asker.member, a.asker.client, a.action.connector, a.action.tool].join('\0'), 'hex').slice(0, 16);
