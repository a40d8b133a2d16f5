import type { Context } from 'hono';
import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { html, mark, render, type Html } from '#kernel/html.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { lookupOnlyParent, lookupOrgParent } from '#org/org.sql.ts';
import {
  BROWSER_COOKIE,
  clearCookie,
  newSecret,
  readCookie,
  SESSION_COOKIE,
  sessionCookie,
  setCookie,
} from './cookies.ts';
import { emailForm, orgForm } from './email-form.ts';
import { endSession } from './end-session.ts';
import { findSamlConnection } from './saml/connection.sql.ts';
import type { Sent } from './saml/message.ts';
import { formActions, sentForm } from './saml/sent-form.ts';
import { startSamlLogout } from './saml/start-saml-logout.ts';
import { startSamlSignIn } from './saml/start-saml-sign-in.ts';
import { finishSignIn } from './finish-sign-in.ts';
import type { Browser } from './open-session.ts';
import { returnPath } from './return-path.ts';
import { ATTEMPT_MS, startSignIn } from './start-sign-in.ts';
import { noSuchConnection, type WayIn } from './sso-connection.ts';
import { listWaysIn, lookupConnectionParent } from './sso-connection.sql.ts';
import type { Intent } from './sign-in-attempt.sql.ts';
import { openSetupLink, useSetupLink } from './use-setup-link.ts';

/** Connections that the sign-in page offers; whoever has more gives people the address of one. */
const MAX_CHOICES = 20;

export const goTo = (where: string, cookies: readonly string[] = []): Response => {
  const headers = new Headers({ location: where, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  for (const c of cookies) headers.append('set-cookie', c);
  return new Response(null, { status: 303, headers });
};

const browserOf = (c: Context): Browser => ({
  userAgent: c.req.header('user-agent'),
  session: readCookie(c.req.header('cookie'), SESSION_COOKIE),
});

const connectionId = (text: string): Id<'sso'> => {
  const id = parseId('sso', text);
  if (!id) throw noSuchConnection();
  return id;
};
const ConnectionPath = z.object({ connection: z.string().transform(connectionId) });
/** How many seconds ago the person may have proved who they are at the identity provider; 0 asks for a proof of now (step-up). */
const MaxAge = z.coerce.number().int().min(0).max(86_400).optional();
const ReturnTo = z.string().optional().transform(returnPath);

/** Begins a sign-in for a browser. The cookie that ties it to the attempt is kept if it is there, so that two tabs can sign in side by side. */
export async function begin(
  ctx: Ctx,
  c: Context,
  id: Id<'sso'>,
  a: { returnTo: string; intent: Intent; maxAge?: number | null; loginHint?: string | undefined },
): Promise<{ sent: Sent; cookie: string }> {
  const browser = readCookie(c.req.header('cookie'), BROWSER_COOKIE) ?? newSecret();
  const saml = await ctx.db.read({ parent: ctx.parent }, (db) => findSamlConnection(db, id));
  const sent: Sent = saml
    ? await startSamlSignIn(ctx, saml, { ...a, browser })
    : { by: 'redirect', url: await startSignIn(ctx, id, { ...a, browser }) };
  return { sent, cookie: setCookie(BROWSER_COOKIE, browser, ATTEMPT_MS / 1000) };
}

/** The button that takes a browser on: a link, or a form with what it carries. */
const onward = (sent: Sent): Html =>
  sent.by === 'redirect'
    ? html`<div class="do"><a class="btn act" href="${sent.url.href}">Continue at ${sent.url.host}</a><a class="btn" href="/">Back</a></div>`
    : sentForm(sent, `Continue at ${sent.url.host}`, html`<a class="btn" href="/">Back</a>`);

/** A page with that button: browsers hold a form's whole chain of redirects to this page's form-action, so a redirect would not do after one. */
export const onwardPage = (sent: Sent, words: { title: string; says: string }): Response =>
  render({
    title: words.title,
    ...(sent.by === 'post' ? { formAction: formActions(sent) } : {}),
    body: html`${mark.open}
      <h1>${words.title}</h1>
      <p>${words.says}</p>
      ${onward(sent)}`,
  });

/** INVARIANT (no names to strangers): connections are shown for the only parent of a deployment, or to who names an organization by its id. */
async function parentAtTheDoor(
  ctx: Ctx,
  q: { org?: string | undefined; parent?: string | undefined },
): Promise<Id<'par'> | undefined> {
  const org = parseId('org', q.org?.trim() ?? '');
  if (q.org !== undefined) return (org && (await ctx.db.lookup(lookupOrgParent(org)))?.parent) ?? undefined;
  if (q.parent !== undefined) return parseId('par', q.parent.trim());
  return (await ctx.db.lookup(lookupOnlyParent()))?.parent ?? undefined;
}

const choices = (connections: readonly WayIn[], returnTo: string, maxAge: number | undefined): Html => html`
  ${mark.open}
  <h1>Sign in</h1>
  <p>Your organization’s identity provider says who you are. Gatehouse has no passwords.</p>
  <div class="do">
    ${connections.map(
      (c) =>
        html`<a class="btn act" href="/sign-in/start/${c.id}?return_to=${encodeURIComponent(returnTo)}${maxAge === undefined ? '' : `&max_age=${maxAge}`}">Sign in with ${c.name}</a>`,
    )}
    <a class="btn" href="/sign-in/passkey?return_to=${encodeURIComponent(returnTo)}">Use a passkey</a>
  </div>
  <p>Or let your e-mail lead the way.</p>
  ${emailForm(returnTo)}
`;

const whichOrg = (asked: string | undefined, returnTo: string): Html => html`
  ${mark.open}
  <h1>Sign in</h1>
  ${
    asked === undefined
      ? html`<p>Say which organization you belong to. Its id is in the address that its owner gave you.</p>`
      : html`<p>There is no way to sign in for ${asked}. Compare the id with the one that its owner gave you.</p>`
  }
  ${orgForm(returnTo)}
  <p>Or give your e-mail; its domain may lead the way.</p>
  ${emailForm(returnTo)}
`;

const nothingConnected: Html = html`
  ${mark.open}
  <h1>No identity provider is connected yet</h1>
  <p>The first owner signs in with the set-up link that the server printed when it started, and connects one.</p>
  <p class="note">The link works once and for 24 hours. Whoever runs this deployment can make another on its machine.</p>
`;

/** Pages of signing in, at the root of the server. */
export const signInPages: readonly Operation[] = [
  page({
    id: 'identity.sign_in_page',
    at: 'GET /sign-in',
    can: 'public',
    says: 'Shows the ways to sign in.',
    query: z.object({
      return_to: ReturnTo,
      max_age: MaxAge,
      org: z.string().max(100).optional(),
      parent: z.string().max(100).optional(),
    }),
    async handle(ctx, { query }) {
      const parent = await parentAtTheDoor(ctx, query);
      const connections = parent ? await ctx.db.read({ parent }, (db) => listWaysIn(db, MAX_CHOICES)) : [];
      const asked = query.org ?? query.parent;
      const body =
        connections.length > 0
          ? choices(connections.slice(0, MAX_CHOICES), query.return_to, query.max_age)
          : parent && asked === undefined
            ? nothingConnected
            : whichOrg(asked, query.return_to);
      return render({ title: 'Sign in', body });
    },
  }),
  page({
    id: 'identity.start_sign_in',
    at: 'GET /sign-in/start/:connection',
    can: 'public',
    says: 'Sends the browser to an identity provider.',
    params: ConnectionPath,
    query: z.object({ return_to: ReturnTo, max_age: MaxAge, login_hint: z.string().max(254).optional() }),
    async handle(ctx, { params, query }, c) {
      const parent = (await ctx.db.lookup(lookupConnectionParent(params.connection)))?.parent;
      if (!parent) throw noSuchConnection();
      const { sent, cookie } = await begin({ ...ctx, parent, org: undefined }, c, params.connection, {
        returnTo: query.return_to,
        intent: { kind: 'sign_in' },
        maxAge: query.max_age ?? null,
        loginHint: query.login_hint,
      });
      if (sent.by === 'redirect') return goTo(sent.url.href, [cookie]);
      const response = onwardPage(sent, {
        title: `Sign in at ${sent.url.host}`,
        says: 'Your organization’s identity provider says who you are.',
      });
      response.headers.append('set-cookie', cookie);
      return response;
    },
  }),
  page({
    id: 'identity.start_link',
    at: 'POST /me/link/:connection',
    can: 'signed_in',
    says: 'Begins to link a further identity to whoever is signed in; the page leads to the identity provider.',
    params: ConnectionPath,
    async handle(ctx, { params }, c) {
      if (ctx.actor.kind !== 'user')
        throw new Problem('bug', 'identity/no-user', { says: 'a page was opened for nobody' });
      const { id: user, session } = ctx.actor;
      const { sent, cookie } = await begin(ctx, c, params.connection, {
        returnTo: '/',
        intent: { kind: 'link', user, session },
      });
      const response = onwardPage(sent, {
        title: 'Link an identity',
        says: 'Sign in there as yourself. From then on that identity signs you in here.',
      });
      response.headers.append('set-cookie', cookie);
      return response;
    },
  }),
  page({
    id: 'identity.finish_sign_in',
    at: 'GET /sign-in/callback',
    can: 'public',
    says: 'Takes the browser back from an identity provider.',
    async handle(ctx, _input, c) {
      const finished = await finishSignIn(ctx, {
        query: new URL(c.req.url).searchParams,
        browser: readCookie(c.req.header('cookie'), BROWSER_COOKIE),
        ...browserOf(c),
      });
      return goTo(finished.returnTo, finished.kind === 'signed_in' ? [sessionCookie(finished.cookie)] : []);
    },
  }),
  page({
    id: 'identity.setup_page',
    at: 'GET /setup/:token',
    can: 'public',
    says: 'Shows what a set-up link does, without using it up.',
    params: z.object({ token: z.string() }),
    async handle(ctx, { params }) {
      const { user, link } = await openSetupLink(ctx, params.token);
      return render({
        title: 'Set up',
        body: html`${mark.open}
          <h1>Sign in as ${user.displayName}</h1>
          <p>This link works once, until ${link.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC. After that you sign in through the identity provider that you connect.</p>
          <form method="post" action="/setup/${params.token}"><div class="do"><button class="btn act">Sign in as ${user.email}</button></div></form>`,
      });
    },
  }),
  page({
    id: 'identity.use_setup_link',
    at: 'POST /setup/:token',
    can: 'public',
    says: 'Uses a set-up link up and signs its owner in.',
    params: z.object({ token: z.string() }),
    async handle(ctx, { params }, c) {
      const { cookie } = await useSetupLink(ctx, params.token, browserOf(c));
      return goTo('/', [sessionCookie(cookie)]);
    },
  }),
  page({
    id: 'identity.sign_out',
    at: 'POST /sign-out',
    can: 'public',
    says: 'Ends the session of this browser.',
    async handle(ctx) {
      if (ctx.actor.kind !== 'user') return goTo('/sign-in', [clearCookie(SESSION_COOKIE)]);
      const { id, session } = ctx.actor;
      await endSession(ctx, id, session, 'signed_out');
      const sent = await startSamlLogout(ctx, session);
      if (!sent) return goTo('/sign-in', [clearCookie(SESSION_COOKIE)]);
      const response = onwardPage(sent, {
        title: 'You are signed out here',
        says: `You may still be signed in at ${sent.url.host}, and with it elsewhere. Sign out there, too, if others use this browser.`,
      });
      response.headers.append('set-cookie', clearCookie(SESSION_COOKIE));
      return response;
    },
  }),
];
