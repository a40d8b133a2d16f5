import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { memberRoles } from '#org/member.ts';
import { dlpActions, phases } from '../verdict.ts';
import { scannerKinds } from './scanner.ts';

const scanner = z.string().max(60);
const set = {
  scanner,
  kind: z.enum(scannerKinds),
  hosts: z.array(z.string().max(300)).max(2),
  private: z.boolean(),
  phases: z.array(z.enum(phases)),
  mode: z.enum(['shadow', 'enforce']),
  percentage: z.number().int(),
  failMode: z.enum(['open', 'closed', 'by_content']),
  excludedRoles: z.array(z.enum(memberRoles)),
  excludedGroups: z.array(z.string().max(60)).max(100),
  state: z.enum(['on', 'off']),
};
const about = (d: { scanner: string }) => ({ resource: d.scanner });
const where = (d: { kind: string; hosts: string[]; mode: string; percentage: number; phases: string[] }): string =>
  `${d.kind} at ${d.hosts.join(' and ')} (${d.mode}, ${d.percentage} % of ${d.phases.join(', ')})`;

/** What happens to scanners outside, and what they do that is not a call's own event. */
export const scannerEvents = {
  'dlp.scanner_added': declare({
    data: z.object(set),
    says: (d) => `added a scanner: ${where(d)}`,
    ocsf: 5019,
    about,
  }),
  'dlp.scanner_changed': declare({
    data: z.object(set),
    says: (d) => `changed a scanner: ${where(d)}, now ${d.state}`,
    ocsf: 5019,
    about,
  }),
  'dlp.scanner_removed': declare({
    data: z.object({ scanner }),
    says: () => 'removed a scanner; its secrets are gone',
    ocsf: 5019,
    about,
  }),
  'dlp.scanner_secret_rotated': declare({
    data: z.object({ scanner, generation: z.number().int(), previousUntil: z.string().nullable() }),
    says: (d) =>
      d.previousUntil === null
        ? 'gave a scanner a new secret; the old one counts no more'
        : `gave a scanner a new secret; the old one counts until ${d.previousUntil}`,
    ocsf: 5019,
    about,
  }),
  'dlp.scanner_tested': declare({
    data: z.object({ scanner, outcome: z.string().max(40), action: z.enum(dlpActions).nullable() }),
    says: (d) => `sent a sample to a scanner: ${d.action ?? d.outcome}`,
    ocsf: 5019,
    about,
  }),
  'dlp.scanner_breaker_opened': declare({
    data: z.object({ scanner, node: z.string().max(300), why: z.string().max(40) }),
    says: (d) => `stopped asking a scanner on the node ${d.node}, because it does not answer (${d.why})`,
    ocsf: 2006,
    about,
  }),
  'dlp.scanner_breaker_closed': declare({
    data: z.object({ scanner, node: z.string().max(300) }),
    says: (d) => `asks a scanner again on the node ${d.node}, because it answers`,
    ocsf: 2006,
    about,
  }),
  'dlp.scanner_shadow_verdict': declare({
    data: z.object({ scanner, call: z.string().max(60), phase: z.enum(phases), action: z.enum(dlpActions) }),
    says: (d) => `would have had a scanner's ${d.action} in ${d.phase}, which is in shadow mode and changed nothing`,
    ocsf: 2006,
    about: (d) => ({ resource: d.scanner, call: d.call }),
  }),
  'dlp.scanner_failed_open': declare({
    data: z.object({ scanner, call: z.string().max(60), phase: z.enum(phases), why: z.string().max(40) }),
    says: (d) =>
      `let content pass in ${d.phase} without a scanner that did not answer (${d.why}), as its fail mode says`,
    ocsf: 2006,
    about: (d) => ({ resource: d.scanner, call: d.call }),
  }),
} as const;
