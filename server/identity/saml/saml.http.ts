import { z } from 'zod';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { html, mark, render } from '#kernel/html.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { KiB } from '#kernel/limits.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { BROWSER_COOKIE, readCookie, SESSION_COOKIE, sessionCookie } from '../cookies.ts';
import { unknownAttempt } from '../finish-sign-in.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { acsUrl, entityId, logoutUrl } from './connection.ts';
import { finishSamlSignIn } from './finish-saml-sign-in.ts';
import { cameByRedirect, type Came } from './logout-message.ts';
import type { Sent } from './message.ts';
import { ourMetadata } from './metadata.ts';
import { receiveLogout, type LoggedOut } from './receive-logout.ts';
import { receiveResponse } from './receive-response.ts';
import { formActions, sentForm } from './sent-form.ts';
import { listOurKeys } from './state.sql.ts';

const OrgPath = z.object({
  org: z.string().transform((text): Id<'org'> => {
    const org = parseId('org', text);
    if (!org) throw noSuchConnection();
    return org;
  }),
});
const FORM = ['application/x-www-form-urlencoded'] as const;
/** A message of 350 KiB in base64, spelt for a form. */
const MAX_FORM_BYTES = 512 * KiB;
const Message = z.string().max(MAX_FORM_BYTES);
const RelayState = z.string().max(4000).optional();

const onward = (where: string, cookies: readonly string[] = []): Response => {
  const headers = new Headers({ location: where, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  for (const c of cookies) headers.append('set-cookie', c);
  return new Response(null, { status: 303, headers });
};

/** The end of a logout: an answer that the browser carries back, or a page. */
function loggedOut(done: LoggedOut): Response {
  const page = (says: string, sent?: Extract<Sent, { by: 'post' }>): Response =>
    render({
      title: 'Signed out',
      ...(sent ? { formAction: formActions(sent) } : {}),
      body: html`${mark.open}
        <h1>Signed out</h1>
        <p>${says}</p>
        ${sent && sentForm(sent, `Back to ${sent.url.host}`)}`,
    });
  if (done.kind === 'done')
    return page(
      done.status === 'Success'
        ? 'You are signed out here and at your identity provider.'
        : `You are signed out here. Your identity provider answered: ${done.status}.`,
    );
  if (!done.sent) return page('You are signed out here.');
  return done.sent.by === 'redirect' ? onward(done.sent.url.href) : page('You are signed out here.', done.sent);
}

const notALogout = (): Problem =>
  new Problem('invalid', 'identity/saml-logout-structure', {
    says: 'this address takes messages about signing out from identity providers, and none came',
    fix: 'begin at /sign-in',
  });

/** The SAML service provider of every organization, under `/saml`. Behind `nobodyGate`, because identity providers have browsers post here. */
export const samlPages: readonly Operation[] = [
  page({
    id: 'identity.saml_receive_response',
    at: 'POST /acs/:org',
    can: 'public',
    says: 'Takes a response of an identity provider from a browser (assertion consumer service).',
    params: OrgPath,
    accepts: FORM,
    maxBody: MAX_FORM_BYTES,
    body: z.object({ SAMLResponse: Message, RelayState }),
    async handle(ctx, { params, body }) {
      const onto = await receiveResponse(ctx, params.org, { message: body.SAMLResponse, relayState: body.RelayState });
      return onward(onto);
    },
  }),
  page({
    id: 'identity.saml_finish_sign_in',
    at: 'GET /finish/:id',
    can: 'public',
    says: 'Signs the browser in that began, once its identity provider has answered.',
    params: z.object({ id: z.string() }),
    async handle(ctx, { params }, c) {
      if (!/^_[0-9a-f]{40}$/.test(params.id)) throw unknownAttempt();
      const cookies = c.req.header('cookie');
      const finished = await finishSamlSignIn(ctx, {
        id: params.id,
        browser: readCookie(cookies, BROWSER_COOKIE),
        userAgent: c.req.header('user-agent'),
        session: readCookie(cookies, SESSION_COOKIE),
      });
      return onward(finished.returnTo, finished.kind === 'signed_in' ? [sessionCookie(finished.cookie)] : []);
    },
  }),
  page({
    id: 'identity.saml_metadata',
    at: 'GET /:org/metadata',
    can: 'public',
    says: 'Shows the metadata of an organization as a SAML service provider.',
    params: OrgPath,
    async handle(ctx, { params: { org } }) {
      const at = await insideOf(ctx, org);
      // The first key is made when somebody connects; until then metadata is without, so that strangers make none.
      const keys = await at.db.read({ parent: at.parent }, (db) => listOurKeys(db, org));
      const xml = ourMetadata({
        entityId: entityId(ctx.origin, org),
        acs: acsUrl(ctx.origin, org),
        logout: logoutUrl(ctx.origin, org),
        certificates: keys.map((k) => k.certificate.toString('base64')),
        signs: keys.length > 0,
      });
      return new Response(xml, {
        headers: {
          'content-type': 'application/samlmetadata+xml',
          'cache-control': 'public, max-age=300',
          'x-content-type-options': 'nosniff',
        },
      });
    },
  }),
  page({
    id: 'identity.saml_logout_by_redirect',
    at: 'GET /slo/:org',
    can: 'public',
    says: 'Takes a message about signing out from an identity provider, by redirect.',
    params: OrgPath,
    async handle(ctx, { params }, c) {
      const came = cameByRedirect(new URL(c.req.url).search);
      if (!came) throw notALogout();
      return loggedOut(await receiveLogout(ctx, params.org, came));
    },
  }),
  page({
    id: 'identity.saml_logout_by_post',
    at: 'POST /slo/:org',
    can: 'public',
    says: 'Takes a message about signing out from an identity provider, by POST.',
    params: OrgPath,
    accepts: FORM,
    maxBody: MAX_FORM_BYTES,
    body: z.object({ SAMLRequest: Message.optional(), SAMLResponse: Message.optional(), RelayState }),
    async handle(ctx, { params, body }) {
      const parameter = body.SAMLRequest === undefined ? 'SAMLResponse' : 'SAMLRequest';
      const message = body[parameter];
      if (message === undefined || (body.SAMLRequest !== undefined && body.SAMLResponse !== undefined))
        throw notALogout();
      const came: Came = { by: 'post', parameter, message, relayState: body.RelayState };
      return loggedOut(await receiveLogout(ctx, params.org, came));
    },
  }),
];

async function insideOf(ctx: Ctx, org: Id<'org'>): Promise<OrgCtx> {
  const parent = (await ctx.db.lookup(lookupOrgParent(org)))?.parent;
  if (!parent) throw noSuchConnection();
  return { ...ctx, parent, org };
}
