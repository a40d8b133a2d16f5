import { z } from 'zod';
import { heading, html, mark, render, sentence, type Html } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { begin, onwardPage } from '../sign-in.http.ts';
import { openTest, resultOf } from './begin-test.ts';
import type { TestResult } from './close-test.ts';
import { refusedAt } from './explain-sign-in.ts';

const TokenPath = z.object({ token: z.string().max(100) });

const facts = (all: readonly { name: string; value: string }[]): Html => html`
  <dl class="facts">
    ${all.map((f) => html`<dt>${f.name}</dt><dd><code>${f.value}</code></dd>`)}
  </dl>
`;

const shownResult = (r: TestResult, token: string): Html => {
  const refused = refusedAt(r.stages);
  const again = html`<form method="post" action="/sign-in/test/${token}"><div class="do"><button class="btn">Test again</button></div></form>`;
  return html`
    ${refused ? mark.refused : mark.open}
    <h1>${refused ? heading(refused.says) : 'A real sign-in would succeed'}</h1>
    <p>${refused ? sentence(refused.repair) : 'This was a test: nobody was signed in, nothing was linked and nothing was changed.'}</p>
    <section class="box">
      <h2>As received</h2>
      ${r.received.length === 0 ? html`<p>Nothing could be believed.</p>` : facts(r.received.map((c) => ({ name: c.name, value: c.values.join(', ') })))}
    </section>
    <section class="box">
      <h2>As mapped</h2>
      ${r.mapped.length === 0 ? html`<p>Nothing could be mapped.</p>` : facts(r.mapped)}
    </section>
    <section class="box">
      <h2>Stage by stage</h2>
      <dl class="facts">
        ${r.stages.map((s) => html`<dt>${s.stage}</dt><dd>${s.ok ? (s.found ?? 'fine') : `${s.says}; found ${s.found ?? 'nothing'}${s.expected === undefined ? '' : `, expected ${s.expected}`}`}</dd>`)}
      </dl>
    </section>
    ${again}
  `;
};

/** The pages of a dry sign-in, for whoever has its address; no account here is needed. */
export const testPages: readonly Operation[] = [
  page({
    id: 'identity.test_page',
    at: 'GET /sign-in/test/:token',
    can: 'public',
    says: 'Says what a test of a connection does, or shows its result.',
    params: TokenPath,
    async handle(anybody, { params }) {
      const { ctx, test } = await openTest(anybody, params.token);
      const result = await resultOf(ctx, test);
      return render({
        title: 'Test the connection',
        body: result
          ? shownResult(result, params.token)
          : html`${mark.open}
              <h1>Test the connection</h1>
              <p>You sign in at the identity provider, and then see what it said of you and what would happen. Nobody is signed in here by it.</p>
              <form method="post" action="/sign-in/test/${params.token}"><div class="do"><button class="btn act">Begin the test</button></div></form>`,
      });
    },
  }),
  page({
    id: 'identity.begin_test',
    at: 'POST /sign-in/test/:token',
    can: 'public',
    says: 'Sends the browser to the identity provider for a dry sign-in.',
    params: TokenPath,
    async handle(anybody, { params }, c) {
      const { ctx, test } = await openTest(anybody, params.token);
      const { sent, cookie } = await begin({ ...ctx, org: undefined }, c, test.connection, {
        returnTo: `/sign-in/test/${params.token}`,
        intent: { kind: 'test', test: test.id, org: ctx.org },
      });
      const response = onwardPage(sent, {
        title: 'Test the connection',
        says: 'Sign in there; afterwards you see here what came of it.',
      });
      response.headers.append('set-cookie', cookie);
      return response;
    },
  }),
];
