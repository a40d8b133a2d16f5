import { approvalAdminOperations } from '#approvals/approval-admin.http.ts';
import { approvalScreenOperations } from '#approvals/page/approval-screen.http.ts';
import { approvalPages } from '#approvals/page/approval-pages.http.ts';
import type { Upstairs as ApprovalsUpstairs } from '#approvals/tools.ts';
import { approvalOperations } from '#approvals/approvals.http.ts';
import { auditOperations } from '#audit/audit.http.ts';
import { searchOperations } from '#audit/search.http.ts';
import type { Names } from '#audit/search-events.ts';
import { logOperations } from '#audit/log.http.ts';
import { grantOperations } from '#authorization/grants.http.ts';
import { findConnector, listConnectors, listConnectorsThrough } from '#connectors/connector.sql.ts';
import { accountOperations } from '#connectors/connect/account.http.ts';
import { appOperations } from '#connectors/connect/app.http.ts';
import { connectionPages, consentOperations } from '#connectors/connect/connections.http.ts';
import { myConnectorOperations } from '#connectors/connect/mine.http.ts';
import { siteOf } from '#connectors/connect/site-of.ts';
import { connectionOperations } from '#connectors/connections/connections.http.ts';
import { connectorOperations } from '#connectors/connectors.http.ts';
import { OWN_SERVER } from '#connectors/connector.ts';
import { findReviewedTool } from '#connectors/find-reviewed-tool.ts';
import { listTools } from '#connectors/tool.sql.ts';
import { vendorOf, vendors } from '#connectors/vendors/all-vendors.ts';
import { adoptionOperations } from '#directory/adoption.http.ts';
import { directoryOperations } from '#directory/directory.http.ts';
import { journalOperations } from '#directory/journal.http.ts';
import { scimClientOperations } from '#directory/scim-client.http.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimDiscovery } from '#directory/scim-discovery.http.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimTokenOperations } from '#directory/scim-token.http.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { dlpOperations } from '#dlp/dlp.http.ts';
import { findingOperations } from '#dlp/findings.http.ts';
import { inspectOperations } from '#dlp/inspect.http.ts';
import { ownDetectorOperations } from '#dlp/own-detector.http.ts';
import { quarantineOperations } from '#dlp/quarantine.http.ts';
import { scannersOfOperation } from '#dlp/scanners/scanners-of.ts';
import { scannerOperations } from '#dlp/scanners/scanners.http.ts';
import { captureOperations } from '#domains/captures.http.ts';
import { domainOperations } from '#domains/domains.http.ts';
import { listVerifiedNames } from '#domains/domain.sql.ts';
import type { LastSignIns } from '#domains/list-memberships.ts';
import { limitOperations } from '#gateway/limits/limits.http.ts';
import { listLastCalls } from '#gateway/last-call.sql.ts';
import { myCallOperations } from '#gateway/mine.http.ts';
import { enforcementOperations } from '#identity/enforcement/enforcement.http.ts';
import { beginTest } from '#identity/enforcement/begin-test.ts';
import { explainOperations } from '#identity/enforcement/explain.http.ts';
import { testPages } from '#identity/enforcement/test-pages.http.ts';
import { apiGate, enterOrg, nobodyGate, pageDialect, pageGate } from '#identity/gate.ts';
import { doorPage, type Upstairs } from '#identity/door.http.ts';
import { foundingPages } from '#identity/founding.http.ts';
import { accessOperations } from '#identity/access/access.http.ts';
import { identityOperations } from '#identity/identity.http.ts';
import { oidcOperations } from '#identity/oidc/oidc.http.ts';
import { passkeyPages } from '#identity/passkey/passkey-page.http.ts';
import { passkeyOperations } from '#identity/passkey/passkey.http.ts';
import { domainDesk } from '#identity/idp-setup/domain-desk.ts';
import { idpGuideOperations } from '#identity/idp-setup/guides.http.ts';
import { idpSetupPages } from '#identity/idp-setup/idp-setup.http.ts';
import { idpSetupLinkOperations } from '#identity/idp-setup/links.http.ts';
import { listUnverified } from '#domains/home.ts';
import { listLastSignIns } from '#identity/last-sign-in.sql.ts';
import { samlConnectionOperations } from '#identity/saml/saml-connections.http.ts';
import { samlPages } from '#identity/saml/saml.http.ts';
import { homePages } from '#identity/home.http.ts';
import { mailLinkPages } from '#identity/mail-link/mail-link.http.ts';
import { signInPages } from '#identity/sign-in.http.ts';
import { scopeOf, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import type { Door, Operation } from '#kernel/operation.ts';
import type { Reporter } from '#kernel/report.ts';
import { keyOperations } from '#keys/keys.http.ts';
import { notifyOperations } from '#notify/notify.http.ts';
import { leavingOperations } from '#org/leaving.http.ts';
import { mergeOperations } from '#org/merge.http.ts';
import { orgOperations } from '#org/org.http.ts';
import type { Catalogue } from '#policy/catalogue.ts';
import { policyOperations } from '#policy/policy.http.ts';
import { admission } from '#provisioning/admission.ts';
import { provisioningOperations } from '#provisioning/provisioning.http.ts';
import { liveOperations } from '#start/live.http.ts';
import { startOperations } from '#start/start.http.ts';
import { approvalsReport } from '#approvals/report.ts';
import { auditReport } from '#audit/report.ts';
import { connectionsReport, connectorsReport } from '#connectors/report.ts';
import { directoryReport } from '#directory/report.ts';
import { dlpReport } from '#dlp/report.ts';
import { domainsReport } from '#domains/report.ts';
import { identityReport } from '#identity/report.ts';
import { orgReport } from '#org/report.ts';
import { listUserNames } from '#org/user.sql.ts';
import { provisioningReport } from '#provisioning/report.ts';
import { tunnelOperations } from '#tunnels/tunnels.http.ts';
import { allEvents } from './all-events.ts';
import { mailHerald } from './herald.ts';
import { heldOf } from './member-held.ts';
import { mergeUpstairs } from './merge-upstairs.ts';
import { portalPages } from './portal.http.ts';
import { topicsOf } from './topics.ts';

/** What the policy room asks about connectors and domains, which stand above it. */
export const catalogue: Catalogue = {
  hasConnector: async (db, connector) => (await findConnector(db, connector)) !== undefined,
  reviewedTools: async (db) =>
    (await catalogue.tools(db)).flatMap(({ connector, name, class: klass, outward, reviewed }) =>
      connector.on && reviewed && klass
        ? [
            {
              connector: connector.id,
              connectorName: connector.name,
              type: connector.type,
              name,
              class: klass,
              outward,
            },
          ]
        : [],
    ),
  async tools(db) {
    const connectors = new Map((await listConnectors(db)).map((c) => [c.id, c]));
    return (await listTools(db)).flatMap((t) => {
      const c = connectors.get(t.connector);
      if (!c) return [];
      const connector = { id: c.id, slug: c.slug, name: c.name, on: c.state === 'on', type: c.type };
      const { name, class: klass, outward, projection } = t;
      return { connector, name, class: klass, outward, reviewed: t.state === 'reviewed', projection };
    });
  },
  types: () => [
    { type: OWN_SERVER, name: 'An MCP server of your own' },
    ...vendors.map(({ type, name }) => ({ type, name })),
  ],
  ownDomains: listVerifiedNames,
};

/** What the approvals room asks of rooms above and beside it. */
const approvalsUpstairs: ApprovalsUpstairs = {
  findTool: findReviewedTool,
  connectorName: async (db, connector) => (await findConnector(db, connector))?.name,
  homeDomains: listVerifiedNames,
};

/** What the door page tells of rooms above it. */
const upstairs: Upstairs = {
  async mcpServers(ctx) {
    const connectors = await ctx.db.read(scopeOf(ctx), listConnectors);
    return connectors
      .filter((c) => c.state === 'on')
      .map((c) => ({ name: c.name, url: `${ctx.origin}/mcp/${c.slug}` }));
  },
};

/** What the domains room asks about sign-ins, which stand above it. */
const lastSignIns: LastSignIns = async (ctx, users) => {
  const found = await ctx.db.read({ parent: ctx.parent }, (db) => listLastSignIns(db, users));
  return new Map(found.map(({ user, ...at }) => [user, at]));
};

/** What whoever comes with a set-up link finds beside the link itself. */
const setupPages = idpSetupPages({
  domains: domainDesk(mailHerald),
  protocols: ['oidc', 'saml'],
  beginTest: async (ctx, connection) => (await beginTest(ctx, connection)).url,
});

/** What the log's readers are told beside ids. */
const names: Names = {
  people: listUserNames,
  connectors: async (db, ids) => (await listConnectors(db)).filter((c) => ids.includes(c.id)),
};

/** What is asked of the rooms one by one. */
const roomOperations: readonly Operation[] = [
  ...orgOperations,
  ...leavingOperations(heldOf),
  ...keyOperations,
  ...mergeOperations(mergeUpstairs),
  ...notifyOperations,
  ...directoryOperations,
  ...scimClientOperations,
  ...journalOperations(admission),
  ...adoptionOperations(admission),
  ...provisioningOperations(listLastCalls, listUnverified),
  ...domainOperations({ herald: mailHerald, lastSignIns }),
  ...captureOperations(mailHerald),
  ...identityOperations,
  ...accessOperations,
  ...oidcOperations,
  ...passkeyOperations,
  ...enforcementOperations,
  ...explainOperations,
  ...samlConnectionOperations,
  ...idpSetupLinkOperations,
  ...idpGuideOperations,
  ...grantOperations,
  ...connectionOperations(siteOf(vendorOf), allEvents),
  ...connectorOperations,
  ...tunnelOperations({ connectors: listConnectorsThrough }),
  ...limitOperations,
  ...myCallOperations,
  ...consentOperations({ vendorOf }),
  ...myConnectorOperations({ vendorOf }),
  ...appOperations({ vendorOf }),
  ...accountOperations({ vendorOf }),
  ...policyOperations(catalogue),
  ...dlpOperations(catalogue),
  ...ownDetectorOperations,
  ...quarantineOperations,
  ...findingOperations,
  ...approvalOperations(approvalsUpstairs),
  ...approvalScreenOperations(approvalsUpstairs),
  ...approvalAdminOperations,
  ...inspectOperations(scannersOfOperation),
  ...scannerOperations,
  ...auditOperations(allEvents),
  ...searchOperations({ vocabulary: allEvents, names }),
];

/** The rooms' own accounts of how they stand, in the order in which an organization is set up. */
const reporters: readonly Reporter[] = [
  domainsReport,
  identityReport,
  directoryReport,
  provisioningReport,
  connectorsReport,
  connectionsReport,
  approvalsReport({ findTool: findReviewedTool }),
  dlpReport,
  auditReport,
  orgReport,
];

/** What stands behind each prefix. A table, so that no door can have operations that the walls do not see. */
const behind: { prefix: string; operations: readonly Operation[] }[] = [
  {
    prefix: '/api',
    operations: [...roomOperations, ...liveOperations(topicsOf(roomOperations)), ...startOperations(reporters)],
  },
  { prefix: '/scim/v2/:directory', operations: [...scimDiscovery, ...scimOperations, ...scimTokenOperations] },
  // What is below no directory is a SCIM error too.
  { prefix: '/scim', operations: [] },
  { prefix: '/logs', operations: logOperations() },
  { prefix: '/saml', operations: samlPages },
  {
    prefix: '',
    operations: [
      doorPage(upstairs),
      ...signInPages,
      ...homePages,
      ...mailLinkPages,
      ...testPages,
      ...passkeyPages,
      ...approvalPages(approvalsUpstairs),
      ...connectionPages({ vendorOf, enter: (ctx, org) => enterOrg(ctx, org, 'connector.read') }),
      ...setupPages,
      ...foundingPages,
      ...portalPages,
    ],
  },
];

/** Every operation with its prefix, for the walls and the reference. */
export const allOperations = (): (Operation & { prefix: string })[] =>
  behind.flatMap(({ prefix, operations }) => operations.map((o) => ({ ...o, prefix })));

/** The front doors: who are you, may you, and how we say no. `/mcp` and `/oauth` speak their own protocols on raw HTTP; serve.ts puts them beside these. */
export function doors(world: World): Door[] {
  const gates: Record<string, Pick<Door, 'gate' | 'dialect'>> = {
    '/api': { gate: apiGate(world), dialect: problemJson },
    '/scim/v2/:directory': { gate: scimGate(world, admission), dialect: scimDialect },
    '/scim': { gate: scimGate(world, admission), dialect: scimDialect },
    '/logs': { gate: apiGate(world), dialect: problemJson },
    '/saml': { gate: nobodyGate(world), dialect: pageDialect },
    '': { gate: pageGate(world), dialect: pageDialect },
  };
  return behind.map((b) => {
    const how = gates[b.prefix];
    if (!how) throw new TypeError(`the door ${b.prefix} has no gate`);
    return { ...b, ...how };
  });
}
