import { html, type Html } from '#kernel/html.ts';
import { atUtc, type Task } from './link.ts';
import type { Looked, ShownAttempt } from './look-at-visit.ts';
import type { Visit } from './open-idp-setup-link.ts';
import type { SeenEntry } from './seen.sql.ts';
import { visitPage } from './view.ts';

/** While it is watched, the page comes again by itself. */
export const WATCH_SECONDS = 5;
/** So often: five minutes, then somebody has gone home. */
export const WATCH_TIMES = 60;

const attempt = (a: ShownAttempt): Html => html`
  <li>
    <div>
      <strong>${a.ok ? 'Signed in' : 'Refused'}</strong>, ${atUtc(a.at)}
      ${!a.ok && html`<p>${a.says}</p>`}
      ${
        (a.found !== undefined || a.expected !== undefined) &&
        html`<dl class="facts">
          ${a.found !== undefined && html`<dt>Found</dt><dd><code>${a.found}</code></dd>`}
          ${a.expected !== undefined && html`<dt>Expected</dt><dd><code>${a.expected}</code></dd>`}
        </dl>`
      }
      <p class="note"><code>${a.ok ? '' : `${a.outcome} `}${a.id}</code></p>
    </div>
  </li>
`;

const entry = (e: SeenEntry): Html => html`
  <li>
    <div>
      <code>${e.method} ${e.path.slice(0, 120)}</code> ${e.status}, ${atUtc(e.at)}
      ${e.problem !== null && html`<p>${e.problem.says}${e.problem.fix !== null && html`; ${e.problem.fix}`}</p><p class="note"><code>${e.problem.code}</code></p>`}
    </div>
  </li>
`;

/** What has arrived from the identity provider so far. `left`: how often the page still comes again by itself. */
export function seenPage(visit: Visit, p: { looked: Looked; tasks: readonly Task[]; left: number }): Response {
  const { token, ctx } = visit;
  const { looked } = p;
  const here = `/idp-setup/${token}/seen`;
  const page = visitPage(visit, {
    at: 'seen',
    title: 'What has arrived',
    tasks: p.tasks,
    body: html`<p role="status">As of ${ctx.now.toISOString().slice(11, 19)} UTC. ${
      p.left > 0
        ? `This page looks again every ${WATCH_SECONDS} seconds.`
        : 'Look again after you have tried something there.'
    }</p>
      <div class="do">
        ${
          p.left > 0
            ? html`<a class="btn" href="${here}">Stop looking</a>`
            : html`<a class="btn act" href="${here}">Look again</a><a class="btn" href="${here}?watch=${WATCH_TIMES}">Keep looking for 5 minutes</a>`
        }
      </div>
      ${p.tasks.includes('sign_in') && signIn()} ${p.tasks.includes('directory') && people()}`,
  });
  if (p.left > 0) page.headers.set('refresh', `${WATCH_SECONDS}; url=${here}?watch=${p.left - 1}`);
  return page;

  function signIn(): Html {
    const { connection, attempts, underWay } = looked;
    return html`<section class="box">
      <h2>Sign-in</h2>
      ${!connection && html`<p>Not connected yet.</p>`}
      ${
        connection?.state === 'disabled' &&
        html`<p>Connected, and switched off: ordinary sign-ins do not begin before an owner switches it on.</p>`
      }
      ${
        underWay.n > 0 &&
        underWay.last !== null &&
        html`<p>${underWay.n} ${underWay.n === 1 ? 'browser was' : 'browsers were'} sent to your identity provider and ${underWay.n === 1 ? 'is' : 'are'} not back, the last at ${atUtc(underWay.last)}. If it shows an error there, compare the redirect address letter by letter.</p>`
      }
      ${connection && attempts.length === 0 && html`<p>No answer from your identity provider has arrived yet.</p>`}
      <ul class="rows">${attempts.map(attempt)}</ul>
    </section>`;
  }

  function people(): Html {
    const d = looked.directory;
    return html`<section class="box">
      <h2>People and groups</h2>
      ${!d && html`<p>There is no address yet.</p>`}
      ${
        d &&
        (d.lastUsed
          ? html`<p>We have seen your request: the last one in the minute of ${atUtc(d.lastUsed)}. ${d.users} ${d.users === 1 ? 'person' : 'people'} and ${d.groups} ${d.groups === 1 ? 'group' : 'groups'} so far.</p>`
          : html`<p>No request with a token of this directory has arrived. One with a wrong token does not count: it cannot be told from a stranger’s.</p>`)
      }
      ${d && d.entries.length > 0 && html`<p class="apart">The last changes and refusals:</p>`}
      <ul class="rows">${d && d.entries.map(entry)}</ul>
    </section>`;
  }
}
