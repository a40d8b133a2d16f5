import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.ts';
import { samlHouse, type SamlHouse } from './saml-house.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

type Ready = { url: string; metadata: string };
let h: SamlHouse;
let idp: StandIn<Ready>;
let connection = '';
before(async () => {
  h = await samlHouse();
  idp = await startStandIn<Ready>('saml-idp.ts');
  const r = await h.api('POST', `/orgs/${h.acme.org}/saml-connections`, {
    name: 'Northwind over SAML',
    from: { kind: 'metadata_url', url: idp.ready.metadata },
    allowPrivate: true,
    matchDirectory: true,
  });
  assert.equal(r.status, 201, r.text);
  connection = String(r.body['id']);
  await h.inDirectory('bianca@northwind-lamps.example', (await h.addPerson('Bianca', 'user')).user);
});
after(async () => {
  await idp.stop();
  await h[Symbol.asyncDispose]();
});

const visit = async (id: string, who: RegExp): Promise<Browser> => {
  const b = await new Browser().open(`${h.origin}/sign-in/start/${id}`);
  await b.submit(who);
  return b.submit(/Continue to the application/);
};

test('a person signs in at the stand-in by its metadata address, and out again in both places', async () => {
  const b = await visit(connection, /Bianca/);
  assert.ok(h.signedIn(b), b.text());
  await b.submit(/Sign out/);
  await b.follow(/Continue at 127/);
  assert.match(b.text(), /signed out here and at your identity provider/);
});

test('the stand-in changes its key as it should: announced, fetched, used', async () => {
  await fetch(`${idp.ready.url}/announce`, { method: 'POST' });
  await h.api('POST', `/orgs/${h.acme.org}/saml-connections/${connection}/refresh`);
  await fetch(`${idp.ready.url}/rotate`, { method: 'POST' });
  assert.ok(h.signedIn(await visit(connection, /Bianca/)));
});

test('with an expired certificate, the refusal says which one and when it ended; the connection can let people in meanwhile', async () => {
  const old = await startStandIn<Ready>('saml-idp.ts', ['--certificate', 'expired', '--name-id', 'sub']);
  try {
    const r = await h.api('POST', `/orgs/${h.acme.org}/saml-connections`, {
      name: 'Expired',
      from: { kind: 'metadata_url', url: old.ready.metadata },
      allowPrivate: true,
      matchDirectory: true,
      expiredCertificate: 'refuse',
    });
    await h.inDirectory('00u-bianca', (await h.addPerson('Bee', 'user')).user);
    const id = String(r.body['id']);
    const refused = await visit(id, /Bianca/);
    const trace = await h.traceOn(refused.body);
    assert.equal(trace.outcome, 'identity/saml-certificate-expired');
    await h.api('PATCH', `/orgs/${h.acme.org}/saml-connections/${id}`, { expiredCertificate: 'warn' });
    assert.ok(h.signedIn(await visit(id, /Bianca/)));
  } finally {
    await old.stop();
  }
});
