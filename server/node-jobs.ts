import type { World } from '#kernel/ctx.ts';
import type { Job } from '#kernel/job.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import type { Mailer } from '#notify/mailer.ts';
import type { Vault } from '#vault/vault.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import { expireApprovalsJob } from '#approvals/expire-approvals.job.ts';
import { tellDecidersJobs } from '#approvals/notices/tell-deciders.job.ts';
import { sweepJob } from '#authorization/sweep.job.ts';
import { listConnectorsThrough } from '#connectors/connector.sql.ts';
import { lookWith } from '#connectors/connections/check-accounts.ts';
import { watchConnectionsJob } from '#connectors/connections/watch-connections.job.ts';
import { findReviewedTool } from '#connectors/find-reviewed-tool.ts';
import { pruneJournalJob } from '#directory/prune-journal.job.ts';
import { expireKeptJob } from '#dlp/expire-kept.job.ts';
import { advanceCapturesJob, applyCaptureJob } from '#domains/captures.job.ts';
import { checkDomainJob, checkDueDomainsJob } from '#domains/check-domains.job.ts';
import { closeLostCallsJob } from '#gateway/close-lost-calls.job.ts';
import { forgetSessionReadsJob } from '#gateway/forget-session-reads.job.ts';
import { enforcementJob } from '#identity/enforcement/enforcement.job.ts';
import { mailLinkJob } from '#identity/mail-link/mail-link.job.ts';
import { samlJob } from '#identity/saml/saml.job.ts';
import { checkOwnKeysJob } from '#keys/check-own-keys.job.ts';
import { resealJob } from '#keys/reseal.job.ts';
import { sendMessageJob } from '#notify/send-message.job.ts';
import { settleMergesJob } from '#org/settle-merges.job.ts';
import { backtestJob } from '#policy/backtest.job.ts';
import { forgetDecidedCallsJob } from '#policy/forget-decided-calls.job.ts';
import { syncOrgJob } from '#provisioning/sync-org.job.ts';
import { watchTunnelsJob } from '#tunnels/watch-tunnels.job.ts';
import { tellVendorJobs } from '#vault/tell-vendor.job.ts';
import { catalogue } from './doors.ts';
import { heraldJobs } from './herald-jobs.ts';
import { words } from './herald-words.ts';
import { mailEnding, mailHerald } from './herald.ts';
import { mailDoor } from './mail-door.ts';
import { mergeUpstairs } from './merge-upstairs.ts';

/** What every job may need beside the world. */
export type JobParts = {
  /** The database as the authorization server's role sees it. */
  oauth: World['db'];
  vault: Vault;
  site: SiteOf;
  mailer: Mailer | undefined;
  metrics: Metrics;
  callFactsDays: number;
};

/** Everything that a worker does in the background, in one table. */
export const jobsOf = (world: World, { oauth, vault, site, mailer, metrics, callFactsDays }: JobParts): Job[] => [
  sweepJob(world, oauth),
  expireApprovalsJob(world),
  ...tellDecidersJobs(world, { findTool: findReviewedTool }),
  expireKeptJob(world),
  closeLostCallsJob(world),
  ...tellVendorJobs(world, site),
  watchConnectionsJob(world, { vault, siteOf: site, look: lookWith(world, vault, site) }, metrics),
  watchTunnelsJob(world, { connectors: listConnectorsThrough }, metrics),
  backtestJob(world, catalogue),
  forgetDecidedCallsJob(world, callFactsDays),
  forgetSessionReadsJob(world),
  samlJob(world, mailEnding),
  enforcementJob(world),
  pruneJournalJob(world),
  syncOrgJob(world),
  checkDomainJob(world, mailHerald),
  checkDueDomainsJob(world, mailHerald),
  advanceCapturesJob(world, mailHerald),
  applyCaptureJob(world),
  mailLinkJob(world, mailDoor),
  sendMessageJob(world, mailer, words),
  ...heraldJobs(world),
  settleMergesJob(world, mergeUpstairs),
  resealJob(world),
  checkOwnKeysJob(world),
];
