import { z } from 'zod';
import { html, type Html } from '#kernel/html.ts';
import { returnPath } from './return-path.ts';

/** What the form below sends. */
export const EmailForm = z.object({
  email: z
    .string()
    .trim()
    .min(3)
    .max(254)
    .transform((t) => t.toWellFormed().replace(/\p{Cc}/gu, '')),
  return_to: z.string().optional().transform(returnPath),
});

/** Asks for an address: its domain leads to an identity provider, or a link is mailed to it. */
export const emailForm = (returnTo: string): Html => html`
  <form method="post" action="/sign-in/home">
    <input type="hidden" name="return_to" value="${returnTo}" />
    <label for="email">Your e-mail</label>
    <input type="email" id="email" name="email" required maxlength="254" autocomplete="username" />
    <div class="do">
      <button class="btn">Find my way in</button>
      <button class="btn" formaction="/sign-in/mail">Mail me a link</button>
    </div>
  </form>
`;

/** Asks for the organization's id, which leads to all of its ways in. */
export const orgForm = (returnTo: string): Html => html`
  <form method="get" action="/sign-in">
    <input type="hidden" name="return_to" value="${returnTo}" />
    <label for="org">Organization</label>
    <input type="text" id="org" name="org" required autocomplete="organization" placeholder="org_…" />
    <div class="do"><button class="btn act">Show how to sign in</button></div>
  </form>
`;
