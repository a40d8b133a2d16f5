import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { findApp } from '#vault/connector-app.sql.ts';
import { findLiveConnection } from '#vault/connection.sql.ts';
import { noCredential, type Credentials } from '#vault/credentials.ts';
import { originsOf } from '#vault/vendor-address.ts';
import { findManifest, manifestOf } from './connect/site-of.ts';
import { egressRules, type Connector } from './connector.ts';
import { findConnector } from './connector.sql.ts';
import { connectorEvents } from './connectors.events.ts';
import { freshAuthorization } from './discovery/fresh-authorization.ts';
import { shownAuthorization, type AuthorizationShown } from './discovery/shown-authorization.ts';
import { vendorClient } from './kit/vendor-client.ts';
import { OPENAPI } from './openapi/openapi-manifest.ts';
import { importedToolsOf } from './openapi/offered-operations.ts';
import { probeVendor, type ProbeReport } from './probe-vendor.ts';
import { noConnector } from './refresh-tools.ts';
import { vendorOf } from './vendors/all-vendors.ts';

/** `authorization`: what a server says itself of how to be authorized at. */
export type CheckReport = ProbeReport & { authorization: AuthorizationShown | undefined };

/** Whoever asks waits for this at the screen. */
const CHECK_MS = 60_000;

/**
 * Tries a connector with the account that its calls would use: whose it is, and each tool that only reads and needs no arguments. What the tools
 * answer is given to nobody: a check tells that reading works, and is no way to read past the rules.
 */
export async function checkConnector(ctx: OrgCtx, id: Id<'con'>, vault: Credentials): Promise<CheckReport> {
  const read = await ctx.db.read(scopeOf(ctx), async (db) => {
    const connector = await findConnector(db, id);
    return connector && { connector, ...(await findManifest(db, connector, vendorOf)), app: await findApp(db, id) };
  });
  if (!read) throw noConnector(id);
  const { connector, app } = read;
  const fresh = read.found && (await freshAuthorization(ctx, connector));
  const authorization = fresh && shownAuthorization(fresh, { origin: ctx.origin, connector: id, app });
  const known = manifestOf(connector, vendorOf, fresh);
  if (!known)
    throw new Problem('conflict', 'connectors/own-server', {
      says: `${connector.slug} is an MCP server of your own, of which only its tools can be asked`,
      fix: 'refresh its tools',
    });
  const imported =
    connector.type === OPENAPI ? await ctx.db.read(scopeOf(ctx), (db) => importedToolsOf(db, connector)) : undefined;
  const manifest = imported && known.builtin ? { ...known, builtin: { ...known.builtin, tools: imported } } : known;
  const open = connector.actAs === 'none';
  let account: Awaited<ReturnType<typeof accountOf>> | typeof nobody;
  try {
    account = open ? nobody : await accountOf(ctx, connector);
  } catch (e) {
    // What was found is worth telling before anybody has connected.
    if (!authorization || !(e instanceof Problem) || e.kind === 'bug') throw e;
    const wrong = e.fix === undefined ? e.says : `${e.says}; ${e.fix}`;
    return told(ctx, connector, { account: undefined, wrong, scopes: [], tools: [], authorization });
  }
  const { connection, person } = account;
  const { settings, access, actAs, origins } = connector;
  const signal = AbortSignal.timeout(CHECK_MS);
  const now = (): Date => ctx.now;
  const vendor = await vendorClient({
    manifest,
    settings,
    origins: originsOf(manifest, settings, origins),
    rules: egressRules(connector),
    egress: ctx.egress,
    unlock: (refused, narrow) =>
      connection === undefined
        ? Promise.resolve(noCredential)
        : vault.unlock(
            { parent: ctx.parent, org: ctx.org },
            {
              connection,
              refused,
              narrow,
              ...(actAs === 'organization_as_person' ? { subject: person.email } : {}),
            },
          ),
    signal,
    now,
    deadline: new Date(ctx.now.getTime() + CHECK_MS),
  });
  const probe = { manifest, settings, access, actAs, person, args: {}, signal, now };
  const report = await probeVendor(vendor, probe);
  const tools = report.tools.map((t) => (t.outcome === 'works' ? { ...t, says: '' } : t));
  return told(ctx, connector, { ...report, tools, authorization });
}

function told(ctx: OrgCtx, { id, slug }: Connector, report: CheckReport): Promise<CheckReport> {
  const count = (outcome: CheckReport['tools'][number]['outcome']): number =>
    report.tools.filter((t) => t.outcome === outcome).length;
  return change(ctx, () =>
    Promise.resolve({
      value: report,
      events: [
        event(connectorEvents, 'connector.checked', {
          connector: id,
          slug,
          usable: report.wrong === undefined,
          works: count('works'),
          refused: count('refused'),
        }),
      ],
    }),
  );
}

/** A system that asks for nobody is tried as nobody. */
const nobody = { connection: undefined, person: { email: '', name: '' } };

/** The account that a call of whoever asks would use. */
async function accountOf(
  ctx: OrgCtx,
  c: Connector,
): Promise<{ connection: Id<'cnn'>; person: { email: string; name: string } }> {
  const user = ctx.actor.kind === 'user' ? ctx.actor.id : undefined;
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const known = user && (await findUser(db, user));
    const member = user && (await findMemberByUser(db, user));
    if (c.actAs !== 'organization' && (!known || !member))
      throw new Problem('forbidden', 'connectors/check-by-person', {
        says: `${c.name} acts for persons, and whoever asks is none`,
        fix: 'check it as a person who is signed in',
      });
    const owner = c.actAs === 'person' && member ? member.id : 'organization';
    const found = await findLiveConnection(db, c.id, owner);
    if (!found)
      throw new Problem('missing', 'connectors/nothing-to-check', {
        says:
          c.actAs === 'person' ? `you have not connected ${c.name}` : `${c.name} has no account of the organization`,
        fix:
          c.actAs === 'person'
            ? `connect it at ${ctx.origin}/connections`
            : `give it one with PUT /api/orgs/${ctx.org}/connectors/${c.id}/account; the catalogue names the kinds and their fields`,
      });
    return { connection: found.id, person: { email: known?.email ?? '', name: known?.displayName ?? '' } };
  });
}
