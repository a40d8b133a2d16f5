import { domainOfEmail } from '#domains/domain-name.ts';
import { connectionHintFor } from '#domains/home.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { html, mark, render } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { EmailForm, orgForm } from './email-form.ts';
import type { WayIn } from './sso-connection.ts';
import { listWaysIn } from './sso-connection.sql.ts';

/** The ways in of whoever proved the domain of an address. Two are enough to know that there is a choice. */
async function waysOf(ctx: Ctx, email: string): Promise<WayIn[]> {
  const hint = await connectionHintFor(ctx.db, email);
  return hint ? ctx.db.read({ parent: hint.parent }, (db) => listWaysIn(db, 2)) : [];
}

/** Home-realm discovery. INVARIANT (the domain alone): what this says is the same for every address of a domain, account or not. */
export const homePages: readonly Operation[] = [
  page({
    id: 'identity.find_home',
    at: 'POST /sign-in/home',
    can: 'public',
    says: 'Leads an e-mail address to the identity provider of its domain, or says where to go.',
    body: EmailForm,
    accepts: ['application/x-www-form-urlencoded'],
    maxBody: 8192,
    async handle(ctx, { body: { email, return_to: returnTo } }) {
      const domain = domainOfEmail(email) ?? 'this domain';
      const [only, ...more] = await waysOf(ctx, email);
      if (only && more.length === 0) {
        const start = `/sign-in/start/${only.id}?return_to=${encodeURIComponent(returnTo)}&login_hint=${encodeURIComponent(email)}`;
        const response = render({
          title: 'Sign in',
          body: html`${mark.open}
            <h1>Sign in</h1>
            <p>People at ${domain} sign in with their identity provider. This page goes there by itself.</p>
            <div class="do"><a class="btn act" href="${start}">Continue</a><a class="btn" href="/sign-in">Back</a></div>`,
        });
        // Not a redirect: browsers hold a form's whole chain of redirects to the form-action of the page that it was on.
        response.headers.set('refresh', `0; url=${start}`);
        return response;
      }
      return render({
        title: 'Sign in',
        body: html`${mark.open}
          <h1>Say which organization</h1>
          <p>${
            only
              ? html`There are several ways to sign in for people at ${domain}.`
              : html`We know of no identity provider for ${domain}.`
          } Name your organization; its id is in the address that its owner gave you. Or go back and have a link mailed to you, if your organization allows that.</p>
          ${orgForm(returnTo)}
          <p><a href="/sign-in?return_to=${encodeURIComponent(returnTo)}">Other ways</a></p>`,
      });
    },
  }),
];
