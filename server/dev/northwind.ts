import { callback } from './agent.ts';
import { Browser } from './browser.ts';
import { pushPeople, testConnection, type Pushed } from './idp-push.ts';
import { displayName, groupNames, type Person } from './people.ts';
import { startStandIn, type StandIn } from './stand-in.ts';
import { list, type Api } from './story-parts.ts';
import type { VendorStandIn } from './vendors/vendor-stand-in.ts';

/** Where the identity provider pushes to. */
export type Scim = { base: string; token: string };

/** What Northwind Lamps has and connects first, each by the API as its administrators would: the story and the tests that tell it again share it. */

/** Its identity provider, for sign-in, from the discovery document alone. */
export async function connectIdp(
  api: Api,
  origin: string,
): Promise<{ idp: StandIn<{ url: string }>; connection: string }> {
  const secret = 'the-idp-and-gatehouse-share-this';
  const idp = await startStandIn<{ url: string }>('idp.ts', [
    '--client-id',
    'gatehouse',
    '--client-secret',
    secret,
    '--redirect-uri',
    `${origin}/sign-in/callback`,
  ]);
  const connection = await api('POST', '/sso-connections', {
    kind: 'oidc',
    name: 'Northwind ID',
    issuer: idp.ready.url,
    clientId: 'gatehouse',
    clientSecret: secret,
    allowPrivate: true,
  });
  return { idp, connection: String(connection['id']) };
}

/** Its people and the two groups that sell, pushed by SCIM. */
export async function connectDirectory(
  api: Api,
  origin: string,
  people: readonly Person[],
): Promise<{ scim: Scim; pushed: Pushed }> {
  const directory = await api('POST', '/directories', { name: 'Northwind ID' });
  const token = await api('POST', `/directories/${String(directory['id'])}/tokens`, {});
  const scim = { base: `${origin}/scim/v2/${String(directory['id'])}`, token: String(token['token']) };
  await testConnection(scim.base, scim.token, 'okta');
  const pushed = await pushPeople(scim.base, scim.token, people, [groupNames.sales, groupNames.leads], 'okta');
  await testConnection(scim.base, scim.token, 'entra');
  return { scim, pushed };
}

/** What the CRM knows Gatehouse by. */
export const crmBearer = 'what-the-crm-knows-gatehouse-by';

export type ConnectedCrm = {
  crm: StandIn<{ url: string; mcp: string }>;
  connector: string;
  /** How many tools were reviewed. */
  tools: number;
};

/** Its CRM with every tool reviewed: Sales may read, Sales leads may write, nobody may delete. */
export async function connectCrm(api: Api, slug: string, name: string, pushed: Pushed): Promise<ConnectedCrm> {
  const crm = await startStandIn<{ url: string; mcp: string }>('crm.ts', ['--bearer', crmBearer]);
  try {
    const made = await api('POST', '/connectors', {
      slug,
      name,
      url: crm.ready.mcp,
      bearer: crmBearer,
      allowPrivate: true,
    });
    const connector = String(made['id']);
    const { items } = await api('GET', `/connectors/${connector}/tools`);
    const classes: Record<string, string> = {
      search_accounts: 'read',
      get_deal: 'read',
      watch_deals: 'read',
      update_deal: 'write',
      add_note: 'write',
      delete_deal: 'destructive',
    };
    const tools = list(items).map((t) => ({
      name: String(t['name']),
      pin: String(t['pin']),
      class: classes[String(t['name'])] ?? 'destructive',
    }));
    await api('POST', `/connectors/${connector}/review`, { tools });
    const rule = (name: string, group: string, kinds: string[]) =>
      api('POST', '/rules', {
        name,
        who: { kind: 'group', group: pushed.groups.get(group) },
        connector,
        tools: { classes: kinds },
        effect: 'allow',
        asks: 'never',
      });
    await rule(`Sales may read the ${name}`, groupNames.sales, ['read']);
    await rule(`Sales leads may change the ${name}`, groupNames.leads, ['write']);
    return { crm, connector, tools: tools.length };
  } catch (e) {
    await crm.stop();
    throw e;
  }
}

/** A system of the catalogue whose vendor stands in on this machine; everybody may read it. Returns the connector's id. */
export async function connectVendor(api: Api, type: string, vendor: VendorStandIn, more: object = {}): Promise<string> {
  const c = await api('POST', '/connectors', {
    type,
    settings: vendor.settings,
    origins: vendor.origins,
    originsPrivate: true,
    ...more,
  });
  const id = String(c['id']);
  await api('POST', '/rules', {
    name: `Everybody may read ${String(c['name'])}`,
    who: { kind: 'everyone' },
    connector: id,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  return id;
}

/** The person signs in at the identity provider and agrees on our consent page; real requests, real cookies. */
export async function signInAtNorthwind(authorizeAt: URL, person: Person): Promise<URL> {
  const browser = new Browser();
  await browser.open(authorizeAt, { stopAt: callback });
  if (browser.url.pathname === '/sign-in') await browser.follow(/Northwind ID/);
  if (browser.text().includes(displayName(person))) await browser.submit(displayName(person), {}, { stopAt: callback });
  return agree(browser);
}

/** Somebody whose browser is signed in already agrees on our consent page. */
export async function signInWith(browser: Browser, authorizeAt: URL): Promise<URL> {
  await browser.open(authorizeAt, { stopAt: callback });
  return agree(browser);
}

async function agree(browser: Browser): Promise<URL> {
  if (browser.url.pathname.startsWith('/consent/')) await browser.submit(/Allow/, {}, { stopAt: callback });
  if (!browser.url.href.startsWith(callback))
    throw new Error(`signing in ended at ${browser.url.href} (${browser.status}):\n${browser.text()}`);
  return browser.url;
}

/** Somebody with a browser, signed in by a link. */
export const signedIn = async (link: string): Promise<Browser> => (await new Browser().open(link)).submit(/Sign in as/);
