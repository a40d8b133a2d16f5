import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { html, mark, render } from '#kernel/html.ts';
import type { Id } from '#kernel/id.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { findLiveConnection, listConnectionsOfMember } from '#vault/connection.sql.ts';
import { endConnection } from '#vault/end-connection.ts';
import { listAppConnectors } from '#vault/connector-app.sql.ts';
import { accesses } from '#vault/vendor-auth.ts';
import { idOf, inOrg, OneConnector } from '../connector-door.ts';
import { listConnectors } from '../connector.sql.ts';
import { listAuthorizations } from '../discovery/authorization.sql.ts';
import { clientDocumentPages } from '../discovery/client-document.ts';
import { waysOf } from '../discovery/found-authorization.ts';
import { connectionsBody, startBody, type ConnectionsOfOrg, type Done, type ViewOfOrg } from './connections-page.ts';
import { begunAt } from './consent.ts';
import { finishConsent } from './finish-consent.ts';
import { atConnector, memberOf, visitorOf, withinOrg, type Connecting } from './place.ts';
import { manifestOf, siteOrNone } from './site-of.ts';
import { refuseStart, scopesOf, startConsent } from './start-consent.ts';

const ByConnector = z.object({ con: z.string() });
const WantedAccess = z.strictObject({ access: z.enum(accesses) });
const form = ['application/x-www-form-urlencoded'];

const to = (location: string): Response =>
  new Response(null, {
    status: 303,
    headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
  });

/** The pages on which people connect their accounts. */
export const connectionPages = (how: Connecting): readonly Operation[] => [
  page({
    id: 'connections.page',
    at: 'GET /connections',
    can: 'signed_in',
    says: 'Shows whoever is signed in their own accounts at connectors, how they stand, and how to connect or end each.',
    query: z.object({ done: z.string().max(60).optional(), ended: z.string().max(60).optional() }),
    async handle(ctx, { query }) {
      const { user } = visitorOf(ctx);
      const orgs = await ctx.db.read({ parent: ctx.parent }, (db) => listOrgsOfUser(db, user));
      const shown: ConnectionsOfOrg[] = [];
      let done: Done | undefined;
      for (const o of orgs) {
        const view = await connectionsOf(ctx, how, o.org);
        shown.push({ name: o.name, ...view });
        const made = 'own' in view ? view.own.find((c) => c.connection?.id === query.done) : undefined;
        if (made?.connection)
          done = { what: 'connected', name: made.site.name, label: made.connection.account?.label ?? 'your account' };
        const ended = 'own' in view ? view.own.find((c) => c.site.connector === query.ended) : undefined;
        if (ended && !ended.connection)
          done = { what: 'ended', name: ended.site.name, told: ended.site.auth.oauth?.revoke !== undefined };
      }
      return render({ title: 'Connections', body: connectionsBody(shown, { now: ctx.now, done }) });
    },
  }),
  page({
    id: 'connections.start_page',
    at: 'GET /connections/start/:con',
    can: 'signed_in',
    says: 'Shows what connecting an account at a connector would give it, before anything is begun.',
    params: ByConnector,
    async handle(ctx, { params }) {
      const at = await atConnector(ctx, how, idOf(params.con));
      refuseStart(at, 'read_only');
      const { user } = visitorOf(ctx);
      const connection = await at.ctx.db.read(scopeOf(at.ctx), async (db) =>
        findLiveConnection(db, at.connector.id, (await memberOf(db, user)).id),
      );
      const scopes = {
        read_only: await scopesOf(at, 'read_only', user),
        read_write: await scopesOf(at, 'read_write', user),
      };
      return render({ title: `Connect ${at.connector.name}`, body: startBody(at.site, connection, scopes) });
    },
  }),
  page({
    id: 'connections.start',
    at: 'POST /connections/start/:con',
    can: 'signed_in',
    says: 'Begins to connect an account: leads to the vendor, where its owner agrees or not.',
    params: ByConnector,
    accepts: form,
    body: WantedAccess,
    async handle(ctx, { params, body }) {
      const at = await atConnector(ctx, how, idOf(params.con));
      const url = await startConsent(at, body.access, 'connections');
      const response = render({
        title: `Connect ${at.connector.name}`,
        body: html`${mark.open}<h1>To ${at.connector.name}</h1>
          <p>You agree there, at ${url.host}, and come back. This page goes there by itself.</p>
          <div class="do"><a class="btn act" href="${url.href}">Continue</a><a class="btn" href="/connections">Back</a></div>`,
      });
      // Not a redirect: browsers hold a form's whole chain of redirects to the form-action of the page that it was on.
      response.headers.set('refresh', `0; url=${url.href}`);
      response.headers.set('referrer-policy', 'no-referrer');
      return response;
    },
  }),
  page({
    id: 'connections.callback',
    at: 'GET /connections/callback/:con',
    can: 'signed_in',
    says: 'Takes what a vendor sent back with the browser of whoever began it, once, and makes the connection of it.',
    params: ByConnector,
    query: z.record(z.string().max(100), z.string().max(8000)),
    async handle(ctx, { params, query }) {
      const at = await atConnector(ctx, how, idOf(params.con));
      const { connection, from } = await finishConsent(at, query);
      return to(
        from === 'portal'
          ? `/portal/${at.ctx.org}/mine?connected=${connection.id}`
          : `/connections?done=${connection.id}`,
      );
    },
  }),
  page({
    id: 'connections.end',
    at: 'POST /connections/end/:con',
    can: 'signed_in',
    says: 'Ends one’s own connection at a connector: here at once, at the vendor as soon as it can be told.',
    params: ByConnector,
    async handle(ctx, { params }) {
      const at = await atConnector(ctx, how, idOf(params.con));
      await endOwn(at.ctx, at.connector.id);
      return to(`/connections?ended=${at.connector.id}`);
    },
  }),
  ...clientDocumentPages,
];

/** The same for programs that a person uses: the desk, the portal. */
export const consentOperations = (how: Pick<Connecting, 'vendorOf'>): readonly Operation[] => [
  operation({
    id: 'connectors.start_consent',
    at: 'POST /orgs/:org/connectors/:con/consent',
    can: 'connector.read',
    says: 'Begins to connect one’s own account at a connector: where to go in the same browser, for one answer within ten minutes.',
    params: OneConnector,
    body: WantedAccess.extend({
      from: z.enum(begunAt).default('connections').describe('Where the person comes back to.'),
    }),
    status: 201,
    reply: z.object({ url: z.string() }),
    async handle(ctx, { params, body }) {
      const at = await withinOrg(inOrg(ctx), how.vendorOf, idOf(params.con));
      return { url: (await startConsent(at, body.access, body.from)).href };
    },
  }),
  operation({
    id: 'connectors.end_own_connection',
    at: 'DELETE /orgs/:org/connectors/:con/connection',
    can: 'connector.read',
    says: 'Ends one’s own connection at a connector: here at once, at the vendor as soon as it can be told.',
    params: OneConnector,
    status: 204,
    reply: z.undefined(),
    async handle(ctx, { params }) {
      await endOwn(inOrg(ctx), idOf(params.con));
      return undefined;
    },
  }),
];

async function endOwn(ctx: ReturnType<typeof inOrg>, connector: Id<'con'>): Promise<void> {
  const { user } = visitorOf(ctx);
  const connection = await ctx.db.read(scopeOf(ctx), async (db) =>
    findLiveConnection(db, connector, (await memberOf(db, user)).id),
  );
  if (connection) await endConnection(ctx, connection.id, 'disconnected');
}

/** What one organization has for this person, or why it is closed to them now. */
async function connectionsOf(ctx: Ctx, how: Connecting, org: Id<'org'>): Promise<ViewOfOrg> {
  try {
    const within = await how.enter(ctx, org);
    return await within.db.read(scopeOf(within), async (db) => {
      const member = await memberOf(db, visitorOf(ctx).user);
      const registered = await listAppConnectors(db);
      const authorizations = await listAuthorizations(db);
      const mine = new Map((await listConnectionsOfMember(db, member.id)).map((c) => [c.connector, c]));
      const sites = (await listConnectors(db)).flatMap((c) => {
        const manifest = manifestOf(c, how.vendorOf, authorizations.get(c.id));
        return manifest ? (siteOrNone(c, manifest) ?? []) : [];
      });
      // Where we need nobody's help to be known.
      const known = (id: Id<'con'>): boolean => {
        const found = authorizations.get(id);
        return found !== undefined && waysOf(found, ctx.origin).length > 0;
      };
      return {
        own: sites
          .filter((s) => s.actAs === 'person' && (s.on || mine.has(s.connector)))
          .map((site) => ({
            site,
            connection: mine.get(site.connector),
            ready: registered.has(site.connector) || known(site.connector),
          })),
        given: sites.filter((s) => s.on && s.actAs !== 'person' && s.actAs !== 'none'),
      };
    });
  } catch (e) {
    if (e instanceof Problem && e.kind !== 'bug' && e.kind !== 'unavailable') return { closed: e.says };
    throw e;
  }
}
