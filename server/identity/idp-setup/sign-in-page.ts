import { html, type Html } from '#kernel/html.ts';
import type { Problem } from '#kernel/problem.ts';
import { protocolName } from './choose-provider.ts';
import { atUtc, type Protocol, type Task } from './link.ts';
import type { Looked, MadeConnection } from './look-at-visit.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { ourValues, type Asked, type Bring, type Paste, type Provider } from './providers.ts';
import { atTheirSide, inTitle, standing, standingOf, value, visitPage } from './view.ts';

const label: Record<Asked, string> = {
  issuer: 'Issuer',
  client_id: 'Client ID',
  client_secret: 'Client secret',
  hosted_domains: 'Domains of your organization',
  tenant: 'Tenant',
  metadata: 'Metadata: its address, or the whole text of the file',
};

/** What was entered, to be shown again after a mistake. Secrets are not given back. */
export type Entered = Partial<Record<Exclude<Asked, 'client_secret'>, string | undefined>>;

/** What is asked for as well, once an issuer turned out to serve everybody. */
const askedAfter: Record<string, Bring> = {
  'identity/hosted-domain-needed': { asked: 'hosted_domains', field: 'the domains of your Google Workspace' },
  'identity/tenant-needed': { asked: 'tenant', field: 'Directory (tenant) ID' },
};

/** The page on which sign-in is connected. */
export function signInPage(
  visit: Visit,
  p: {
    provider: Provider;
    protocol: Protocol;
    looked: Looked;
    tasks: readonly Task[];
    test: boolean;
    problem?: Problem | undefined;
    entered?: Entered;
  },
): Response {
  const { token, orgName, by, ctx, link } = visit;
  const ours = ourValues({ origin: ctx.origin, org: link.org });
  const way = p.provider[p.protocol];
  const of = (f: Paste): Html =>
    'text' in f
      ? value(f.text)
      : f.ours === 'scim_url' || f.ours === 'scim_token'
        ? html`on the page People and groups`
        : value(ours[f.ours]);
  const { connection } = p.looked;
  const side = html`${atTheirSide(p.provider, way, of, 'What it has to send about a person')}
    ${p.protocol === 'saml' && html`<p class="aside">Our metadata, for those that take it: ${value(ours.metadata_url)}</p>`}`;
  return visitPage(visit, {
    at: 'sign_in',
    title: `Sign-in with ${inTitle(p.provider)}`,
    tasks: p.tasks,
    problem: p.problem,
    body: connection
      ? html`<p>It is connected over ${protocolName[connection.protocol]}.</p>
          ${made(connection)} ${side}`
      : html`<p>Over ${protocolName[p.protocol]}. First there, then back here with what it gives you.</p>
          ${side} ${bringForm(bringing(way.bring))}`,
  });

  function bringing(bring: readonly Bring[]): readonly Bring[] {
    const more = askedAfter[p.problem?.code ?? ''];
    return more === undefined || bring.some((b) => b.asked === more.asked) ? bring : [...bring, more];
  }

  function bringForm(bring: readonly Bring[]): Html {
    return html`<form method="post" action="/idp-setup/${token}/sign-in" autocomplete="off">
      <section class="box">
        <h2>Bring these back</h2>
        ${bring.map((b) => field(b))}
      </section>
      <div class="do"><button class="btn act">Connect sign-in</button></div>
      <p class="aside">${
        link.activates
          ? html`Your people can sign in this way at once.`
          : html`Nobody signs in this way before an owner of ${orgName} has looked at it and switched it on.`
      }</p>
    </form>`;
  }

  function field(b: Bring): Html {
    const hint = html`<p class="note" id="${b.asked}-hint">${b.field}${b.like !== undefined && html`, like <code>${b.like}</code>`}</p>`;
    const required = b.optional === undefined ? html`required` : html``;
    const was = b.asked === 'client_secret' ? '' : (p.entered?.[b.asked] ?? '');
    const input =
      b.asked === 'metadata'
        ? html`<textarea id="${b.asked}" name="${b.asked}" rows="6" spellcheck="false" ${required} aria-describedby="${b.asked}-hint">${was}</textarea>`
        : html`<input id="${b.asked}" name="${b.asked}" type="${b.asked === 'client_secret' ? 'password' : 'text'}" value="${was}" ${required} spellcheck="false" autocapitalize="off" autocomplete="${b.asked === 'client_secret' ? 'new-password' : 'off'}" aria-describedby="${b.asked}-hint" />`;
    return html`<label for="${b.asked}">${label[b.asked]}${b.optional !== undefined && ' (if it is needed)'}</label>${hint}${input}`;
  }

  function made(c: MadeConnection): Html {
    return html`<section class="box">
        <h2>Connected</h2>
        <dl class="facts">
          <dt>State</dt><dd>${standing(standingOf('sign_in', p.looked, p.provider))}</dd>
          <dt>Issuer</dt><dd><code>${c.issuer}</code></dd>
          ${
            c.protocol === 'oidc'
              ? html`<dt>Client ID</dt><dd><code>${c.clientId}</code></dd>`
              : html`<dt>Sends people to</dt><dd><code>${c.signInUrl}</code></dd>
                  <dt>Certificates until</dt><dd>${c.certificatesUntil.map(atUtc).join(', ')}</dd>`
          }
        </dl>
        ${c.state === 'disabled' && html`<p>An owner of ${orgName} looks at it and switches it on. Tell ${by} that it is there.</p>`}
      </section>
      <div class="do">
        ${
          p.test &&
          html`<form method="post" action="/idp-setup/${token}/sign-in/test"><button class="btn act">Test the connection</button></form>`
        }
        ${c.state === 'active' && html`<a class="btn" href="/sign-in/start/${c.id}">Try to sign in</a>`}
        <a class="btn" href="/idp-setup/${token}/seen">See what has arrived</a>
      </div>
      ${c.protocol === 'oidc' && secretForm()}`;
  }

  function secretForm(): Html {
    return html`<section class="box">
      <h2>If the secret changed, or something is wrong</h2>
      <form method="post" action="/idp-setup/${token}/sign-in/secret" autocomplete="off">
        <label for="client_secret">New client secret</label>
        <input id="client_secret" name="client_secret" type="password" required autocomplete="new-password" spellcheck="false" />
        <div class="do"><button class="btn">Replace the secret</button></div>
      </form>
      <p class="apart">Another issuer or client id is another connection. This one is switched off and stays in the list of ${orgName}.</p>
      <form method="post" action="/idp-setup/${token}/sign-in/again">
        <div class="do"><button class="btn">Begin sign-in again</button></div>
      </form>
    </section>`;
  }
}
