import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Browser } from '#dev/browser.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { newId, type Id } from '#kernel/id.ts';
import { systemCtx } from '#kernel/ctx.ts';
import { enforcementOperations } from './enforcement.http.ts';
import { simulate } from './simulate.ts';
import { conditionsOf } from './set-enforcement.ts';

/**
 * INVARIANT (the simulator tells the truth): for people of every kind, in every mode, what it predicts is what the real door then does.
 */
let h: SignInHouse;
let p: ProvisioningHouse;
before(async () => {
  h = await signInHouse({ operations: enforcementOperations });
  p = await provisioningHouse(h);
  await h.inDirectory('00u-ada', h.acme.owner);
  group = (await p.ok('POST', '/groups', { name: 'Let in' }))['id'];
  await h.t.super(
    `insert into group_mapping (org, id, group_id, role, created_by, created_at) values ($1, $2, $3, 'user', 'test', now())`,
    h.acme.org,
    newId('map'),
    group,
  );
});
after(() => h[Symbol.asyncDispose]());

/** Everything that makes a person different for the door. */
const Person = fc.record({
  linked: fc.constantFrom('no', 'here', 'elsewhere'),
  entry: fc.constantFrom('none', 'with_id', 'without_id', 'shared_id'),
  entryActive: fc.boolean(),
  proved: fc.boolean(),
  seat: fc.boolean(),
  inGroup: fc.boolean(),
  breakGlass: fc.constantFrom(false, false, false, true),
});
type Person = typeof Person extends fc.Arbitrary<infer T> ? T : never;
const World = fc.record({
  mode: fc.constantFrom('login_only', 'jit_permissive', 'jit_advanced', 'scim_permissive', 'scim_advanced'),
  matchDirectory: fc.boolean(),
  onlyHere: fc.boolean(),
  people: fc.array(Person, { minLength: 3, maxLength: 6 }),
});

let n = 0;
let group: Id<'grp'>;
type Made = { user: Id<'usr'>; subject: string; externalId: string; says: object };

async function make(x: Person, other: string): Promise<Made> {
  const name = `p${n++}`;
  const { user, member } = await h.addPerson(name, 'user');
  const subject = `sub-${name}`;
  const externalId = x.linked === 'no' ? subject : `ext-${name}`;
  const entry = async (id: string | null, active: boolean, who: Id<'usr'>): Promise<void> => {
    await h.t.super(
      `insert into scim_user (parent, id, directory, attributes, user_name_key, external_id, active, user_id, created_at, changed_at)
       values ($1, $2, $3, '{}', $4, $5, $6, $7, now(), now())`,
      h.acme.parent,
      newId('scu'),
      p.directory,
      `${name}-${String(id)}-${who}`,
      id,
      active,
      who,
    );
  };
  if (x.entry !== 'none') await entry(x.entry === 'without_id' ? null : externalId, x.entryActive, user);
  if (x.entry === 'shared_id') {
    const twin = await h.addPerson(`${name}twin`, 'user');
    await h.t.super('delete from member where id = $1', twin.member);
    // Another directory may have the same externalId; within one it cannot be.
    const second = newId('dir');
    await h.t.super(
      `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, 'Second', now())`,
      h.acme.parent,
      second,
      h.acme.org,
    );
    await h.t.super(
      `insert into scim_user (parent, id, directory, attributes, user_name_key, external_id, active, user_id, created_at, changed_at)
       values ($1, $2, $3, '{}', $4, $5, true, $6, now(), now())`,
      h.acme.parent,
      newId('scu'),
      second,
      `${name}-twin`,
      externalId,
      twin.user,
    );
  }
  if (x.linked !== 'no')
    await h.t.super(
      `insert into identity_link (parent, connection, issuer, subject, user_id, made_by, linked_at) values ($1, $2, $3, $4, $5, 'person', now())`,
      h.acme.parent,
      x.linked === 'here' ? h.sso : other,
      h.idp.issuer,
      subject,
      user,
    );
  if (x.seat)
    await h.t.super(
      `insert into member_seat (org, member, user_id, source, tier, activated_at, asserted_at) values ($1, $2, $3, 'hand', null, now(), now())`,
      h.acme.org,
      member,
      user,
    );
  if (x.inGroup)
    await h.t.super(
      `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
      h.acme.parent,
      h.acme.org,
      group,
      user,
    );
  if (x.breakGlass)
    await h.t.super(
      `insert into provisioning_exempt (org, user_id, why, set_by, set_at) values ($1, $2, 'test', 'test', now())`,
      h.acme.org,
      user,
    );
  const says = {
    claims: (c: Record<string, unknown>) => ({ ...c, email: `${name}@acme.example`, email_verified: true }),
  };
  if (x.proved && x.linked === 'here') await h.signIn(subject, says);
  return { user, subject, externalId, says };
}

const enters = async (b: Browser): Promise<boolean> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}`, undefined, { cookie: b.cookies(new URL(h.origin)) });
  return r.status === 200;
};

/** Each way that the person has once single sign-on is enforced. */
async function getsIn(m: Made): Promise<boolean> {
  for (const subject of new Set([m.subject, m.externalId]))
    if (await enters(await h.signIn(subject, m.says))) return true;
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, m.user);
  const b = await new Browser().open(url);
  return enters(await b.submit(/Sign in as/));
}

test('whoever is predicted to get in gets in, and whoever is predicted to be locked out does not, in every mode and for every kind of person', async () => {
  const other = await h.connect(h.idp, { name: 'Elsewhere', clientId: 'elsewhere', matchDirectory: false });
  let compared = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(World, async (w) => {
      await h.t.super('delete from sso_enforcement');
      await h.t.super(`delete from membership_tombstone`);
      await h.t.super(
        `insert into org_provisioning (parent, org, mode, prefix, domains, version, changed_at, changed_by)
         values ($1, $2, $3, 'gatehouse', '{}', 1, now(), 'test') on conflict (org) do update set mode = excluded.mode`,
        h.acme.parent,
        h.acme.org,
        w.mode,
      );
      await h.t.super('update sso_connection set match_directory = $1 where id = $2', w.matchDirectory, h.sso);
      const made: Made[] = [];
      for (const x of w.people) made.push(await make(x, other));
      const ctx = { ...systemCtx(h.world, 'test', h.acme), org: h.acme.org };
      const wanted = {
        state: 'full' as const,
        percent: 0,
        groups: [],
        connections: w.onlyHere ? [h.sso as Id<'sso'>] : [],
      };
      const s = await h.world.db.read(h.acme, (db) => simulate(db, ctx, wanted));
      const predicted = new Map(s.people.map((x) => [x.user, x]));
      // Straight into the table: what setEnforcement asks beforehand is other tests' business.
      await h.t.super(
        `insert into sso_enforcement (org, state, connections, preview_hash, changed_by, changed_at) values ($1, 'full', $2, $3, 'test', now())`,
        h.acme.org,
        wanted.connections,
        s.hash,
      );
      for (const m of made) {
        const x = predicted.get(m.user);
        // The sign-in before, which proved them, took them out: then they are no member to predict anything of.
        if (!x) continue;
        seen.add(`${x.verdict} ${x.code ?? ''}`);
        if (x.verdict === 'at_risk') continue;
        compared++;
        // A link elsewhere is a way in only where that connection counts; the test comes through the first one.
        if (x.verdict !== 'locked_out' && !w.onlyHere && x.code === null && (await onlyElsewhere(m.user, other)))
          continue;
        assert.equal(
          await getsIn(m),
          x.verdict !== 'locked_out',
          `${x.displayName}: ${x.verdict} ${x.code ?? ''} ${x.says}`,
        );
      }
      await h.t.super('delete from provisioning_exempt');
      await h.t.super(`delete from member m using app_user u where u.id = m.user_id and u.display_name ~ '^p[0-9]+$'`);
      await h.t.super(`delete from scim_user where user_name_key like 'p%'`);
    }),
    { numRuns: 10, seed: 20261120, endOnFailure: true },
  );
  assert.ok(compared >= 30, `${compared} people`);
  for (const verdict of [
    'ok_proved',
    'ok_predicted',
    'ok_predicted break_glass',
    'locked_out no_identity',
    'locked_out other_connection',
  ])
    assert.ok(
      [...seen].some((x) => x.startsWith(verdict)),
      `${verdict}: ${[...seen].join(', ')}`,
    );
});

async function onlyElsewhere(user: Id<'usr'>, other: string): Promise<boolean> {
  const rows = await h.t.super<{ connection: string }>('select connection from identity_link where user_id = $1', user);
  return rows.length > 0 && rows.every((r) => r.connection === other);
}

test('the conditions look at the same people as the simulation, so an owner who would be locked out is found there', async () => {
  await h.t.super('delete from sso_enforcement');
  await h.addPerson('Olga', 'owner');
  const ctx = { ...systemCtx(h.world, 'test', h.acme), org: h.acme.org };
  const wanted = { state: 'full' as const, percent: 0, groups: [], connections: [] };
  await h.world.db.read(h.acme, async (db) => {
    const s = await simulate(db, ctx, wanted);
    const failed = (await conditionsOf(db, ctx, s)).filter((c) => !c.met).map((c) => c.code);
    assert.ok(failed.includes('identity/enforcement-owner-locked-out'), failed.join(', '));
  });
});
