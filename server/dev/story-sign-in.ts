import type { Bootstrapped } from '../bootstrap.ts';
import { Browser } from './browser.ts';
import type { DnsZone } from './dns.ts';
import { company, displayName, people, type Person } from './people.ts';
import { startStandIn } from './stand-in.ts';
import { expect, list, type Api, type StepOf } from './story-parts.ts';

type SamlIdp = { url: string; metadata: string };

/** A person signs in through the connection of this name, as far as it leads. */
async function signInAt(origin: string, connection: string, person: Person): Promise<Browser> {
  const browser = await new Browser().open(`${origin}/sign-in`);
  await browser.follow(connection);
  await browser.submit(displayName(person));
  await browser.submit('Continue to the application');
  if (browser.url.pathname.startsWith('/saml/') && /http-equiv="refresh"/.test(browser.body)) await browser.follow(/./);
  return browser;
}

/** The second way in, what happens when a certificate ends, who would be locked out, and a domain that loses its record. */
export async function tellOfSignIn(
  step: StepOf,
  api: Api,
  f: Bootstrapped,
  origin: string,
  zone: DnsZone,
): Promise<() => Promise<void>> {
  const closing: (() => Promise<void>)[] = [];
  const connect = async (name: string, args: readonly string[]): Promise<string> => {
    const idp = await startStandIn<SamlIdp>('saml-idp.ts', ['--name-id', 'sub', ...args]);
    closing.push(() => idp.stop());
    const made = await api('POST', '/saml-connections', {
      name,
      from: { kind: 'metadata_url', url: idp.ready.metadata },
      allowPrivate: true,
      matchDirectory: true,
      ...(args.length > 0 ? { expiredCertificate: 'refuse' } : {}),
    });
    return String(made['id']);
  };

  await step(async () => {
    const connection = await connect('Northwind SAML', []);
    const browser = await signInAt(origin, 'Northwind SAML', people.lead);
    expect(
      browser.url.pathname === '/' && browser.text().includes(displayName(people.lead)),
      `signing in by SAML ended at ${browser.url.href}: ${browser.text()}`,
    );
    return {
      value: undefined,
      says: `a second identity provider is connected over SAML from its metadata, and ${people.lead.given} signs in through it`,
      look: `${f.api}/saml-connections/${connection}`,
    };
  });

  await step(async () => {
    await connect('Old SAML', ['--certificate', 'expired']);
    const browser = await signInAt(origin, 'Old SAML', people.seller);
    const trace = /sgn_[0-9a-f]{32}/.exec(browser.text())?.[0] ?? '';
    expect(trace !== '', `the refused page has no number: ${browser.text()}`);
    const why = await api('GET', `/sign-ins/${trace}/explain`);
    const refused = why['refused'] as { code?: string; says?: string; repair?: unknown } | undefined;
    expect(
      JSON.stringify(why).includes('certificate'),
      `the refusal does not name the certificate: ${JSON.stringify(why)}`,
    );
    return {
      value: undefined,
      says: `${people.seller.given} is refused where the provider signs with an expired certificate; the number on the page leads IT to the reason and its repair`,
      look: `${f.api}/sign-ins/${trace}/explain`,
      details: [
        `${String(refused?.code)}: ${String(refused?.says)}`,
        `repair: ${typeof refused?.repair === 'string' ? refused.repair : JSON.stringify(refused?.repair)}`,
      ],
    };
  });

  await step(async () => {
    // Somebody whom no identity provider knows: invited by hand, as the first colleagues often are.
    await api('POST', '/members', { email: `hanna@${company.domain}`, displayName: 'Hanna Handwritten', role: 'user' });
    await api('PUT', '/sso-enforcement', { state: 'report_only' });
    const seen = await api('GET', '/sso-enforcement/simulation?state=full');
    const items = list(seen['items']);
    const notWell = items.filter((i) => !String(i['verdict']).startsWith('ok'));
    expect(notWell.length > 0, `nobody is at risk: ${JSON.stringify(seen).slice(0, 800)}`);
    const first = notWell[0] ?? {};
    return {
      value: undefined,
      says: `asking for single sign-on is simulated before it is switched on: of ${items.length} people ${notWell.length} would be at risk or locked out, each with a repair`,
      look: `${f.api}/sso-enforcement/simulation.csv?state=full`,
      details: [
        `${String(first['displayName'])}: ${String(first['verdict'])} (${String(first['code'])}); ${String(first['says'])}; ${String(first['repair'])}`,
      ],
    };
  });

  await step(async () => {
    const added = await api('POST', '/domains', { domain: company.domain });
    const record = added['record'] as { host: string; value: string };
    const path = `/domains/${String(added['id'])}`;
    zone.txt(record.host, record.value);
    const verified = await api('POST', `${path}/check`, {});
    expect(verified['state'] === 'verified', `the domain is ${JSON.stringify(verified)}`);
    zone.remove(record.host);
    await new Promise((r) => setTimeout(r, 1100)); // a domain is asked about at most once a second
    const lost = await api('POST', `${path}/check`, {});
    expect(lost['state'] === 'failing', `the domain is ${JSON.stringify(lost)}`);
    return {
      value: undefined,
      says: `${company.domain} is proved by a DNS record, loses it, and says exactly that; nobody is locked out`,
      look: `${f.api}${path}`,
      details: [String(lost['says'])],
    };
  });
  return async () => {
    for (const close of closing) await close();
  };
}
