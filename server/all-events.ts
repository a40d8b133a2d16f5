import { approvalEvents } from '#approvals/approvals.events.ts';
import { auditEvents } from '#audit/events.ts';
import { authorizationEvents } from '#authorization/authorization.events.ts';
import { connectorEvents } from '#connectors/connectors.events.ts';
import { directoryEvents } from '#directory/directory.events.ts';
import { dlpEvents } from '#dlp/dlp.events.ts';
import { gatewayEvents } from '#gateway/gateway.events.ts';
import { identityEvents } from '#identity/identity.events.ts';
import { orgEvents } from '#org/org.events.ts';
import { policyEvents } from '#policy/policy.events.ts';
import type { Vocabulary } from '#audit/shown-event.ts';

/** Everything that the log can say: each room's declarations, together. The reference is docs/generated/events.md. */
export const allEvents: Vocabulary = {
  ...approvalEvents,
  ...auditEvents,
  ...authorizationEvents,
  ...connectorEvents,
  ...directoryEvents,
  ...dlpEvents,
  ...gatewayEvents,
  ...identityEvents,
  ...orgEvents,
  ...policyEvents,
};
