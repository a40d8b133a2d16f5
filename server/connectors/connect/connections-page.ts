import { html, sentence, type Html } from '#kernel/html.ts';
import { nextEnd, type Connection } from '#vault/connection.ts';
import type { Access } from '#vault/vendor-auth.ts';
import { scopesFor, type VendorSite } from '#vault/vendor-site.ts';
import { missingScopes } from './consent.ts';

/** One system on a person's page: what it is, and how their own account there stands. `ready`: an app is registered there, so one can connect. */
export type OwnConnection = { site: VendorSite; connection: Connection | undefined; ready: boolean };
/** What was just done, to be said once. `told`: whether the vendor can be told that a grant has ended. */
export type Done = { what: 'connected'; name: string; label: string } | { what: 'ended'; name: string; told: boolean };
/** `closed`: why this person may not look there now. */
export type ViewOfOrg = { own: readonly OwnConnection[]; given: readonly VendorSite[] } | { closed: string };
export type ConnectionsOfOrg = { name: string } & ViewOfOrg;

const glyph = (path: Html): Html =>
  html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">${path}</svg>`;
const check = glyph(html`<path d="m3 8.5 3.5 3.5L13 4.5"/>`);
const broken = glyph(html`<circle cx="8" cy="8" r="6"/><path d="m5.75 5.75 4.5 4.5m0-4.5-4.5 4.5"/>`);
const wait = glyph(html`<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>`);
const none = glyph(html`<circle cx="8" cy="8" r="6" stroke-dasharray="2 2"/>`);

const day = (d: Date): string => `${d.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
export const inWords = (a: Access): string => (a === 'read_only' ? 'read' : 'read and write');

/** Every system that acts as the person, with what can be done about each. Works without a script. */
export function connectionsBody(orgs: readonly ConnectionsOfOrg[], o: { now: Date; done: Done | undefined }): Html {
  const several = orgs.length > 1;
  return html`<h1>Connections</h1>
    <p>Your accounts at other systems that your agents use in your name, within the rules of your organization.</p>
    ${o.done && html`<p role="status">${doneWords(o.done)}</p>`}
    ${orgs.length === 0 && html`<section class="box"><p>You are a member of no organization, so there is nothing to connect.</p></section>`}
    ${orgs.map(
      (org) => html`${several && html`<h2 class="apart">${org.name}</h2>`}
      ${
        'closed' in org
          ? html`<section class="box"><p>${sentence(org.closed)}</p></section>`
          : html`${org.own.map((c) => own(c, o.now))}
            ${org.own.length === 0 && html`<section class="box"><p>${org.name} has no system for which people connect accounts of their own. When an administrator adds one, it is here.</p></section>`}
            ${org.given.length > 0 && html`<section class="box"><h2>Through ${org.name}’s own accounts</h2><p>There is nothing for you to do: ${org.given.map((s) => s.name).join(', ')}.</p></section>`}`
      }`,
    )}`;
}

const doneWords = (d: Done): string =>
  d.what === 'connected'
    ? `${d.name} is connected as ${d.label}.`
    : d.told
      ? `${d.name} is disconnected. It is told so, too.`
      : `${d.name} is disconnected. It has no way to be told: remove what you agreed to in the settings of your account there, too.`;

function own({ site, connection: c, ready }: OwnConnection, now: Date): Html {
  const start = `/connections/start/${site.connector}`;
  if (!c && !ready)
    return html`<section class="box"><h2>${site.name}</h2><p><span class="state">${none}Not ready yet</span></p>
      <p>An administrator has still to register Gatehouse at ${site.name}. After that you can connect your account here.</p></section>`;
  if (!c)
    return html`<section class="box"><h2>${site.name}</h2><p><span class="state">${none}Not connected</span></p>
      <div class="do"><a class="btn" href="${start}">Connect ${site.name}</a></div></section>`;
  const { standing } = c;
  const ends = nextEnd(c.expiry);
  const wanted = scopesFor(site, c.access);
  const missing = missingScopes(wanted, c.scopes);
  const raise = c.access === 'read_only' && site.access === 'read_write';
  return html`<section class="box${standing.state === 'reconnect' ? ' bad' : ''}"><h2>${site.name}</h2>
    ${stateOf(c, site, now)}
    <dl class="facts">
      <dt>As</dt><dd>${c.account?.label ?? 'unknown'}</dd>
      <dt>It may</dt><dd>${inWords(c.access)}${c.scopes.length > 0 && html` <span class="note">${c.scopes.join(' ')}</span>`}</dd>
      ${missing.length > 0 && html`<dt>Not given</dt><dd>${missing.join(' ')}</dd>`}
      <dt>Since</dt><dd>${day(c.made.at)}</dd>
      <dt>Last used</dt><dd>${c.lastUsed ? day(c.lastUsed) : 'not yet'}</dd>
      <dt>Ends</dt><dd>${ends ? `${day(ends)}, unless it is renewed before` : `not by itself, as far as ${site.name} says`}</dd>
    </dl>
    <div class="do">
      ${standing.state === 'reconnect' && html`<a class="btn act" href="${start}">Connect again</a>`}
      ${raise && standing.state !== 'reconnect' && html`<a class="btn" href="${start}">Let it write, too</a>`}
      <form method="post" action="/connections/end/${site.connector}"><button class="btn" type="submit">Disconnect</button></form>
    </div></section>`;
}

function stateOf({ standing }: Connection, site: VendorSite, now: Date): Html {
  if (!site.on)
    return html`<p><span class="state">${none}Switched off</span></p><p>An administrator has switched it off for everyone. The connection is kept.</p>`;
  switch (standing.state) {
    case 'active':
      return html`<p><span class="state">${check}Connected</span></p>`;
    case 'refresh_failed': {
      const next =
        standing.next && standing.next > now
          ? ` It is tried again ${day(standing.next)}.`
          : ' It is tried again at the next use.';
      return standing.because === 'app'
        ? html`<p><span class="state bad">${broken}Not working</span></p><p>${site.name} refuses what your organization registered there. An administrator must mend it; you need do nothing.${next}</p>`
        : html`<p><span class="state">${wait}Not renewed</span></p><p>${site.name} could not be asked.${next}</p>`;
    }
    case 'reconnect':
      return html`<p><span class="state bad">${broken}Ended</span></p><p>${reason(standing.why, site.name)} <code>${standing.why}</code></p>`;
    case 'revoked':
      return html`<p><span class="state">${none}Not connected</span></p>`;
  }
}

const reason = (why: string, name: string): string =>
  why === 'lost_rotation'
    ? `${name} renewed it and the answer was lost, so it is not accepted any more.`
    : `${name} does not accept it any more: it was ended there, or the password changed, or it was not used for long.`;

/** What a person agrees to before they go to the vendor. */
export const startBody = (
  site: VendorSite,
  connection: Connection | undefined,
  scopes: Readonly<Record<Access, readonly string[]>>,
): Html =>
  html`<p><a href="/connections">Connections</a></p>
    <h1>Connect ${site.name}</h1>
    <p>You go to ${site.name}, sign in with the account that your organization gave you there, and agree. Then your agents can use it in your name, within your organization’s rules. Every use is recorded. You can end it at any time.</p>
    <section class="box"><h2>What it may do</h2>
      ${levels(site).map(
        (access) => html`<form method="post" action="/connections/start/${site.connector}">
          <input type="hidden" name="access" value="${access}" />
          <div class="do"><button class="btn ${access === site.access ? 'act' : ''}" type="submit">Connect to ${inWords(access)}</button></div>
          ${scopes[access].length > 0 && html`<p class="note">${site.name} will ask you for: ${scopes[access].join(' ')}</p>`}
        </form>`,
      )}
      ${connection && html`<p class="note">You are connected as ${connection.account?.label ?? 'unknown'} to ${inWords(connection.access)}. That stays until the new one is there.</p>`}
    </section>
    <div class="do"><a class="btn" href="/connections">Back</a></div>`;

const levels = (site: VendorSite): Access[] =>
  site.access === 'read_write' ? ['read_write', 'read_only'] : ['read_only'];
