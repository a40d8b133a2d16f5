import { approvalEvents } from '#approvals/approvals.events.ts';
import { auditEvents } from '#audit/events.ts';
import { authorizationEvents } from '#authorization/authorization.events.ts';
import { connectEvents } from '#connectors/connect/connect.events.ts';
import { discoveryEvents } from '#connectors/discovery/discovery.events.ts';
import { connectionEvents } from '#connectors/connections/connections.events.ts';
import { connectorEvents } from '#connectors/connectors.events.ts';
import { openApiEvents } from '#connectors/openapi/openapi.events.ts';
import { directoryEvents } from '#directory/directory.events.ts';
import { dlpEvents } from '#dlp/dlp.events.ts';
import { scannerEvents } from '#dlp/scanners/scanner.events.ts';
import { domainEvents } from '#domains/domains.events.ts';
import { gatewayEvents } from '#gateway/gateway.events.ts';
import { enforcementEvents } from '#identity/enforcement/enforcement.events.ts';
import { accessEvents } from '#identity/access/access.events.ts';
import { idpSetupEvents } from '#identity/idp-setup/idp-setup.events.ts';
import { identityEvents } from '#identity/identity.events.ts';
import { oidcEvents } from '#identity/oidc/oidc.events.ts';
import { passkeyEvents } from '#identity/passkey/passkey.events.ts';
import { samlEvents } from '#identity/saml/saml.events.ts';
import { keyEvents } from '#keys/keys.events.ts';
import { notifyEvents } from '#notify/notify.events.ts';
import { mergeEvents } from '#org/merge.events.ts';
import { orgEvents } from '#org/org.events.ts';
import { policyEvents } from '#policy/policy.events.ts';
import { provisioningEvents } from '#provisioning/provisioning.events.ts';
import { tunnelEvents } from '#tunnels/tunnels.events.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import type { Vocabulary } from '#audit/shown-event.ts';

/** Everything that the log can say: each room's declarations, together. The reference is docs/generated/events.md. */
export const allEvents: Vocabulary = {
  ...approvalEvents,
  ...auditEvents,
  ...authorizationEvents,
  ...connectEvents,
  ...discoveryEvents,
  ...connectionEvents,
  ...connectorEvents,
  ...directoryEvents,
  ...dlpEvents,
  ...scannerEvents,
  ...domainEvents,
  ...gatewayEvents,
  ...enforcementEvents,
  ...accessEvents,
  ...identityEvents,
  ...idpSetupEvents,
  ...oidcEvents,
  ...passkeyEvents,
  ...samlEvents,
  ...keyEvents,
  ...mergeEvents,
  ...notifyEvents,
  ...openApiEvents,
  ...orgEvents,
  ...policyEvents,
  ...provisioningEvents,
  ...tunnelEvents,
  ...vaultEvents,
};
