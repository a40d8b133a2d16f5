import { z } from 'zod';
import { declare, type Disposition } from '#audit/events.ts';
import { FoundInEvent } from '#dlp/dlp.events.ts';
import { dlpActions } from '#dlp/verdict.ts';
import { limited, limitNames, measures } from './limits/call-limits.ts';

export const outcomes = ['answered', 'held', 'denied', 'blocked', 'failed', 'lost'] as const;
const disposition: Record<(typeof outcomes)[number], Disposition> = {
  answered: 'returned',
  held: 'held',
  denied: 'denied',
  blocked: 'blocked',
  failed: 'failed',
  lost: 'lost',
};

const tool = z.string().max(128);
const action = z.enum(dlpActions);

/** A call has exactly two events: before anything leaves, and when it ended. */
export const gatewayEvents = {
  'tool.called': declare({
    data: z.object({
      call: z.string(),
      connector: z.string(),
      /** The tool as reviewed, or the method; null where the connector has no such tool. */
      tool: tool.nullable(),
      member: z.string(),
      /** HMAC-SHA-256 of the arguments' canonical form under a key of this deployment: equal for equal arguments, and no way back. */
      argsHash: z.string(),
      bytes: z.number().int(),
    }),
    says: (d) => `called ${d.tool ?? 'a tool that does not exist'}`,
    ocsf: 6003,
    about: (d) => ({ call: d.call, connector: d.connector, tool: d.tool ?? undefined }),
  }),
  'tool.finished': declare({
    data: z.object({
      call: z.string(),
      connector: z.string(),
      tool: tool.nullable(),
      outcome: z.enum(outcomes),
      why: z.string().nullable(),
      /** Ids of the policies that decided. */
      policies: z.array(z.string()).max(100),
      policyVersion: z.string().nullable(),
      approval: z.string().nullable(),
      /** Type, place, count and keyed hashes of what was found in the content; never the match. */
      findings: z.array(FoundInEvent).max(100),
      /** The most severe that was to be done with the arguments and with the result; null where it was not looked at. */
      content: z
        .object({ arguments: action.nullable(), result: action.nullable() })
        .default({ arguments: null, result: null }),
      quarantine: z.string().nullable().default(null),
      /** Engines that gave no verdict, and why. */
      unheard: z.array(z.string().max(200)).max(20).default([]),
      bytes: z.number().int().nullable(),
      /** Whether the upstream's answer was an error of its own. */
      error: z.boolean(),
      ms: z.number().int().nullable(),
    }),
    says: (d) =>
      `had a call of ${d.tool ?? 'a tool that does not exist'} end as ${d.outcome}${d.why === null ? '' : ` (${d.why})`}`,
    ocsf: 6003,
    about: (d) => ({
      call: d.call,
      connector: d.connector,
      tool: d.tool ?? undefined,
      disposition: disposition[d.outcome],
      decisions: d.policies.length > 0 ? d.policies : undefined,
    }),
  }),
  /** Once for each person, limit and minute, however often they were refused. */
  'tool.refused_as_too_many': declare({
    data: z.object({
      connector: z.string(),
      tool: tool.nullable(),
      member: z.string(),
      limit: z.enum(limited),
      measure: z.enum(measures),
      found: z.number().int(),
      most: z.number().int(),
    }),
    says: (d) =>
      `was told to come again later: ${d.found} calls ${d.measure === 'atOnce' ? 'under way' : 'within a minute'} where ${d.most} may be (${d.limit})`,
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, tool: d.tool ?? undefined, disposition: 'denied' }),
  }),
  'call_limits.changed': declare({
    data: z.object({
      /** Null: for all. */
      connector: z.string().nullable(),
      /** Null: no limit; absent: as it is by default. */
      limits: z.partialRecord(z.enum(limitNames), z.number().int().nullable()),
    }),
    says: (d) =>
      `changed how many calls there may be ${d.connector === null ? 'in the organization' : 'at a connector'}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector ?? undefined }),
  }),
  'message.inspected': declare({
    data: z.object({
      connector: z.string(),
      method: z.string().max(200).nullable(),
      phase: z.enum(['arguments', 'result']),
      action,
      findings: z.array(FoundInEvent).max(100),
      unheard: z.array(z.string().max(200)).max(20),
    }),
    says: (d) => `had something found in a message that is no call (${d.phase}): ${d.action}`,
    ocsf: 2006,
    about: (d) => ({ connector: d.connector }),
  }),
  'answer.resumed': declare({
    data: z.object({ connector: z.string(), bytes: z.number().int(), error: z.boolean() }),
    says: () => 'took the answer to an earlier call, whose stream had ended before it',
    ocsf: 6003,
    about: (d) => ({ connector: d.connector, disposition: 'returned' }),
  }),
} as const;
