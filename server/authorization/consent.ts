import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { Actor, World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { event } from '#audit/events.ts';
import type { SignedIn } from '#identity/session.ts';
import { findUser } from '#org/user.sql.ts';
import type { Units } from './adapter-transaction.ts';
import { authorizationEvents } from './authorization.events.ts';
import type { Documents } from './client-document.ts';
import { csrfToken, readConsentForm, sameOrigin, sameToken } from './consent-form.ts';
import { consentPage, noOrganizationPage } from './consent-page.ts';
import { listMemberships, type Membership } from './membership.sql.ts';
import { saveDocument } from './oauth-item.sql.ts';
import { canonicalResource, isScope, type Scope } from './resource.ts';

/** Whose browser it is, from our own session (identity/current-user.ts). */
export type CurrentUser = (world: World, cookie: string | undefined) => Promise<SignedIn | undefined>;

export type ConsentKit = {
  world: World;
  provider: Provider;
  units: Units;
  documents: Documents;
  currentUser: CurrentUser;
};

export const CONSENT_PATH = /^\/consent\/([A-Za-z0-9_-]{8,128})$/;

type Asked = {
  uid: string;
  client: { id: string; name: string | undefined; redirect: string | undefined };
  /** As the client spelt them: the library compares them again when it goes on. */
  resources: string[];
  scopes: Scope[];
};

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);

/** What the client asked, from the interaction that belongs to this browser's cookie. */
async function findAsked(kit: ConsentKit, uid: string, req: IncomingMessage, res: ServerResponse): Promise<Asked> {
  const gone = (because: unknown): Problem =>
    new Problem('missing', 'authorization/no-interaction', {
      says: 'this request for access has expired, or it was begun in another browser',
      fix: 'go back to the application and begin again',
      because,
    });
  const details = await kit.provider.interactionDetails(req, res).catch((e: unknown) => {
    throw e instanceof errors.OIDCProviderError ? gone(e) : e;
  });
  // INVARIANT (own interaction): the cookie says which interaction this browser began, and the path must name the same.
  if (details.uid !== uid) throw gone('the path names another interaction than the cookie');
  const id = text(details.params['client_id']) ?? '';
  const client = await kit.provider.Client.find(id).catch((e: unknown) => {
    throw e instanceof errors.OIDCProviderError ? gone(e) : e;
  });
  if (!client) throw gone(`no client ${id}`);
  const resources = [details.params['resource']].flat().filter((r): r is string => typeof r === 'string');
  return {
    uid,
    client: { id: client.clientId, name: client.clientName, redirect: text(details.params['redirect_uri']) },
    resources,
    scopes: [...new Set((text(details.params['scope']) ?? '').split(' ').filter(isScope))],
  };
}

/** GET: shows the page, or sends whoever is not signed in to the sign-in and back. */
export async function showConsent(
  kit: ConsentKit,
  uid: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Response> {
  const asked = await findAsked(kit, uid, req, res);
  const me = await kit.currentUser(kit.world, req.headers.cookie);
  if (!me)
    return new Response(null, {
      status: 303,
      headers: { location: `/sign-in?return_to=${encodeURIComponent(`/consent/${uid}`)}`, 'cache-control': 'no-store' },
    });
  const { memberships, person } = await whoIs(kit, me);
  const [first, ...others] = memberships;
  if (!first) return noOrganizationPage(person);
  return consentPage({
    uid,
    csrf: csrfToken(csrfKey(kit.world), uid, me.session),
    client: asked.client,
    resources: asked.resources.map((r) => canonicalResource(kit.world.origin, r) ?? r),
    scopes: asked.scopes,
    person,
    memberships: [first, ...others],
  });
}

const csrfKey = (world: World): Buffer => world.seal.derive('authorization consent-csrf', 32);

async function whoIs(
  kit: ConsentKit,
  me: SignedIn,
): Promise<{ memberships: Membership[]; person: { name: string; email: string } }> {
  const user = await kit.world.db.read({ parent: me.parent }, (db) => findUser(db, me.user));
  const all = await kit.units.using((unit) => unit.read((db) => listMemberships(db, me.user)));
  return {
    memberships: all.filter((m) => m.state === 'active' && m.parent === me.parent),
    person: { name: user?.displayName ?? '', email: user?.email ?? '' },
  };
}

/** POST: writes the consent, its event and the interaction's result in one transaction, and sends the browser on. */
export async function answerConsent(
  kit: ConsentKit,
  uid: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Response> {
  if (!sameOrigin(req.headers, kit.world.origin))
    throw new Problem('forbidden', 'authorization/cross-origin', {
      says: 'the answer did not come from a page of ours',
      fix: 'open the application again and answer on the page that it shows',
    });
  const form = await readConsentForm(req);
  const me = await kit.currentUser(kit.world, req.headers.cookie);
  if (!me)
    throw new Problem('unauthenticated', 'authorization/signed-out', {
      says: 'you are no longer signed in',
      fix: 'go back to the application and begin again',
    });
  if (!sameToken(form.csrf, csrfToken(csrfKey(kit.world), uid, me.session)))
    throw new Problem('forbidden', 'authorization/csrf', {
      says: 'the page is out of date, or another person has signed in since',
      fix: 'reload the page and answer again',
    });
  const asked = await findAsked(kit, uid, req, res);
  const { memberships } = await whoIs(kit, me);
  const actor: Actor = { kind: 'user', id: me.user, session: me.session };
  const { answer } = form;
  const next = await kit.units.within(
    async (unit) => {
      if (answer.say === 'deny') {
        const [only] = memberships.length === 1 ? memberships : [];
        unit.tell({
          parent: me.parent,
          org: only?.org,
          actor,
          event: event(authorizationEvents, 'authorization.consent_denied', {
            client: asked.client.id,
            resources: asked.resources,
            scopes: asked.scopes,
          }),
        });
        return kit.provider.interactionResult(
          req,
          res,
          { error: 'access_denied', error_description: 'the person said no' },
          { mergeWithLastSubmission: false },
        );
      }
      const member = memberships.find((m) => m.member === answer.member);
      if (!member)
        throw new Problem('missing', 'authorization/no-membership', {
          says: 'you do not belong to that organization',
          fix: 'choose another one',
        });
      const given = asked.scopes.filter((s) => answer.scopes.includes(s));
      const refused = asked.scopes.filter((s) => !answer.scopes.includes(s));
      if (given.length === 0)
        throw new Problem('invalid', 'authorization/nothing-allowed', {
          says: 'nothing was ticked, so there is nothing to allow',
          fix: 'tick what it may do, or choose "Do not allow"',
        });
      const grant = new kit.provider.Grant({ accountId: member.member, clientId: asked.client.id });
      for (const resource of asked.resources) {
        grant.addResourceScope(resource, given.join(' '));
        // What is not given must be refused aloud, or the library asks again and loses its way.
        if (refused.length > 0) grant.rejectResourceScope(resource, refused.join(' '));
      }
      unit.clientName = asked.client.name?.slice(0, 200);
      const grantId = await grant.save();
      const document = kit.documents.seen(asked.client.id);
      if (document !== undefined)
        await unit.write((tx) => saveDocument(tx, asked.client.id, document, kit.world.now()));
      unit.tell({
        parent: member.parent,
        org: member.org,
        actor,
        event: event(authorizationEvents, 'authorization.consent_given', {
          member: member.member,
          client: asked.client.id,
          grant: grantId,
          resources: asked.resources,
          scopes: given,
          refused,
        }),
      });
      return kit.provider.interactionResult(req, res, {
        login: { accountId: member.member, remember: false },
        consent: { grantId },
        select_account: {},
        create: {},
      });
    },
    () => true,
    newId('req'),
  );
  return new Response(null, { status: 303, headers: { location: next, 'cache-control': 'no-store' } });
}
