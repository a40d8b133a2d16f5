import assert from 'node:assert/strict';
import { SESSION_COOKIE } from '#identity/cookies.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Browser } from './browser.ts';
import { doorHouse, type DoorHouse } from './door-house.ts';
import { startRogueIdp, type RogueIdp, type Says } from './rogue-idp.ts';

export type Trace = { outcome: string; user: string | null; stages: Record<string, string>[] };

/** A house whose people sign in through an identity provider that the test has in its hand. */
export type SignInHouse = DoorHouse & {
  idp: RogueIdp;
  /** Its connection. */
  sso: string;
  /** In the directory as 00u-luca, and a member. */
  luca: Id<'usr'>;
  connect(to: RogueIdp, more?: object): Promise<string>;
  inDirectory(externalId: string, user: Id<'usr'>): Promise<void>;
  /** A browser that began to sign in and stands at the identity provider. */
  begun(returnTo?: string, browser?: Browser): Promise<{ browser: Browser; at: URL }>;
  /** The browser comes back with this answer. */
  back(browser: Browser, query: URLSearchParams): Promise<Browser>;
  signIn(subject: string, says?: Says, returnTo?: string): Promise<Browser>;
  cookieOf(b: Browser, name: string): string | undefined;
  signedIn(b: Browser): boolean;
  /** The trace that the number on the page leads to. */
  traceOn(b: Browser): Promise<Trace>;
};

export async function signInHouse(more: Parameters<typeof doorHouse>[0] = {}): Promise<SignInHouse> {
  const h = await doorHouse(more);
  const idp = await startRogueIdp();
  const directory = newId('dir');

  const connect = async (to: RogueIdp, more: object = {}): Promise<string> => {
    const r = await h.api('POST', `/orgs/${h.acme.org}/sso-connections`, {
      name: 'Northwind ID',
      issuer: to.issuer,
      clientId: to.clientId,
      clientSecret: to.clientSecret,
      allowPrivate: true,
      ...more,
    });
    assert.equal(r.status, 201, r.text);
    return String(r.body['id']);
  };
  const inDirectory = async (externalId: string, user: Id<'usr'>): Promise<void> => {
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
  const sso = await connect(idp);
  const { user: luca } = await h.addPerson('Luca', 'user');
  await inDirectory('00u-luca', luca);

  const begun: SignInHouse['begun'] = async (returnTo = '/', browser = new Browser()) => {
    const start = `${h.origin}/sign-in/start/${sso}?return_to=${encodeURIComponent(returnTo)}`;
    await browser.open(start, { stopAt: idp.issuer });
    return { browser, at: new URL(browser.url) };
  };
  const back: SignInHouse['back'] = (browser, query) =>
    browser.open(`${h.origin}/sign-in/callback?${query.toString()}`);
  const cookieOf: SignInHouse['cookieOf'] = (b, name) =>
    b
      .cookies(new URL(h.origin))
      .split('; ')
      .find((c) => c.startsWith(`${name}=`))
      ?.slice(name.length + 1);

  return {
    ...h,
    idp,
    sso,
    luca,
    connect,
    inDirectory,
    begun,
    back,
    cookieOf,
    async signIn(subject, says, returnTo) {
      const { browser, at } = await begun(returnTo);
      return back(browser, idp.signIn(at, subject, says));
    },
    signedIn: (b) => cookieOf(b, SESSION_COOKIE) !== undefined,
    async traceOn(b) {
      const id = /sgn_[0-9a-f]{32}/.exec(b.body)?.[0];
      assert.ok(id, b.text());
      return (await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${id}`)).body as Trace;
    },
    async [Symbol.asyncDispose]() {
      await h[Symbol.asyncDispose]();
      await idp.stop();
    },
  };
}
