import { logOnly } from '#domains/herald.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimDiscovery } from '#directory/scim-discovery.http.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { directoryOperations } from '#directory/directory.http.ts';
import { beginTest } from '#identity/enforcement/begin-test.ts';
import { testPages } from '#identity/enforcement/test-pages.http.ts';
import { domainDesk } from '#identity/idp-setup/domain-desk.ts';
import { idpSetupPages, type IdpSetupUpstairs } from '#identity/idp-setup/idp-setup.http.ts';
import { idpSetupLinkOperations } from '#identity/idp-setup/links.http.ts';
import { makeDns } from '#kernel/dns.ts';
import { admission } from '#provisioning/admission.ts';
import { Browser } from './browser.ts';
import { DnsLab, type DnsZone } from './dns.ts';
import { doorHouse, type DoorHouse } from './door-house.ts';
import { startRogueIdp, type RogueIdp } from './rogue-idp.ts';

/** A house with the set-up pages, SCIM, a name system and an identity provider, for whoever comes with a link. */
export type IdpSetupHouse = DoorHouse & {
  idp: RogueIdp;
  zone: DnsZone;
  /** Makes a link as Ada; gives its id and its address. The identity provider in hand may be at this machine. */
  link(wanted?: object): Promise<{ id: string; url: string; token: string }>;
  /** A browser at the first page of a link, with the identity provider chosen. */
  visit(
    wanted?: object,
    chosen?: { provider: string; protocol?: string },
  ): Promise<{ browser: Browser; url: string; id: string }>;
};

export async function idpSetupHouse(up: Partial<IdpSetupUpstairs> = {}): Promise<IdpSetupHouse> {
  const lab = await DnsLab.start();
  await lab.zone('example');
  const { zone } = await lab.zone('lamps.example');
  const idp = await startRogueIdp();
  const wired: IdpSetupUpstairs = {
    domains: domainDesk(logOnly),
    protocols: ['oidc', 'saml'],
    beginTest: async (ctx, connection) => (await beginTest(ctx, connection)).url,
    ...up,
  };
  const h = await doorHouse({
    operations: [...idpSetupLinkOperations, ...directoryOperations],
    pages: [...idpSetupPages(wired), ...testPages],
    dns: makeDns(lab.options),
    doors: (world) => [
      {
        prefix: '/scim/v2/:directory',
        gate: scimGate(world, admission),
        dialect: scimDialect,
        operations: [...scimDiscovery, ...scimOperations],
      },
    ],
  });
  const link: IdpSetupHouse['link'] = async (wanted = {}) => {
    const r = await h.api('POST', `/orgs/${h.acme.org}/idp-setup-links`, {
      name: 'Bo of Lamps IT',
      allowPrivate: [new URL(idp.issuer).host],
      ...wanted,
    });
    if (r.status !== 201) throw new Error(r.text);
    const url = String(r.body['url']);
    return { id: String(r.body['id']), url, token: url.slice(url.lastIndexOf('/') + 1) };
  };
  return {
    ...h,
    idp,
    zone,
    link,
    async visit(wanted = {}, chosen = { provider: 'okta', protocol: 'oidc' }) {
      const { url, id } = await link(wanted);
      const browser = await new Browser().open(url);
      await browser.submit('Show the steps', chosen);
      return { browser, url, id };
    },
    async [Symbol.asyncDispose]() {
      await h[Symbol.asyncDispose]();
      await idp.stop();
      await lab.close();
    },
  };
}
