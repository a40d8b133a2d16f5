import { heading, html, render, sentence, type Html } from '#kernel/html.ts';
import { status, type Problem } from '#kernel/problem.ts';
import { atUtc, type Task } from './link.ts';
import type { Looked } from './look-at-visit.ts';
import type { Visit } from './open-idp-setup-link.ts';
import type { Claim, Paste, Provider, Way } from './providers.ts';

const glyph = (path: Html): Html =>
  html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">${path}</svg>`;
const check = glyph(html`<path d="m3 8.5 3.5 3.5L13 4.5" />`);
const notYet = glyph(html`<circle cx="8" cy="8" r="5.75" stroke-dasharray="2.4 2.1" />`);
const broken = glyph(html`<circle cx="8" cy="8" r="5.75" /><path d="m6 6 4 4m0-4-4 4" />`);

/** How a step stands: shape, word, and colour only where something is broken. */
export type Standing = { is: 'done' | 'open' | 'broken'; says: string };

export const standing = (s: Standing): Html =>
  html`<span class="state ${s.is === 'broken' ? 'bad' : ''}">${s.is === 'done' ? check : s.is === 'open' ? notYet : broken}${s.says}</span>`;

export const taskName: Record<Task, string> = {
  domain: 'Domain',
  sign_in: 'Sign-in',
  directory: 'People and groups',
};
export const taskPath: Record<Task, string> = { domain: 'domain', sign_in: 'sign-in', directory: 'directory' };

/** Where each task stands, in a word or two. */
export function standingOf(task: Task, looked: Looked, provider: Provider | undefined): Standing {
  switch (task) {
    case 'domain': {
      const { domains } = looked;
      if (domains.length === 0) return { is: 'open', says: 'not yet' };
      const proved = domains.filter((d) => d.state === 'verified').length;
      const taken = domains.some((d) => d.state === 'conflict');
      return {
        is: taken ? 'broken' : proved === domains.length ? 'done' : 'open',
        says: `${proved} of ${domains.length} verified`,
      };
    }
    case 'sign_in': {
      const [last] = looked.attempts;
      if (!looked.connection) return { is: 'open', says: 'not yet' };
      if (looked.connection.state === 'disabled') return { is: 'open', says: 'connected; waits to be switched on' };
      if (!last) return { is: 'open', says: 'connected; nobody has tried it' };
      return last.ok
        ? { is: 'done', says: `works since ${atUtc(last.at)}` }
        : { is: 'broken', says: 'the last attempt was refused' };
    }
    case 'directory':
      if (provider && 'none' in provider.scim) return { is: 'open', says: `not with ${provider.name}` };
      if (!looked.directory) return { is: 'open', says: 'not yet' };
      return looked.directory.lastUsed
        ? { is: 'done', says: `last request ${atUtc(looked.directory.lastUsed)}` }
        : { is: 'open', says: 'no request yet' };
  }
}

export type Place = Task | 'start' | 'seen';
export type Shown = { at: Place; title: string; body: Html; problem?: Problem | undefined; tasks: readonly Task[] };

/** A page of a visit: where you are, what went wrong, the content. */
export function visitPage({ token, orgName, by, link }: Visit, p: Shown): Response {
  const to = (path: string): string => `/idp-setup/${token}${path}`;
  const item = (at: Place, path: string, name: string): Html =>
    html`<li><a href="${to(path)}" ${p.at === at && html`aria-current="page"`}>${name}</a></li>`;
  return render({
    title: p.title,
    name: orgName,
    status: p.problem ? status[p.problem.kind] : 200,
    foot: `Set-up link for ${link.name}, from ${by}, until ${atUtc(link.expiresAt)}. What you do here is in the log of ${orgName}.`,
    body: html`<nav class="parts" aria-label="Set-up">
        <ul>
          ${item('start', '', 'Start')}${p.tasks.map((t) => item(t, `/${taskPath[t]}`, taskName[t]))}${item('seen', '/seen', 'What has arrived')}
        </ul>
      </nav>
      <h1>${p.title}</h1>
      ${
        p.problem &&
        html`<section class="box bad" role="alert">
          <h2>${heading(p.problem.says)}</h2>
          ${p.problem.fix && html`<p>${sentence(p.problem.fix)}</p>`}
          <p class="note"><code>${p.problem.code}</code></p>
        </section>`
      }
      ${p.body}`,
  });
}

/** A value of ours: one click takes all of it. */
export const value = (text: string): Html => html`<code class="value">${text}</code>`;

/** Fields there and what goes into them. `of` says our value, or what to say where there is none. */
export const pasteBox = (title: string, fields: readonly Paste[], of: (p: Paste) => Html): Html =>
  html`<section class="box">
    <h2>${title}</h2>
    <dl class="paste">${fields.map((f) => html`<dt>${f.field}</dt><dd>${of(f)}</dd>`)}</dl>
  </section>`;

export const stepsBox = (title: string, steps: readonly string[], from = 1): Html =>
  html`<section class="box">
    <h2>${title}</h2>
    <ol class="steps" start="${from}">${steps.map((s) => html`<li>${s}</li>`)}</ol>
  </section>`;

export const claimsBox = (title: string, claims: readonly Claim[]): Html =>
  html`<section class="box">
    <h2>${title}</h2>
    <dl class="facts claims">${claims.map((c) => html`<dt><code>${c.name}</code></dt><dd>${c.from}</dd>`)}</dl>
  </section>`;

/** The name in a heading, where it must not be broken in two. */
export const inTitle = (p: Provider | undefined): string =>
  p && p.id !== 'generic' ? p.name.replaceAll(' ', '\u00a0') : 'your identity provider';

/** Everything to be done at the identity provider for one way in. */
export const atTheirSide = (provider: Provider, way: Way, of: (p: Paste) => Html, claims: string): Html =>
  html`${stepsBox(`At ${provider.id === 'generic' ? 'your identity provider' : provider.name}`, way.begin)}
  ${pasteBox('Paste these there', way.paste, of)} ${stepsBox('Then, still there', way.finish, way.begin.length + 1)} ${claimsBox(claims, way.claims)}`;
