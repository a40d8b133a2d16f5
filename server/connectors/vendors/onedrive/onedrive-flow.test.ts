import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVE } from '#dev/vendors/microsoft-world.ts';
import { startMicrosoft } from '#dev/vendors/microsoft.ts';
import { connectorHouse } from '#dev/connector-house.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { oneDrive } from './manifest.ts';

test('OneDrive and SharePoint go all the way, for persons, for the organization and for it in the name of a person', async (t) => {
  const vendor = await startMicrosoft();
  await vendorFlow(t, {
    manifest: oneDrive,
    open() {
      // Entra itself would stop the others before they come to us.
      vendor.lenient = true;
      vendor.registration.roles = new Set(['Files.ReadWrite.All', 'Sites.Selected']);
      return Promise.resolve(vendor);
    },
    read: { tool: 'read_file', args: { path: '/Reports/2026/june.md' }, says: /Lamps sold: 412/ },
    write: {
      tool: 'upload_file',
      args: { path: '/Reports/flow.txt', text: 'written', replace: true },
      says: /The file was (written|replaced)/,
    },
    // Entra's tokens end after 60 to 90 minutes.
    person: { ends: 5400 },
    accounts: (['entra_certificate', 'entra_secret'] as const).flatMap((kind) => [
      {
        kind,
        actAs: 'organization' as const,
        ends: 3600,
        read: { args: { drive: DRIVE.sales, path: '/prices.csv' }, says: /lamp/ },
        write: { args: { drive: DRIVE.sales, path: '/flow.txt', text: 'written', replace: true } },
      },
      { kind, actAs: 'organization_as_person' as const, ends: 3600 },
    ]),
  });
  const written = vendor.world.items.filter((i) => i.name === 'flow.txt');
  assert.deepEqual(
    written.map((i) => [i.drive, i.bytes.toString()]),
    [
      [DRIVE.ada, 'written'],
      [DRIVE.sales, 'written'],
    ],
  );
});

test('an app without a secret proves itself to Entra by the certificate that Gatehouse made, at consent and at renewal', async (t) => {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  await using h = await connectorHouse();
  const c = await h.add(vendor, { type: 'onedrive', access: 'read_only', actAs: 'person' });
  await h.app(vendor, c);
  const { clientId } = vendor.app;
  const made = await h.api('PUT', `/connectors/${c.id}/app`, { clientId, key: true });
  const { certificate } = JSON.parse(made.text) as { certificate: string };
  vendor.registration.secrets = [];
  vendor.registration.certificates = [{ pem: certificate, name: 'gatehouse', ends: new Date(Date.now() + 86_400_000) }];
  assert.equal((await h.consent(c, h.g.house.ada, 'read_only')).status, 303);
  const read = () => h.call(c, 'read_file', { path: '/Reports/2026/june.md' });
  assert.match((await read()).says, /412/);
  // Graph refuses the token before its time, so it is renewed.
  let refused = 0;
  vendor.fault = (r) =>
    r.at === 'api' && refused++ === 0
      ? { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } }
      : undefined;
  assert.match((await read()).says, /412/);
  const asked = vendor.seen.filter((r) => r.at === 'login' && r.method === 'POST');
  assert.equal(asked.length, 2);
  assert.ok(asked.every((r) => r.body.includes('client_assertion=') && !r.body.includes('client_secret')));
});

test('whoever may not consent reads where an administrator can, and a wrong secret is told to an administrator', async (t) => {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  await using h = await connectorHouse();
  const c = await h.add(vendor, { type: 'onedrive', access: 'read_only', actAs: 'person' });
  await h.app(vendor, c);
  vendor.registration.adminConsentOnly = true;
  const no = await h.consent(c, h.g.house.ada, 'read_only');
  assert.equal(no.status, 403);
  assert.match(no.text, /AADSTS90094/);
  assert.match(no.text, /adminconsent\?client_id=/);
  vendor.registration.adminConsentOnly = false;
  vendor.registration.secrets = [{ value: vendor.app.clientSecret, name: 'old', ends: new Date(0) }];
  assert.match((await h.consent(c, h.g.house.ada, 'read_only')).text, /the client secret has ended.*AADSTS7000222/);
});

test('when an account of the organization ends is known from its certificate, from Entra, or from an administrator', async (t) => {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  await using h = await connectorHouse();
  const c = await h.add(vendor, { type: 'onedrive', access: 'read_only', actAs: 'organization' });
  const endsAt = async (kind: string): Promise<string | null> => {
    await h.give(c, kind, vendor.accounts[kind] ?? {});
    return (JSON.parse((await h.api('GET', `/connectors/${c.id}/account`)).text) as { endsAt: string | null }).endsAt;
  };
  assert.match((await endsAt('entra_certificate')) ?? '', /^20\d\d-/);
  assert.equal(await endsAt('entra_secret'), null);
  vendor.registration.roles.add('Application.Read.All');
  assert.equal(await endsAt('entra_secret'), vendor.registration.secrets[0]?.ends.toISOString());
  vendor.fault = (r) => (r.path.includes('/applications(') ? { status: 500, body: {} } : undefined);
  assert.equal(await endsAt('entra_secret'), null);
});
