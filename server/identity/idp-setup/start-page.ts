import { html, type Html } from '#kernel/html.ts';
import type { Problem } from '#kernel/problem.ts';
import { protocolName } from './choose-provider.ts';
import type { Protocol, Task } from './link.ts';
import { atUtc } from './link.ts';
import type { Looked } from './look-at-visit.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { findProvider, providers } from './providers.ts';
import { inTitle, standing, standingOf, taskName, taskPath, visitPage } from './view.ts';

const about: Record<Task, (org: string) => string> = {
  domain: (org) => `Proves by a DNS record that your e-mail domain is yours, so that its people are led to ${org}.`,
  sign_in: (org) => `Your people sign in to ${org} with your identity provider; there are no passwords here.`,
  directory: (org) => `Your identity provider tells ${org} who is there, in which groups, and who has left.`,
};

/** The first page of a link: what it is for, which identity provider, how far it is. */
export function startPage(
  visit: Visit,
  p: { looked: Looked; tasks: readonly Task[]; protocols: readonly Protocol[]; problem?: Problem | undefined },
): Response {
  const { link, token, orgName, by } = visit;
  const provider = findProvider(link.provider);
  const ready = provider !== undefined && (link.protocol !== null || !p.tasks.includes('sign_in'));
  return visitPage(visit, {
    at: 'start',
    title: `Connect ${inTitle(provider)} with ${orgName}`,
    tasks: p.tasks,
    problem: p.problem,
    body: html`<p>${by} asks you to do this as the one who runs the identity provider. You need no account here. The link works until ${atUtc(link.expiresAt)}; you can stop and come back.</p>
      ${ready && steps()} ${chooser(ready)}`,
  });

  function steps(): Html {
    return html`<section class="box">
      <h2>What is to be done</h2>
      <ol class="tasks">
        ${p.tasks.map(
          (t) => html`<li>
            <a href="/idp-setup/${token}/${taskPath[t]}">${taskName[t]}</a>
            ${standing(standingOf(t, p.looked, provider))}
            <p>${about[t](orgName)}</p>
          </li>`,
        )}
      </ol>
    </section>`;
  }

  function chooser(chosen: boolean): Html {
    return html`<form method="post" action="/idp-setup/${token}/provider">
      <section class="box">
        <h2>${chosen ? 'Your choice' : 'Which identity provider is it?'}</h2>
        <label for="provider">Identity provider</label>
        <select id="provider" name="provider" required>
          ${!provider && html`<option value="">Choose…</option>`}
          ${providers.map(
            (o) => html`<option value="${o.id}" ${o.id === link.provider && html`selected`}>${o.name}</option>`,
          )}
        </select>
        ${
          p.tasks.includes('sign_in') &&
          html`<fieldset>
            <legend>Sign-in over</legend>
            ${p.protocols.map(
              (o, i) =>
                html`<label class="choice"><input type="radio" name="protocol" value="${o}" ${(link.protocol === o || (link.protocol === null && i === 0)) && html`checked`} required />
                  <span>${protocolName[o]}${o === 'oidc' ? ', the simpler one' : ', where you need it, or groups from Google Workspace'}</span></label>`,
            )}
          </fieldset>`
        }
      </section>
      <div class="do"><button class="btn ${chosen ? '' : 'act'}">${chosen ? 'Change the choice' : 'Show the steps'}</button></div>
    </form>`;
  }
}
