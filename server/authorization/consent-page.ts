import { html, mark, render, type Html } from '#kernel/html.ts';
import type { Membership } from './membership.sql.ts';
import { hostOf } from './tell.ts';
import { staysOnDevice } from './client-metadata.ts';
import { scopeSays, type Scope } from './resource.ts';

export type ConsentPage = {
  uid: string;
  csrf: string;
  client: { id: string; name: string | undefined; redirect: string | undefined };
  resources: readonly string[];
  scopes: readonly Scope[];
  /** As whom one is signed in. */
  person: { name: string; email: string };
  /** Organizations to choose from. */
  memberships: readonly [Membership, ...Membership[]];
};

/** Who vouches for the client's name: its own host, or nobody. */
function clientFacts(c: ConsentPage['client']): Html {
  const document = c.id.startsWith('https://');
  return html`<dl class="facts">
    ${document && html`<dt>Publishes itself at</dt><dd class="mono">${hostOf(c.id)}</dd>`}
    <dt>Answer goes to</dt>
    <dd class="mono">${c.redirect === undefined ? 'the device that shows the code' : hostOf(c.redirect)}</dd>
    <dt>Client id</dt>
    <dd class="mono">${c.id}</dd>
  </dl>`;
}

const warning = (c: ConsentPage['client']): Html => {
  if (c.redirect !== undefined && staysOnDevice(c.redirect))
    return html`<section class="box warn">
      <h2>This application runs on your own device</h2>
      <p>Nobody can check its name. Any program on this device could show it. Allow it only if you have just begun this yourself.</p>
    </section>`;
  if (!c.id.startsWith('https://'))
    return html`<section class="box warn">
      <h2>Nobody has checked the name</h2>
      <p>The application registered itself. Compare where the answer goes before you allow it.</p>
    </section>`;
  return html``;
};

/** The origin or scheme that the redirect after the form goes to; without it the page's own CSP would stop it. */
export function formTarget(redirect: string | undefined): string[] {
  const url = redirect === undefined ? null : URL.parse(redirect);
  if (!url) return [];
  const source = url.origin === 'null' ? url.protocol : url.origin;
  // It becomes part of a header: only what a source expression may be made of.
  return /^[a-z][a-z0-9+.-]*:(\/\/[a-z0-9.:[\]-]+)?$/i.test(source) ? [source] : [];
}

/** The page on which a person lets a client act for them. */
export function consentPage(p: ConsentPage): Response {
  const [first, ...others] = p.memberships;
  const name = p.client.name ?? hostOf(p.client.id);
  const answer = html`<form method="post" action="/consent/${p.uid}">
    <input type="hidden" name="csrf" value="${p.csrf}" />
    ${
      others.length === 0
        ? html`<input type="hidden" name="member" value="${first.member}" />`
        : html`<label for="member">In which organization?</label>
            <select id="member" name="member">
              ${p.memberships.map((m) => html`<option value="${m.member}">${m.orgName}</option>`)}
            </select>`
    }
    <section class="box">
    <h2>What it may do</h2>
    ${p.scopes.map(
      (s) =>
        html`<label class="choice"><input type="checkbox" name="scope" value="${s}" checked /> <span>${scopeSays[s]}</span></label>`,
    )}
    </section>
    <div class="do">
      <button class="btn act" type="submit" name="say" value="allow">Allow</button>
      <button class="btn" type="submit" name="say" value="deny">Do not allow</button>
    </div>
  </form>`;
  return render({
    title: 'Allow access',
    name: others.length === 0 ? first.orgName : 'Gatehouse',
    formAction: formTarget(p.client.redirect),
    body: html`${mark.open}
      <h1>${name} wants to act for you</h1>
      <p>You are signed in as <strong>${p.person.name}</strong> (${p.person.email}). It could use ${places(p.resources)}, as you, until you end it.</p>
      ${warning(p.client)}
      <section class="box">${clientFacts(p.client)}</section>
      ${answer}
      <p class="aside">Every call is recorded. You can end this at any time, and so can your administrators.</p>`,
  });
}

const places = (resources: readonly string[]): string =>
  resources.map((r) => r.replace(/^https?:\/\//, '')).join(' and ');

/** For somebody who is signed in and belongs to no organization. */
export const noOrganizationPage = (person: { name: string; email: string }): Response =>
  render({
    title: 'No organization',
    status: 403,
    body: html`<h1>You belong to no organization here</h1>
      <p>You are signed in as ${person.name} (${person.email}). Ask an administrator to add you, then begin again in the application.</p>`,
  });
