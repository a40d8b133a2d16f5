import { html, type Html } from '#kernel/html.ts';
import type { Problem } from '#kernel/problem.ts';
import { atUtc, type Task } from './link.ts';
import type { Looked, MadeDirectory } from './look-at-visit.ts';
import { liveTokens } from './make-setup-token.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { ourValues, type Paste, type Provider } from './providers.ts';
import { atTheirSide, inTitle, standing, standingOf, value, visitPage } from './view.ts';

/** The page on which people and groups are connected. `fresh`: the token that was just made, which no other page shows. */
export function directoryPage(
  visit: Visit,
  p: {
    provider: Provider;
    looked: Looked;
    tasks: readonly Task[];
    fresh?: { token: string; expires: Date };
    problem?: Problem | undefined;
  },
): Response {
  const { token, orgName, ctx, link } = visit;
  const { directory } = p.looked;
  const { scim } = p.provider;
  const shown = (body: Html): Response =>
    visitPage(visit, {
      at: 'directory',
      title: `People and groups from ${inTitle(p.provider)}`,
      tasks: p.tasks,
      problem: p.problem,
      body,
    });
  if ('none' in scim)
    return shown(html`<p>${scim.none}</p>
      <section class="box"><h2>Instead</h2><p>${scim.instead}</p></section>
      <div class="do"><a class="btn" href="/idp-setup/${token}">Back</a></div>`);
  const { scim_url } = ourValues({ origin: ctx.origin, org: link.org, directory: directory?.id });
  const of = (f: Paste): Html => {
    if ('text' in f) return value(f.text);
    if (f.ours === 'scim_url') return scim_url === undefined ? html`made with the token, below` : value(scim_url);
    if (f.ours === 'scim_token')
      return p.fresh
        ? value(p.fresh.token)
        : html`shown one time, when it is made${directory && html`; make another below if it was lost`}`;
    return html`on the page Sign-in`;
  };
  return shown(html`<p>Over SCIM 2.0. Your identity provider tells ${orgName} about people it gives the application to; when they leave, their access here ends within seconds.</p>
    ${p.fresh ? freshBox(p.fresh) : !directory && makeForm('Make address and token', true)}
    ${atTheirSide(p.provider, scim, of, 'What it has to send about a person')} ${directory && made(directory)}`);

  function freshBox(f: { token: string; expires: Date }): Html {
    return html`<section class="box warn">
      <h2>Copy the token now: it is shown this one time</h2>
      ${value(f.token)}
      <p>It works until ${atUtc(f.expires)}. Whoever has it can add, change and suspend people here: paste it there and keep no copy.</p>
    </section>`;
  }

  function makeForm(words: string, act: boolean): Html {
    return html`<form method="post" action="/idp-setup/${token}/directory"><div class="do"><button class="btn ${act && 'act'}">${words}</button></div></form>`;
  }

  function made(d: MadeDirectory): Html {
    const live = liveTokens(d.tokens, ctx.now);
    return html`<section class="box">
        <h2>How it stands</h2>
        <dl class="facts">
          <dt>State</dt><dd>${standing(standingOf('directory', p.looked, p.provider))}</dd>
          <dt>Arrived</dt><dd>${d.users} ${d.users === 1 ? 'person' : 'people'}, ${d.groups} ${d.groups === 1 ? 'group' : 'groups'}</dd>
        </dl>
        ${d.state === 'paused' && html`<p>${orgName} has paused this directory: what is sent is kept and not applied.</p>`}
      </section>
      <section class="box">
        <h2>Tokens that work</h2>
        ${live.length === 0 && html`<p>None. Requests are refused until there is one.</p>`}
        <ul class="rows">
          ${live.map(
            (t) => html`<li>
              <div><code>${t.id}</code><p>${t.lastUsed ? `last used ${atUtc(t.lastUsed)}` : 'never used'}; until ${atUtc(t.expires)}</p></div>
              <form method="post" action="/idp-setup/${token}/directory/tokens/${t.id}/end"><button class="btn">End it</button></form>
            </li>`,
          )}
        </ul>
        <p class="apart">To change the token without a gap: make another, paste it there, see it used here, then end the old one.</p>
        ${makeForm('Make another token', false)}
      </section>
      <div class="do"><a class="btn" href="/idp-setup/${token}/seen">See what has arrived</a></div>`;
  }
}
