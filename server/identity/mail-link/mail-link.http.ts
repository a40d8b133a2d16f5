import { z } from 'zod';
import { html, mark, render } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { BROWSER_COOKIE, newSecret, readCookie, SESSION_COOKIE, sessionCookie, setCookie } from '../cookies.ts';
import { EmailForm } from '../email-form.ts';
import { goTo } from '../sign-in.http.ts';
import { askMailLink } from './ask-mail-link.ts';
import { MAIL_LINK_MS, MAX_PER_ADDRESS } from './mail-link.ts';
import { openMailLink, useMailLink } from './use-mail-link.ts';

const Token = z.object({ token: z.string().max(200) });

/** Pages of signing in by a link in a mail. */
export const mailLinkPages: readonly Operation[] = [
  page({
    id: 'identity.ask_mail_link',
    at: 'POST /sign-in/mail',
    can: 'public',
    says: 'Mails a sign-in link to an address, if an account of it may sign in so; the answer is the same for every address.',
    body: EmailForm,
    accepts: ['application/x-www-form-urlencoded'],
    maxBody: 8192,
    async handle(ctx, { body }, c) {
      const browser = readCookie(c.req.header('cookie'), BROWSER_COOKIE) ?? newSecret();
      const trace = await askMailLink(ctx, { email: body.email, browser, returnTo: body.return_to });
      const response = render({
        title: 'Look into your mail',
        body: html`${mark.open}
          <h1>Look into your mail</h1>
          <p>If there is an account of this address, and its organization lets people sign in by mail, a link is on its way. It works once, for 15 minutes, and in this browser only.</p>
          <section class="box">
            <h2>If no mail comes</h2>
            <p>Whoever manages sign-in in your organization can see with this number why:</p>
            <code class="id">${trace}</code>
          </section>
          <p class="note">One address gets at most ${MAX_PER_ADDRESS} links an hour.</p>
          <div class="do"><a class="btn" href="/sign-in?return_to=${encodeURIComponent(body.return_to)}">Other ways</a></div>`,
      });
      // The mail may wait in a queue before its 15 minutes begin.
      response.headers.append('set-cookie', setCookie(BROWSER_COOKIE, browser, (2 * MAIL_LINK_MS) / 1000));
      return response;
    },
  }),
  page({
    id: 'identity.mail_link_page',
    at: 'GET /sign-in/mail/:token',
    can: 'public',
    says: 'Shows what a mailed link does, without using it up.',
    params: Token,
    async handle(ctx, { params }, c) {
      await openMailLink(ctx, params.token, readCookie(c.req.header('cookie'), BROWSER_COOKIE));
      return render({
        title: 'Sign in by mail',
        body: html`${mark.open}
          <h1>Sign in by mail</h1>
          <p>This link was mailed to you because this browser asked for it. It works once.</p>
          <form method="post" action="/sign-in/mail/${params.token}"><div class="do"><button class="btn act">Sign in</button></div></form>`,
      });
    },
  }),
  page({
    id: 'identity.use_mail_link',
    at: 'POST /sign-in/mail/:token',
    can: 'public',
    says: 'Uses a mailed link up and signs its owner in.',
    params: Token,
    async handle(ctx, { params }, c) {
      const cookies = c.req.header('cookie');
      const { cookie, returnTo } = await useMailLink(ctx, params.token, {
        userAgent: c.req.header('user-agent'),
        session: readCookie(cookies, SESSION_COOKIE),
        browser: readCookie(cookies, BROWSER_COOKIE),
      });
      return goTo(returnTo, [sessionCookie(cookie)]);
    },
  }),
];
