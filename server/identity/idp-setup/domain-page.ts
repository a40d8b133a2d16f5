import { html, sentence, type Html } from '#kernel/html.ts';
import type { Problem } from '#kernel/problem.ts';
import type { DomainCard } from './domain-desk.ts';
import type { Task } from './link.ts';
import type { Looked } from './look-at-visit.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { standing, value, visitPage, type Standing } from './view.ts';

const stands: Record<DomainCard['state'], Standing> = {
  pending: { is: 'open', says: 'not verified yet' },
  verified: { is: 'done', says: 'verified' },
  failing: { is: 'broken', says: 'the record is missing' },
  lapsed: { is: 'broken', says: 'lapsed' },
  conflict: { is: 'broken', says: 'verified by somebody else' },
};

/** The page on which domains are proved. */
export function domainPage(
  visit: Visit,
  p: { looked: Looked; tasks: readonly Task[]; problem?: Problem | undefined; entered?: string | undefined },
): Response {
  const { token, orgName } = visit;
  const { domains } = p.looked;
  return visitPage(visit, {
    at: 'domain',
    title: 'Prove your e-mail domain',
    tasks: p.tasks,
    problem: p.problem,
    body: html`<p>Set one TXT record where the DNS of your domain is kept. It has to stay: it is looked at every day, and you are told in time if it is gone.</p>
      ${domains.map(card)}
      <form method="post" action="/idp-setup/${token}/domain">
        <section class="box">
          <label for="domain">${domains.length === 0 ? 'Domain' : 'Another domain'}</label>
          <p class="note" id="domain-hint">The part of your e-mail addresses after the @, like <code>acme.example</code></p>
          <input id="domain" name="domain" type="text" value="${p.entered ?? ''}" required spellcheck="false" autocapitalize="off" autocomplete="off" aria-describedby="domain-hint" />
        </section>
        <div class="do"><button class="btn ${domains.length === 0 && 'act'}">Add the domain</button></div>
      </form>
      <p class="aside">Adding a domain changes nothing for anybody in ${orgName} before an owner says so.</p>`,
  });

  function card(d: DomainCard): Html {
    return html`<section class="box">
      <h2>${d.name}</h2>
      <dl class="paste">
        <dt>State</dt><dd>${standing(stands[d.state])}</dd>
        <dt>Type</dt><dd>${value(d.record.type)}</dd>
        <dt>Name</dt><dd>${value(d.record.host)}</dd>
        <dt>Value</dt><dd>${value(d.record.value)}</dd>
      </dl>
      <p class="apart">Some panels add <code>${d.name}</code> to the name by themselves: enter the name without it there. The record may also stand at <code>${d.record.orHost}</code>.</p>
      ${d.state !== 'verified' && html`<p class="apart">${d.says}${d.fix !== undefined && html` ${sentence(d.fix)}`}</p>`}
      <p class="note">${d.checkedAt === null ? 'Not looked at yet.' : `Looked at ${d.checkedAt.slice(0, 16).replace('T', ' ')} UTC.`}</p>
      <form method="post" action="/idp-setup/${token}/domain/${d.id}/check">
        <div class="do"><button class="btn ${d.state === 'pending' && 'act'}">Look it up now</button></div>
      </form>
    </section>`;
  }
}
