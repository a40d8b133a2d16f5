import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { domainHouse, type DomainHouse } from '#dev/domain-house.ts';
import type { Founded } from '#org/found-org.ts';
import { addDomain } from './add-domain.ts';
import { DAY, type Domain } from './domain.ts';
import { connectionHintFor, findOrgsForEmail, standingOfEmail } from './home.ts';
import { setSubdomains } from './set-subdomains.ts';

let h: DomainHouse;
before(async () => {
  h = await domainHouse();
});
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.t.super(`delete from domain`);
});

async function verify(domain: string, includeSubdomains = false, of: Founded = h.ours): Promise<Domain> {
  const d = await addDomain(h.ctx(of), { domain, includeSubdomains });
  if (!h.lab.zones.some((z) => z.name === d.name) && !d.name.endsWith('lamps.example')) await h.lab.zone(d.name);
  const zone = h.lab.zones.filter((z) => d.name === z.name || d.name.endsWith(`.${z.name}`)).at(-1)!;
  zone.txt(`_gatehouse-challenge.${d.name}`, `gatehouse-domain-verification=${of.parent}.${d.token}`);
  const now = await h.check(d.id, of);
  assert.equal(now.standing.state, 'verified', JSON.stringify(now.standing));
  return now;
}
const parentOf = async (email: string): Promise<string | undefined> => (await connectionHintFor(h.t.db, email))?.parent;
const standing = (email: string, of = h.ours): Promise<string> =>
  h.t.db.read({ parent: of.parent }, (db) => standingOfEmail(db, of.parent, email));

test('an address leads to the parent that verified its domain, whether or not there is such an account', async () => {
  await verify('lamps.example');
  await h.person('real@lamps.example');
  const [real, none] = await Promise.all(
    ['real@lamps.example', 'nobody@lamps.example'].map((e) => connectionHintFor(h.t.db, e)),
  );
  assert.equal(real?.parent, h.ours.parent);
  assert.deepEqual(real, none);
  assert.deepEqual(await findOrgsForEmail(h.t.db, 'nobody@lamps.example'), [{ org: h.ours.org, name: 'ours HQ' }]);
});

test('an address of a domain that nobody verified leads nowhere', async () => {
  await addDomain(h.ctx(), { domain: 'lamps.example', includeSubdomains: true });
  for (const email of ['ada@lamps.example', 'ada@elsewhere.example', 'ada', '', 'ada@gmail.com'])
    assert.equal(await parentOf(email), undefined, email);
  assert.deepEqual(await findOrgsForEmail(h.t.db, 'ada@lamps.example'), []);
});

test('a subdomain belongs to a verified domain only if that one speaks for its subdomains', async () => {
  const d = await verify('lamps.example');
  assert.equal(await parentOf('ada@mail.lamps.example'), undefined);
  await setSubdomains(h.ctx(), d.id, true);
  assert.equal(await parentOf('ada@mail.lamps.example'), h.ours.parent);
  assert.equal(await parentOf('ada@xlamps.example'), undefined);
});

test('a subdomain with a record of its own belongs to whoever set it, not to whoever has the domain above', async () => {
  await verify('lamps.example', true);
  await verify('labs.lamps.example', false, h.theirs);
  assert.equal(await parentOf('ada@labs.lamps.example'), h.theirs.parent);
  assert.equal(await parentOf('ada@shop.lamps.example'), h.ours.parent);
  assert.equal(await standing('ada@labs.lamps.example'), 'not_ours');
  assert.equal(await standing('ada@labs.lamps.example', h.theirs), 'takes_new');
});

test('both spellings of an international domain lead to the same parent', async () => {
  await verify('bücher.example');
  assert.equal(await parentOf('ada@BÜCHER.example'), h.ours.parent);
  assert.equal(await parentOf('ada@xn--bcher-kva.example'), h.ours.parent);
});

test('a failing domain takes new people in as before, a lapsed one none, and who is in stays', async () => {
  const d = await verify('lamps.example');
  h.zone.remove('_gatehouse-challenge.lamps.example');
  assert.equal((await h.check(d.id)).standing.state, 'failing');
  assert.equal(await standing('ada@lamps.example'), 'takes_new');
  assert.equal(await parentOf('ada@lamps.example'), h.ours.parent);
  h.clock.advance(14 * DAY);
  assert.equal((await h.check(d.id)).standing.state, 'lapsed');
  assert.equal(await standing('ada@lamps.example'), 'known_only');
  assert.equal(await parentOf('ada@lamps.example'), undefined);
});

test('a lapsed domain that another parent verifies is that parent’s', async () => {
  const d = await verify('lamps.example');
  h.zone.remove('_gatehouse-challenge.lamps.example');
  await h.check(d.id);
  h.clock.advance(14 * DAY);
  await h.check(d.id);
  await verify('lamps.example', false, h.theirs);
  assert.equal(await standing('ada@lamps.example'), 'not_ours');
  assert.equal(await standing('ada@lamps.example', h.theirs), 'takes_new');
});
