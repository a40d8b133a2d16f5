import { z } from 'zod';
import type { Kind } from './letter.ts';
import { approvalWaits } from './messages/approval-waits.ts';
import { approvalsWait } from './messages/approvals-wait.ts';
import { captureAnnounced } from './messages/capture-announced.ts';
import { captureInForce } from './messages/capture-in-force.ts';
import { captureReminder } from './messages/capture-reminder.ts';
import { certificateEnding } from './messages/certificate-ending.ts';
import { connectionEnding } from './messages/connection-ending.ts';
import { connectionFailed } from './messages/connection-failed.ts';
import { connectionsDigest } from './messages/connections-digest.ts';
import { domainConflict } from './messages/domain-conflict.ts';
import { domainFailing } from './messages/domain-failing.ts';
import { domainLapsed } from './messages/domain-lapsed.ts';
import { domainRecovered } from './messages/domain-recovered.ts';
import { domainVerified } from './messages/domain-verified.ts';
import { mailLink } from './messages/mail-link.ts';
import { mergeApplied } from './messages/merge-applied.ts';
import { mergeApproved } from './messages/merge-approved.ts';
import { mergeChanged } from './messages/merge-changed.ts';
import { mergeExpired } from './messages/merge-expired.ts';
import { mergeRejected } from './messages/merge-rejected.ts';
import { mergeSent } from './messages/merge-sent.ts';
import { mergeUndone } from './messages/merge-undone.ts';
import { removalsHeld } from './messages/removals-held.ts';
import { tunnelOffline } from './messages/tunnel-offline.ts';

/** Every kind of message, by its name in the rows. A new one is a file in `messages/` and a line here. */
export const kinds = {
  approval_waits: approvalWaits,
  approvals_wait: approvalsWait,
  capture_announced: captureAnnounced,
  capture_in_force: captureInForce,
  capture_reminder: captureReminder,
  certificate_ending: certificateEnding,
  connection_ending: connectionEnding,
  connection_failed: connectionFailed,
  connections_digest: connectionsDigest,
  domain_conflict: domainConflict,
  domain_failing: domainFailing,
  domain_lapsed: domainLapsed,
  domain_recovered: domainRecovered,
  domain_verified: domainVerified,
  mail_link: mailLink,
  merge_applied: mergeApplied,
  merge_approved: mergeApproved,
  merge_changed: mergeChanged,
  merge_expired: mergeExpired,
  merge_rejected: mergeRejected,
  merge_sent: mergeSent,
  merge_undone: mergeUndone,
  removals_held: removalsHeld,
  tunnel_offline: tunnelOffline,
} as const;

type Kinds = typeof kinds;

/** What can be told: the kind and its ids, e.g. `{ kind: 'merge_sent', merge }`. */
export type Message = { [K in keyof Kinds]: { kind: K } & z.infer<Kinds[K]['data']> }[keyof Kinds];

const byName: Record<string, Kind | undefined> = kinds;
const Named = z.looseObject({ kind: z.string() });

/** A message out of the payload of a job. */
export const MessageJson = z.custom<Message>((v) => {
  const named = Named.safeParse(v);
  return named.success && byName[named.data.kind]?.data.safeParse(v).success === true;
});
