import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { directoryOperations } from '#directory/directory.http.ts';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { idpGuideOperations } from './guides.http.ts';
import { providers } from './providers.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse({ operations: [...idpGuideOperations, ...directoryOperations] });
});
after(() => h[Symbol.asyncDispose]());

type Pasted = { field: string; value: string | null; ours: string | null };
type Guide = { id: string; oidc: { paste: Pasted[] }; saml: { paste: Pasted[] }; scim: { paste: Pasted[] } | null };
const guides = async (query = ''): Promise<Guide[]> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}/idp-guides${query}`);
  assert.equal(r.status, 200, r.text);
  return r.body['items'] as Guide[];
};
const valueOf = (all: Pasted[], ours: string): string | null | undefined => all.find((p) => p.ours === ours)?.value;

test('there is a guide for every identity provider, with the values of this organization to paste', async () => {
  const all = await guides();
  assert.deepEqual(
    all.map((g) => g.id),
    providers.map((p) => p.id),
  );
  const okta = all.find((g) => g.id === 'okta')!;
  assert.equal(valueOf(okta.oidc.paste, 'redirect_uri'), `${h.origin}/sign-in/callback`);
  assert.equal(valueOf(okta.saml.paste, 'acs_url'), `${h.origin}/saml/acs/${h.acme.org}`);
  assert.equal(valueOf(okta.scim!.paste, 'scim_url'), null);
  assert.equal(all.find((g) => g.id === 'google-workspace')!.scim, null);
});

test('the SCIM address in a guide is that of the directory that was asked for, and the token is never in it', async () => {
  const made = await h.api('POST', `/orgs/${h.acme.org}/directories`, { name: 'Okta' });
  const id = String(made.body['id']);
  const okta = (await guides(`?directory=${id}`)).find((g) => g.id === 'okta')!;
  assert.equal(valueOf(okta.scim!.paste, 'scim_url'), `${h.origin}/scim/v2/${id}`);
  assert.equal(valueOf(okta.scim!.paste, 'scim_token'), null);
  for (const other of [newId('dir'), 'nonsense']) {
    const r = await h.api('GET', `/orgs/${h.acme.org}/idp-guides?directory=${other}`);
    assert.equal(r.body['code'], 'directory/no-directory', r.text);
  }
});
