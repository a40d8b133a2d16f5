import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import { html, mark, render } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { foundOrg } from '#org/found-org.ts';
import { readCookie, SESSION_COOKIE, sessionCookie } from './cookies.ts';
import { createSetupLink } from './create-setup-link.ts';
import { admitFounding } from './founding.ts';
import { useSetupLink } from './use-setup-link.ts';

const Token = z.object({ token: z.string().max(100) });
const line = (most: number): z.ZodString =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters');

/** The pages behind the link that an empty deployment prints. */
export const foundingPages: readonly Operation[] = [
  page({
    id: 'identity.founding_page',
    at: 'GET /found/:token',
    can: 'public',
    says: 'Asks the first owner for the name of the organization.',
    params: Token,
    async handle(ctx, { params }) {
      await admitFounding(ctx, params.token);
      return render({
        title: 'Begin',
        body: html`${mark.open}<h1>Nobody is here yet. You are the first</h1>
<p>Name your organization and yourself. You become its primary owner; everything else can be changed later, and every step of it is in the log from now on.</p>
<form method="post" action="/found/${params.token}"><section class="box">
<label for="org">Organization</label><input id="org" name="org" type="text" required maxlength="100" autocomplete="organization">
<label for="name">Your name</label><input id="name" name="name" type="text" required maxlength="100" autocomplete="name">
<label for="email">Your e-mail</label><input id="email" name="email" type="email" required maxlength="254" autocomplete="email">
<p class="note">The e-mail is for showing and for messages. It signs nobody in.</p></section>
<div class="do"><button class="btn act">Begin</button></div></form>`,
      });
    },
  }),
  page({
    id: 'identity.found',
    at: 'POST /found/:token',
    can: 'public',
    says: 'Founds the first organization and signs its primary owner in.',
    params: Token,
    accepts: ['application/x-www-form-urlencoded'],
    body: z.strictObject({ org: line(100), name: line(100), email: z.email().max(254) }),
    async handle(ctx, { params, body }, c) {
      await admitFounding(ctx, params.token);
      const world: World = { ...ctx, now: () => ctx.now };
      const founded = await foundOrg(world, {
        parentName: body.org,
        orgName: body.org,
        owner: { email: body.email, displayName: body.name },
        first: true,
      });
      const link = await createSetupLink({ ...ctx, parent: founded.parent }, founded.owner);
      const browser = {
        userAgent: c.req.header('user-agent'),
        session: readCookie(c.req.header('cookie'), SESSION_COOKIE),
      };
      const { cookie } = await useSetupLink(ctx, link.url.slice(link.url.lastIndexOf('/') + 1), browser);
      return new Response(null, {
        status: 303,
        headers: {
          location: '/',
          'cache-control': 'no-store',
          'set-cookie': sessionCookie(cookie),
        },
      });
    },
  }),
];
