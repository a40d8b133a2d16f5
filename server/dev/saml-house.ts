import assert from 'node:assert/strict';
import { inflateRawSync } from 'node:zlib';
import { newId, type Id } from '#kernel/id.ts';
import { Browser } from './browser.ts';
import { doorHouse, type Answer, type DoorHouse } from './door-house.ts';
import { base64, samlKey, samlResponse, type ResponseFacts, type SamlKey } from './saml-signer.ts';
import type { Trace } from './sign-in-house.ts';

export const IDP = 'https://idp.northwind-lamps.example/metadata';

/** A house whose people sign in over SAML, with the identity provider's key in the test's hand. */
export type SamlHouse = DoorHouse & {
  idpKey: SamlKey;
  /** The connection. */
  saml: string;
  /** In the directory as luca@northwind-lamps.example, and a member. */
  luca: Id<'usr'>;
  acs: string;
  audience: string;
  connect(more?: object): Promise<Answer>;
  change(edits: object): Promise<Answer>;
  inDirectory(externalId: string, user: Id<'usr'>): Promise<void>;
  /** A browser that began to sign in; the request that it carries to the identity provider. */
  begun(
    returnTo?: string,
    browser?: Browser,
  ): Promise<{ browser: Browser; request: string; relayState: string; at: URL }>;
  /** A response to a request, in base64. */
  response(request: string | undefined, more?: Partial<ResponseFacts>): Promise<string>;
  /** The identity provider has the browser post this; from another site, so without our cookies. */
  post(message: string, relayState?: string): Promise<Response>;
  /** The whole way: the post, and where it leads, with the browser's cookies. */
  arrive(browser: Browser, message: string, relayState?: string): Promise<Browser>;
  signIn(more?: Partial<ResponseFacts>, returnTo?: string): Promise<Browser>;
  signedIn(b: Browser): boolean;
  /** The code on a refused page, or what it says. */
  codeOf(text: string): string;
  traceOn(text: string): Promise<Trace>;
};

/** The XML of a request that a browser carries by redirect. */
export const requestOf = (url: URL): string =>
  inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString('utf8');

export async function samlHouse(more: Parameters<typeof doorHouse>[0] = {}): Promise<SamlHouse> {
  const h = await doorHouse(more);
  const idpKey = samlKey();
  const directory = newId('dir');
  const acs = `${h.origin}/saml/acs/${h.acme.org}`;
  const audience = `${h.origin}/saml/${h.acme.org}`;
  const connect: SamlHouse['connect'] = (more = {}) =>
    h.api('POST', `/orgs/${h.acme.org}/saml-connections`, {
      name: 'Northwind SAML',
      from: {
        kind: 'by_hand',
        issuer: IDP,
        signInUrl: 'https://idp.northwind-lamps.example/sso',
        certificates: [idpKey.certificatePem],
        logout: { url: 'https://idp.northwind-lamps.example/slo', binding: 'redirect' },
      },
      ...more,
    });
  const made = await connect();
  assert.equal(made.status, 201, made.text);
  const saml = String(made.body['id']);
  const inDirectory: SamlHouse['inDirectory'] = async (externalId, user) => {
    await h.t.super(
      `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, 'Dir', now()) on conflict do nothing`,
      h.acme.parent,
      directory,
      h.acme.org,
    );
    await h.t.super(
      `insert into scim_user (parent, id, directory, attributes, user_name_key, external_id, active, user_id, created_at, changed_at)
       values ($1, $2, $3, '{}', $4, $4, true, $5, now(), now())`,
      h.acme.parent,
      newId('scu'),
      directory,
      externalId,
      user,
    );
  };
  const { user: luca } = await h.addPerson('Luca', 'user');
  await inDirectory('luca@northwind-lamps.example', luca);

  const begun: SamlHouse['begun'] = async (returnTo = '/', browser = new Browser()) => {
    await browser.open(`${h.origin}/sign-in/start/${saml}?return_to=${encodeURIComponent(returnTo)}`, {
      stopAt: 'https://idp.',
    });
    const request = /ID="(_[0-9a-f]{40})"/.exec(requestOf(browser.url))?.[1] ?? '';
    return { browser, request, relayState: browser.url.searchParams.get('RelayState') ?? '', at: new URL(browser.url) };
  };
  const response: SamlHouse['response'] = async (request, more = {}) =>
    base64(await samlResponse({ key: idpKey, idp: IDP, acs, audience, request, now: h.world.now(), ...more }));
  const post: SamlHouse['post'] = (message, relayState) =>
    fetch(acs, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        origin: 'https://idp.northwind-lamps.example',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
      },
      body: new URLSearchParams({
        SAMLResponse: message,
        ...(relayState === undefined ? {} : { RelayState: relayState }),
      }),
    });
  const arrive: SamlHouse['arrive'] = async (browser, message, relayState) => {
    const r = await post(message, relayState);
    const location = r.headers.get('location');
    if (location === null) {
      browser.body = await r.text();
      browser.status = r.status;
      return browser;
    }
    return browser.open(new URL(location, h.origin));
  };

  return {
    ...h,
    idpKey,
    saml,
    luca,
    acs,
    audience,
    connect,
    change: (edits) => h.api('PATCH', `/orgs/${h.acme.org}/saml-connections/${saml}`, edits),
    inDirectory,
    begun,
    response,
    post,
    arrive,
    async signIn(more, returnTo) {
      const { browser, request, relayState } = await begun(returnTo);
      return arrive(browser, await response(request, more), relayState);
    },
    signedIn: (b) => b.cookies(new URL(h.origin)).includes('__Host-gatehouse='),
    codeOf: (text) => /<code>([a-z]+\/[a-z0-9-]+)<\/code>/.exec(text)?.[1] ?? text,
    async traceOn(text) {
      const id = /sgn_[0-9a-f]{32}/.exec(text)?.[0];
      assert.ok(id, text);
      return (await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${id}`)).body as Trace;
    },
  };
}
