import { z } from 'zod';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { findApp } from '#vault/connector-app.sql.ts';
import type { ConnectorApp } from '#vault/connector-app.ts';
import { connectionStates } from '#vault/connection.ts';
import { accesses } from '#vault/vendor-auth.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import { clocks, clockWords, day, healthOf, healthStates, soonest } from './connection-health.ts';
import { listChecks, type Listed } from './connections.sql.ts';

export const time = z.string().nullable();
/** A connection as the API shows it: whose, to what, how it stands, what ends next. Never what opens it. */
export const ConnectionShown = z.object({
  id: z.string(),
  connector: z.object({ id: z.string(), slug: z.string(), name: z.string(), type: z.string() }),
  owner: z.union([
    z.object({ kind: z.literal('person'), user: z.string(), name: z.string(), email: z.string() }),
    z.object({ kind: z.literal('organization') }),
  ]),
  /** As the vendor calls it; null: an account that an administrator saved unchecked. */
  account: z.object({ label: z.string(), email: z.string().nullable(), tenant: z.string().nullable() }).nullable(),
  /** `oauth`, or the kind of account of the organization. */
  kind: z.string(),
  access: z.enum(accesses),
  says: z.string(),
  scopes: z.array(z.string()),
  state: z.enum(connectionStates),
  health: z.object({
    state: z.enum(healthStates),
    says: z.string(),
    fix: z.string().nullable(),
    whose: z.enum(['person', 'admin']).nullable(),
  }),
  /** What ends first, unless somebody does something. */
  nextEnd: z.object({ at: z.string(), clock: z.enum(clocks), says: z.string() }).nullable(),
  made: z.object({ at: z.string(), by: z.string() }),
  lastUsed: time,
  lastRefreshed: time,
  /** The last daily look at an account of the organization. */
  lastChecked: z.object({ at: z.string(), says: z.string().nullable() }).nullable(),
  ended: z.object({ at: z.string(), by: z.string().nullable(), why: z.string(), atVendor: z.string() }).nullable(),
});
type Shown = z.infer<typeof ConnectionShown>;

export const iso = (d: Date | undefined): string | null => d?.toISOString() ?? null;

/** Shows connections of one page with what is known beside them, each thing read once. */
export async function shownConnections(
  db: Reader,
  all: readonly Listed[],
  siteOf: SiteOf,
  now: Date,
): Promise<Shown[]> {
  const apps = new Map<Id<'con'>, ConnectorApp | undefined>();
  const rotates = new Map<Id<'con'>, boolean>();
  for (const { connector } of all) {
    if (rotates.has(connector.id)) continue;
    apps.set(connector.id, await findApp(db, connector.id));
    const site = await siteOf(db, connector.id);
    rotates.set(connector.id, (site?.auth.oauth?.lifetimes.rotation ?? 'same') !== 'same');
  }
  const checks = await listChecks(
    db,
    all.map((l) => l.connection.id),
  );
  return all.map((l): Shown => {
    const { connection: c, connector, person } = l;
    const check = checks.get(c.id)?.check;
    const w = { connection: c, rotates: rotates.get(c.connector) ?? false, app: apps.get(c.connector), check };
    const [end] = c.standing.state === 'revoked' ? [] : soonest(w, now);
    const label = c.account?.label ?? 'an account whose name is not known';
    return {
      id: c.id,
      connector,
      owner: person ? { kind: 'person', ...person } : { kind: 'organization' },
      account: c.account
        ? { label: c.account.label, email: c.account.email ?? null, tenant: c.account.tenant ?? null }
        : null,
      kind: c.grantKind,
      access: c.access,
      says: `may ${c.access === 'read_only' ? 'read' : 'read and write'} in ${connector.name} as ${label}`,
      scopes: [...c.scopes],
      state: c.standing.state,
      health: healthOf(w, connector.name, now),
      nextEnd: end
        ? { at: end.at.toISOString(), clock: end.clock, says: `${clockWords[end.clock]} ends on ${day(end.at)}` }
        : null,
      made: { at: c.made.at.toISOString(), by: c.made.by },
      lastUsed: iso(c.lastUsed),
      lastRefreshed: iso(c.lastRefreshed),
      lastChecked: check ? { at: check.at.toISOString(), says: check.trouble?.says ?? null } : null,
      ended:
        c.standing.state === 'revoked'
          ? {
              at: c.standing.at.toISOString(),
              by: c.standing.by ?? null,
              why: c.standing.why,
              atVendor: c.standing.vendor,
            }
          : null,
    };
  });
}
