import { approvalOperations } from '#approvals/approvals.http.ts';
import { auditOperations } from '#audit/audit.http.ts';
import { logOperations } from '#audit/log.http.ts';
import { grantOperations } from '#authorization/grants.http.ts';
import { findConnector, listConnectors } from '#connectors/connector.sql.ts';
import { connectorOperations } from '#connectors/connectors.http.ts';
import { listToolsOf } from '#connectors/tool.sql.ts';
import { directoryOperations } from '#directory/directory.http.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimDiscovery } from '#directory/scim-discovery.http.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { dlpOperations } from '#dlp/dlp.http.ts';
import { apiGate, pageDialect, pageGate } from '#identity/gate.ts';
import { doorPage, type Upstairs } from '#identity/door.http.ts';
import { foundingPages } from '#identity/founding.http.ts';
import { identityOperations } from '#identity/identity.http.ts';
import { signInPages } from '#identity/sign-in.http.ts';
import { scopeOf, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import type { Door, Operation } from '#kernel/operation.ts';
import { orgOperations } from '#org/org.http.ts';
import type { Catalogue } from '#policy/catalogue.ts';
import { policyOperations } from '#policy/policy.http.ts';
import { allEvents } from './all-events.ts';

/** What the policy room asks about connectors, which stand above it. */
const catalogue: Catalogue = {
  hasConnector: async (db, connector) => (await findConnector(db, connector)) !== undefined,
  async toolClass(db, connector, name) {
    const tool = (await listToolsOf(db, connector)).find((t) => t.name === name);
    return tool?.state === 'reviewed' ? (tool.class ?? undefined) : undefined;
  },
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

/** What stands behind each prefix. A table, so that no door can have operations that the walls do not see. */
const behind: { prefix: string; operations: readonly Operation[] }[] = [
  {
    prefix: '/api',
    operations: [
      ...orgOperations,
      ...directoryOperations,
      ...identityOperations,
      ...grantOperations,
      ...connectorOperations,
      ...policyOperations(catalogue),
      ...approvalOperations,
      ...dlpOperations,
      ...auditOperations(allEvents),
    ],
  },
  { prefix: '/scim/v2/:directory', operations: [...scimDiscovery, ...scimOperations] },
  { prefix: '/logs', operations: logOperations() },
  { prefix: '', operations: [doorPage(upstairs), ...signInPages, ...foundingPages] },
];

/** Every operation with its prefix, for the walls and the reference. */
export const allOperations = (): (Operation & { prefix: string })[] =>
  behind.flatMap(({ prefix, operations }) => operations.map((o) => ({ ...o, prefix })));

/** The front doors: who are you, may you, and how we say no. `/mcp` and `/oauth` speak their own protocols on raw HTTP; serve.ts puts them beside these. */
export function doors(world: World): Door[] {
  const gates: Record<string, Pick<Door, 'gate' | 'dialect'>> = {
    '/api': { gate: apiGate(world), dialect: problemJson },
    '/scim/v2/:directory': { gate: scimGate(world), dialect: scimDialect },
    '/logs': { gate: apiGate(world), dialect: problemJson },
    '': { gate: pageGate(world), dialect: pageDialect },
  };
  return behind.map((b) => {
    const how = gates[b.prefix];
    if (!how) throw new TypeError(`the door ${b.prefix} has no gate`);
    return { ...b, ...how };
  });
}
