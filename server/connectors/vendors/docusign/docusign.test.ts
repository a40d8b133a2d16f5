import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { startDocusign, type DocusignStandIn } from '#dev/vendors/docusign.ts';
import { inHand, REDIRECT, type HandOptions, type InHand } from '#dev/vendors/in-hand.ts';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { GrantRefused } from '#vault/organization-grant.ts';
import { docusignManifest as manifest } from './manifest.ts';

type Hand = InHand & { vendor: DocusignStandIn };
async function docusign(
  t: TestContext,
  o: HandOptions & { prepare?: (v: DocusignStandIn) => void } = {},
): Promise<Hand> {
  const vendor = await startDocusign();
  t.after(() => vendor.close());
  o.prepare?.(vendor);
  return { vendor, ...(await inHand(t, manifest, vendor, o)) };
}
const structured = async (p: Promise<{ structuredContent?: unknown }>) =>
  (await p).structuredContent as Record<string, unknown>;
const byJwt = { account: 'jwt_grant' };
const refused = (because: string, says: RegExp) => (e: unknown) =>
  e instanceof GrantRefused && e.because === because && says.test(e.says);
const at = (v: DocusignStandIn, subject: RegExp) => {
  const found = v.world.envelopes.find((e) => subject.test(e.subject));
  assert.ok(found);
  return found;
};

test('envelopes are listed since a month ago, newest first, and only those that the user may see', async (t) => {
  const { say } = await docusign(t);
  const text = await say('list_envelopes');
  assert.match(text, /2 of 2 envelopes/);
  assert.match(
    text,
    /sent: Lease of the lamp factory, from Ada Lovelace <ada@acme.example>[^]*completed: Non-disclosure/,
  );
  assert.doesNotMatch(text, /Offer to a new hire|Old lease/);
  assert.match(await say('list_envelopes', { from_date: '2020-01-01', status: ['voided'] }), /Old lease/);
});

test('a list goes on where the answer before ended, and ends', async (t) => {
  const { run } = await docusign(t, byJwt);
  const first = await structured(run('list_envelopes', { limit: 2 }));
  assert.equal(first['next_start'], 2);
  const second = await structured(run('list_envelopes', { limit: 2, start: first['next_start'] }));
  assert.deepEqual([(second['envelopes'] as unknown[]).length, second['next_start']], [1, undefined]);
  const none = await structured(run('list_envelopes', { search_text: 'nobody knows this' }));
  assert.deepEqual([none['total'], none['next_start']], [0, undefined]);
});

test('an envelope shows its documents, and a document, all of them and the certificate are read as text', async (t) => {
  const { say, vendor } = await docusign(t);
  const { id } = at(vendor, /^Lease/);
  assert.match(await say('get_envelope', { envelope_id: id }), /sent: Lease[^]*document 1: contract.pdf, 1 pages/);
  assert.match(await say('download_document', { envelope_id: id, document_id: '1' }), /12 lamps for 40 crowns/);
  assert.match(await say('download_document', { envelope_id: id, document_id: 'combined' }), /contract.pdf/);
  assert.match(
    await say('download_document', { envelope_id: id, document_id: 'certificate' }),
    /Certificate of completion/,
  );
  await assert.rejects(say('download_document', { envelope_id: id, document_id: '9' }), {
    code: 'DOCUMENT_DOES_NOT_EXIST',
  });
  assert.match(await say('list_recipients', { envelope_id: id }), /1 signers: Zoe Tenant <zoe@tenant.example>, sent/);
});

test('what cannot be an id or a number never reaches an address', async (t) => {
  const { say, vendor } = await docusign(t);
  const before = vendor.seen.length;
  for (const args of [
    { envelope_id: '../../accounts' },
    { envelope_id: at(vendor, /^Lease/).id, document_id: '../1' },
    { envelope_id: at(vendor, /^Lease/).id, document_id: '0' },
  ])
    await assert.rejects(say('download_document', { document_id: '1', ...args }));
  assert.equal(vendor.seen.length, before);
});

test("another user's envelope is not there, and the words say so", async (t) => {
  const { say, vendor } = await docusign(t);
  await assert.rejects(say('get_envelope', { envelope_id: at(vendor, /^Offer/).id }), /this user may not see it/);
});

test('a draft of texts reaches nobody until it is sent to exactly those whom the call names', async (t) => {
  const { run, say, vendor } = await docusign(t);
  const made = await structured(
    run('create_draft_envelope', {
      subject: 'Contract of work',
      message: 'Please sign.',
      documents: [{ name: 'contract', text: 'We agree.' }],
      recipients: [
        { name: 'Zoe Tenant', email: 'zoe@tenant.example' },
        { name: 'Grace Hopper', email: 'grace@acme.example', kind: 'copy', order: 2 },
      ],
    }),
  );
  assert.equal(vendor.world.mails.length, 0);
  const envelope_id = String(made['id']);
  const refusal = { code: 'connectors/docusign-other-recipients' };
  for (const recipients of [
    ['zoe@tenant.example'],
    ['zoe@tenant.example', 'grace@acme.example', 'eve@evil.example'],
    ['zoe@tenant.example', 'grace@evil.example'],
  ])
    await assert.rejects(say('send_envelope', { envelope_id, recipients }), refusal);
  assert.equal(vendor.world.mails.length, 0);
  assert.match(
    await say('send_envelope', { envelope_id, recipients: ['GRACE@acme.example', 'zoe@tenant.example'] }),
    /was sent to/,
  );
  assert.deepEqual(
    vendor.world.mails.map((m) => [m.to, m.why]),
    [
      ['zoe@tenant.example', 'sent'],
      ['grace@acme.example', 'sent'],
    ],
  );
  await assert.rejects(
    say('send_envelope', { envelope_id, recipients: ['grace@acme.example', 'zoe@tenant.example'] }),
    /not in a state in which that can be done/,
  );
});

test('a draft of a template takes its roles, and nothing else', async (t) => {
  const { run, say, vendor } = await docusign(t);
  assert.match(
    await say('list_templates', { search_text: 'lease' }),
    /1 of 1 templates[^]*Lease: Lamps \[roles: Tenant, Owner\]/,
  );
  const template_id = vendor.world.templates[0]?.id;
  const zoe = { name: 'Zoe', email: 'zoe@tenant.example' };
  const draft = (more: object) => run('create_draft_envelope', { subject: 'NDA', recipients: [zoe], ...more });
  await assert.rejects(draft({}), { code: 'connectors/docusign-draft' });
  await assert.rejects(draft({ template_id, documents: [{ name: 'x', text: 'y' }] }), {
    code: 'connectors/docusign-draft',
  });
  await assert.rejects(draft({ template_id }), { code: 'connectors/docusign-role' });
  await assert.rejects(draft({ template_id, recipients: [{ ...zoe, role: 'King' }] }), {
    code: 'INVALID_TEMPLATE_ROLE',
  });
  const made = await structured(draft({ template_id, recipients: [{ ...zoe, role: 'Partner' }] }));
  assert.equal(made['status'], 'created');
});

test('recipients outside of the domains of the connector get no draft and nothing that was drafted elsewhere', async (t) => {
  const { say, vendor } = await docusign(t, { settings: { recipient_domains: ['acme.example'] }, ...byJwt });
  const documents = [{ name: 'x', text: 'y' }];
  const outside = { code: 'connectors/docusign-recipient' };
  for (const email of ['zoe@tenant.example', 'zoe@acme.example.evil.example', 'zoe@sub.acme.example'])
    await assert.rejects(
      say('create_draft_envelope', { subject: 's', documents, recipients: [{ name: 'Z', email }] }),
      outside,
    );
  await assert.rejects(
    say('send_envelope', { envelope_id: at(vendor, /^Offer/).id, recipients: ['nora@new.example'] }),
    outside,
  );
  assert.equal(vendor.world.mails.length, 0);
  assert.match(manifest.remote?.refuses?.({ recipient_domains: [] }) ?? '', /knows nothing of recipient_domains/);
});

test('an envelope under way is voided with its reason, a finished one is not', async (t) => {
  const { say, vendor } = await docusign(t);
  const reason = 'The price was wrong';
  assert.match(await say('void_envelope', { envelope_id: at(vendor, /^Lease/).id, reason }), /was voided/);
  assert.deepEqual(vendor.world.mails, [
    { to: 'zoe@tenant.example', subject: 'Lease of the lamp factory', why: 'voided' },
  ]);
  assert.equal(at(vendor, /^Lease/).voidedReason, reason);
  await assert.rejects(
    say('void_envelope', { envelope_id: at(vendor, /^Non-disclosure/).id, reason }),
    /only an envelope that was sent and is not completed can be voided/,
  );
});

test('an hour that is used up, a burst and an envelope that is asked for too often are told apart, with how long to wait', async (t) => {
  const { say, vendor } = await docusign(t);
  const envelope_id = at(vendor, /^Lease/).id;
  vendor.left.hour = 0;
  await assert.rejects(
    say('list_envelopes'),
    /has had too many requests; it asks to wait \d+ seconds.*requests of this hour are used up/,
  );
  vendor.advance(3600);
  vendor.polls = 1;
  await say('get_envelope', { envelope_id });
  await assert.rejects(say('get_envelope', { envelope_id }), /once in 15 minutes/);
  const burst = manifest.readError?.({
    status: 400,
    at: 'api',
    headers: new Headers(),
    body: { errorCode: 'BURST_APIINVOCATION_LIMIT_EXCEEDED', message: 'too fast' },
  });
  assert.deepEqual([burst?.means, burst?.afterSeconds], ['throttled', 30]);
});

test('a token that has ended is renewed once, and the refresh token before it goes on for a while', async (t) => {
  const { say, got, vendor } = await docusign(t);
  vendor.advance(8 * 3600 + 60);
  assert.match(await say('list_envelopes'), /envelopes since/);
  assert.equal(got(), 2);
  vendor.endGrants('ada');
  await assert.rejects(say('list_envelopes'), /reconnect: invalid_grant/);
});

test('a user of another account, and one with only an account of their own, is not this organization’s', async (t) => {
  for (const account of ['mallory', 'pat']) {
    const { client, vendor } = await docusign(t, { prepare: (v) => (v.visitor.account = account) });
    const who = await manifest.whoami(client);
    assert.match(manifest.foreign?.(who, vendor.settings, undefined) ?? '', /is not in the Docusign account/);
  }
  const { client, vendor } = await docusign(t);
  const ada = await manifest.whoami(client);
  assert.deepEqual([ada.email, ada.tenant], ['ada@acme.example', vendor.world.accountId]);
  assert.equal(manifest.foreign?.(ada, vendor.settings, undefined), undefined);
});

test('an account that lies at another site is told of with the right one', async (t) => {
  const { client, vendor } = await docusign(t);
  vendor.fault = (r) =>
    r.path === '/oauth/userinfo'
      ? {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: {
            sub: 'x',
            accounts: [{ account_id: vendor.world.accountId, base_uri: 'https://na4.docusign.net', is_default: true }],
          },
        }
      : undefined;
  await assert.rejects(
    manifest.whoami(client),
    /is at na4.docusign.net, and the connector's site is demo.docusign.net/,
  );
});

test('the app acts as the user that was entered, or as the caller, found by their address alone', async (t) => {
  const own = await docusign(t, byJwt);
  assert.equal((await manifest.whoami(own.client)).email, 'robot@acme.example');
  const asCaller = (email: string): Promise<Hand> =>
    docusign(t, { ...byJwt, actAs: 'organization_as_person', person: { email, name: 'X' } });
  assert.equal((await manifest.whoami((await asCaller('Grace@acme.example')).client)).email, 'grace@acme.example');
  // Docusign finds addresses that contain what is asked for; a part of one is nobody.
  for (const email of ['ce@acme.example', 'charles@acme.example', 'mallory@rival.example'])
    await assert.rejects(asCaller(email), refused('reconnect', new RegExp(`${email} is no active user`)));
});

test('two users with one address are nobody', async (t) => {
  await assert.rejects(
    docusign(t, {
      ...byJwt,
      actAs: 'organization_as_person',
      prepare: (v) => {
        for (const u of v.world.users) if (u.account === 'grace') u.email = 'ada@acme.example';
      },
    }),
    refused('reconnect', /is 2 users/),
  );
});

test('what an administrator must do is said for each no of the JWT grant', async (t) => {
  const with_ = (prepare: (v: DocusignStandIn) => void, more: HandOptions = {}) =>
    docusign(t, { ...byJwt, ...more, prepare });
  await assert.rejects(
    with_((v) => v.withdraw('robot')),
    refused(
      'app',
      /https:\/\/account-d\.docusign\.com\/oauth\/auth\?response_type=code&scope=signature%20impersonation&client_id=[0-9a-f-]+&redirect_uri=[^]*admin_consent_scope=signature%20impersonation/,
    ),
  );
  const change = (fields: object) => (v: DocusignStandIn) => {
    Object.assign(v, { accounts: { jwt_grant: { ...v.accounts['jwt_grant'], ...fields } } });
  };
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const pem = other.export({ type: 'pkcs8', format: 'pem' }).toString();
  const id = '11111111-2222-3333-4444-555555555555';
  await assert.rejects(with_(change({ private_key: pem })), refused('app', /make a new pair/));
  await assert.rejects(
    with_(change({ integration_key: id })),
    refused('app', /demo and production have their own apps/),
  );
  await assert.rejects(with_(change({ user_id: id })), refused('reconnect', /user ID is not known/));
  await assert.rejects(
    with_(() => undefined, { settings: { login: 'account.docusign.com' } }),
    refused('app', /demo and production/),
  );
  await assert.rejects(
    with_((v) => ((v.world.users.find((u) => u.account === 'robot') ?? v.world.users[0]!).admin = false), {
      actAs: 'organization_as_person',
    }),
    refused('later', /it must be an administrator/),
  );
});

test('a key that is no RSA key, and an id that is none, are refused where they are entered', () => {
  const fields = manifest.organization[0]!.fields;
  const good = {
    integration_key: '11111111-2222-3333-4444-555555555555',
    user_id: '11111111-2222-3333-4444-555555555555',
  };
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  for (const private_key of ['x', String(ec)]) assert.equal(fields.safeParse({ ...good, private_key }).success, false);
  assert.equal(manifest.settings.safeParse({ account_id: 'acme', site: 'na3.docusign.net' }).success, false);
  assert.equal(
    manifest.settings.safeParse({ account_id: good.user_id, site: 'docusign.net.evil.example' }).success,
    false,
  );
});

test('the stand-in refuses what Docusign refuses: another redirect, an unknown scope, a used code, a wrong verifier, a wrong secret', async (t) => {
  const vendor = await startDocusign();
  t.after(() => vendor.close());
  vendor.registerRedirect(REDIRECT);
  const login = vendor.origins['login'] ?? '';
  const visit = async (more: Record<string, string>): Promise<URL | number> => {
    const q = new URLSearchParams({
      response_type: 'code',
      client_id: vendor.app.clientId,
      redirect_uri: REDIRECT,
      scope: 'signature',
      ...more,
    });
    const r = await fetch(`${login}/oauth/auth?${q.toString()}`, { redirect: 'manual' });
    const to = r.headers.get('location');
    return to === null ? r.status : new URL(to);
  };
  const code = async (): Promise<string> => {
    const to = await visit({ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' });
    return typeof to === 'number' ? '' : (to.searchParams.get('code') ?? '');
  };
  const ask = async (form: Record<string, string>, secret = vendor.app.clientSecret): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(`${vendor.app.clientId}:${secret}`).toString('base64')}`;
    const r = await fetch(`${login}/oauth/token`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    });
    return ((await r.json()) as Record<string, unknown>)['error'];
  };
  assert.equal(await visit({ redirect_uri: 'https://evil.example/' }), 400);
  assert.equal(await visit({ client_id: 'x' }), 400);
  assert.match(String(await visit({ scope: 'everything' })), /error=invalid_scope/);
  const one = await code();
  const exchange = { grant_type: 'authorization_code', code: one, redirect_uri: REDIRECT, code_verifier: 'wrong' };
  assert.equal(await ask(exchange, 'wrong'), 'invalid_client');
  assert.equal(await ask(exchange), 'invalid_grant');
  assert.equal(await ask(exchange), 'invalid_grant');
  assert.equal(await ask({ grant_type: 'refresh_token', refresh_token: 'x' }), 'invalid_grant');
});

test('Docusign through the gateway, for persons and for the organization', (t) =>
  vendorFlow(t, {
    manifest,
    open: startDocusign,
    read: { tool: 'list_envelopes', says: /Lease of the lamp factory/ },
    write: {
      tool: 'create_draft_envelope',
      args: {
        subject: 'Drafted by an agent',
        documents: [{ name: 'contract', text: 'We agree.' }],
        recipients: [{ name: 'Zoe Tenant', email: 'zoe@tenant.example' }],
      },
      says: /The draft [0-9a-f-]{36} is there \(created\)/,
    },
  }));
