import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { failClasses, severities } from './dlp-policy.ts';
import { ownKinds } from './own-detector.ts';
import { dlpActions, phases } from './verdict.ts';

/** What was found, as events have it: type, place, count and keyed hashes, never the match. */
export const FoundInEvent = z.object({
  detector: z.string().max(100),
  at: z.string().max(400),
  count: z.number().int(),
  hashes: z.array(z.string().max(64)).max(5),
});
const action = z.enum(dlpActions);
const phase = z.enum(phases);
const kept = { quarantine: z.string(), call: z.string() };
const where = { connector: z.string().nullable(), tool: z.string().max(128).nullable() };
const aboutKept = (d: { quarantine: string; call: string; connector?: string | null; tool?: string | null }) => ({
  resource: d.quarantine,
  call: d.call,
  connector: d.connector ?? undefined,
  tool: d.tool ?? undefined,
});

/** What happens to the rules about content, and to content that was kept. What was found in a call is told by the call's own event. */
export const dlpEvents = {
  'dlp.baseline_set': declare({
    data: z.object({ data: z.string().max(60), phase, action }),
    says: (d) => `set what happens to ${d.data} in ${d.phase}: ${d.action}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.data }),
  }),
  'dlp.policy_added': declare({
    data: z.object({
      policy: z.string(),
      kind: z.enum(['policy', 'exception']),
      group: z.string().nullable(),
      connector: z.string().nullable(),
      data: z.array(z.string().max(60)).max(100),
      phases: z.array(phase),
      action,
      twoPeople: z.boolean(),
    }),
    says: (d) => `added ${d.kind === 'policy' ? 'a policy' : 'an exception'} about content: ${d.action}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.policy, connector: d.connector ?? undefined }),
  }),
  'dlp.policy_removed': declare({
    data: z.object({ policy: z.string() }),
    says: () => 'removed a policy about content',
    ocsf: 5019,
    about: (d) => ({ resource: d.policy }),
  }),
  'dlp.fail_mode_set': declare({
    data: z.object({ class: z.enum(failClasses), mode: z.enum(['open', 'closed']) }),
    says: (d) => `set what happens to ${d.class} when content cannot be looked at: ${d.mode}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.class }),
  }),
  'dlp.detector_added': declare({
    data: z.object({
      detector: z.string(),
      kind: z.enum(ownKinds),
      severity: z.enum(severities),
      entries: z.number().int(),
    }),
    says: (d) => `added a detector of the organization's own (${d.kind}, ${d.entries} entries)`,
    ocsf: 5019,
    about: (d) => ({ resource: d.detector }),
  }),
  'dlp.detector_removed': declare({
    data: z.object({ detector: z.string() }),
    says: () => "removed a detector of the organization's own",
    ocsf: 5019,
    about: (d) => ({ resource: d.detector }),
  }),
  'dlp.detector_tried': declare({
    data: z.object({ kind: z.enum(ownKinds), findings: z.number().int() }),
    says: (d) => `tried a detector on a text (${d.kind}, ${d.findings} findings)`,
    ocsf: 6003,
  }),
  'dlp.tried': declare({
    data: z.object({ phase, action, findings: z.number().int() }),
    says: (d) => `tried what would happen to a text in ${d.phase}: ${d.action}`,
    ocsf: 6003,
  }),
  'dlp.content_judged': declare({
    data: z.object({
      request: z.string(),
      phase,
      action,
      findings: z.array(FoundInEvent).max(100),
      failed: z.array(z.string().max(100)).max(20),
      quarantine: z.string().nullable(),
    }),
    says: (d) => `had content looked at (${d.phase}): ${d.action}`,
    ocsf: 2006,
    about: (d) => ({ resource: d.quarantine ?? undefined }),
  }),
  'dlp.quarantined': declare({
    data: z.object({
      ...kept,
      phase,
      ...where,
      findings: z.array(FoundInEvent).max(50),
      needs: z.number().int(),
      expires: z.string(),
    }),
    says: (d) => `had ${d.phase} kept for review (${d.quarantine})`,
    ocsf: 2006,
    about: aboutKept,
  }),
  'dlp.quarantine_read': declare({
    data: z.object(kept),
    says: (d) => `looked at what is kept as ${d.quarantine}`,
    ocsf: 6003,
    about: aboutKept,
  }),
  'dlp.release_agreed': declare({
    data: z.object({ ...kept, ...where, agreed: z.number().int(), needs: z.number().int() }),
    says: (d) => `agreed to release ${d.quarantine} (${d.agreed} of ${d.needs})`,
    ocsf: 2006,
    about: aboutKept,
  }),
  'dlp.quarantine_released': declare({
    data: z.object({ ...kept, ...where, agreed: z.number().int(), needs: z.number().int() }),
    says: (d) => `released ${d.quarantine} (${d.agreed} of ${d.needs})`,
    ocsf: 2006,
    about: aboutKept,
  }),
  'dlp.quarantine_discarded': declare({
    data: z.object({ ...kept, ...where }),
    says: (d) => `discarded ${d.quarantine}`,
    ocsf: 2006,
    about: aboutKept,
  }),
  'dlp.quarantine_delivered': declare({
    data: z.object({ ...kept, phase }),
    says: (d) => `was given what had been kept as ${d.quarantine}`,
    ocsf: 6003,
    about: aboutKept,
  }),
  'dlp.quarantine_expired': declare({
    data: z.object({ quarantine: z.string(), was: z.enum(['waiting', 'released']) }),
    says: (d) => `erased ${d.quarantine}, whose time was over`,
    ocsf: 2006,
    about: (d) => ({ resource: d.quarantine }),
  }),
} as const;
