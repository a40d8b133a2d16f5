import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { newId } from '#kernel/id.ts';
import type { Access, ActAs } from '#vault/vendor-auth.ts';
import { connectorHouse, inCatalogue, type Added, type Called, type ConnectorHouse } from './connector-house.ts';
import type { HousePerson } from './oauth-house.ts';
import type { SeenRequest, VendorStandIn } from './vendors/vendor-stand-in.ts';

/** A call that a vendor's test makes, and what it must come to. */
export type FlowCall<V extends VendorStandIn = VendorStandIn> = {
  tool: string;
  args?: object | ((vendor: V) => object);
  /** What the model reads of the answer. */
  says: RegExp;
  /** What is so at the vendor afterwards; throws if it is not. */
  then?(vendor: V): void;
};

export type VendorFlow<V extends VendorStandIn = VendorStandIn> = {
  manifest: Manifest;
  open(): Promise<V>;
  read: FlowCall<V>;
  /** Absent: the type has no tools that write. */
  write?: FlowCall<V>;
  /** The consent of persons; absent: all of it, where the manifest has `oauth`. */
  person?: {
    /** Seconds after which an access token has ended; `null`: the vendor's tokens do not end. Default: the manifest's, else two hours. */
    ends?: number | null;
    /** Whether a request to the vendor renews. Default: a form or JSON body with `refresh_token` as its grant type. */
    renews?(r: SeenRequest): boolean;
    /** Accounts of the stand-in that must be refused. Default: `mallory` and `pat`. */
    foreign?: readonly string[];
    /** How the vendor learns that a connection ended. Default: `confirmed` where the manifest can revoke, else `impossible`. */
    told?: 'confirmed' | 'impossible';
  };
  /** Accounts of the organization. Default: each kind of the manifest, as each it can act as, with what the stand-in gives for it. */
  accounts?: readonly {
    kind: string;
    actAs: Exclude<ActAs, 'none' | 'person'>;
    /** What differs from the flow's own calls. */
    read?: Partial<FlowCall<V>>;
    write?: Partial<FlowCall<V>>;
    /** Seconds after which the minted token has ended; `null`: what is given is the token. Default: two hours. */
    ends?: number | null;
  }[];
};

/**
 * What every vendor must go through, from the administrator's first click to the end at the vendor, over HTTP and the gateway, offline. Each step is
 * a test of its own inside `t`; a step that fails leaves the later ones out of the question, so they fail with it.
 */
export async function vendorFlow<V extends VendorStandIn>(t: TestContext, f: VendorFlow<V>): Promise<void> {
  const out = inCatalogue(f.manifest);
  t.after(out);
  const vendor = await f.open();
  t.after(() => vendor.close());
  const h = await connectorHouse();
  t.after(() => h[Symbol.asyncDispose]());
  const flow = new Flow(f, vendor, h);
  if (f.manifest.oauth) await personFlow(t, flow);
  const kinds =
    f.accounts ?? f.manifest.organization.flatMap((g) => g.actsAs.map((actAs) => ({ kind: g.kind, actAs })));
  for (const account of kinds) await accountFlow(t, flow, account);
  await t.test('nothing that a vendor gave stands in the log, and nothing that a client has reached the vendor', () =>
    flow.nothingLeaked(),
  );
}

class Flow<V extends VendorStandIn> {
  readonly f: VendorFlow<V>;
  readonly vendor: V;
  readonly h: ConnectorHouse;
  constructor(f: VendorFlow<V>, vendor: V, h: ConnectorHouse) {
    this.f = f;
    this.vendor = vendor;
    this.h = h;
  }

  call(c: Added, call: FlowCall<V>, o: { person?: HousePerson; anew?: true } = {}): Promise<Called> {
    const { args = {} } = call;
    return this.h.call(c, call.tool, typeof args === 'function' ? args(this.vendor) : args, o);
  }

  async works(c: Added, call: FlowCall<V>, o: { person?: HousePerson; anew?: true } = {}): Promise<void> {
    const r = await this.call(c, call, o);
    assert.equal(r.error, false, r.says || r.raw.text);
    assert.match(r.says, call.says);
    call.then?.(this.vendor);
  }

  /** What a change of the connector brings is seen when the gateway's view is read again. */
  async offers(c: Added, access: Access): Promise<void> {
    const { read, write } = this.f;
    const asExpected = (names: readonly string[]): boolean =>
      names.includes(read.tool) && (write === undefined || names.includes(write.tool) === (access === 'read_write'));
    let names = await this.h.tools(c);
    for (let i = 0; i < 200 && !asExpected(names); i++) {
      await new Promise((r) => setTimeout(r, 50));
      names = await this.h.tools(c);
    }
    assert.ok(asExpected(names), `with ${access} it offers ${names.join(', ')}`);
  }

  async consented(c: Added, person: HousePerson, access: Access): Promise<void> {
    const done = await this.h.consent(c, person, access);
    assert.equal(done.status, 303, done.text);
  }

  async nothingLeaked(): Promise<void> {
    const { seen } = this.vendor;
    const given = new Set(
      seen.flatMap((r) => /^(?:Bearer|token) (.+)$/i.exec(String(r.headers['authorization'] ?? ''))?.[1] ?? []),
    );
    const log = await this.h.g.house.t.super<{ text: string }>('select data::text as text from audit_inbox');
    const all = log.map((e) => e.text).join('\n');
    for (const secret of [...given, this.vendor.app.clientSecret]) assert.ok(!all.includes(secret));
    const own = seen.filter((r) => String(r.headers['authorization'] ?? '').startsWith('Bearer ey'));
    const issuer = Buffer.from(`"iss":"${this.h.g.house.origin}"`).toString('utf8');
    for (const r of own) {
      const claims = String(r.headers['authorization']).split('.')[1] ?? '';
      assert.ok(
        !Buffer.from(claims, 'base64url').toString('utf8').includes(issuer),
        'a token of ours went to the vendor',
      );
    }
  }
}

const renewing = (r: SeenRequest): boolean => /grant_type"?[=:]\s*"?refresh_token/.test(r.body.toString('utf8'));

async function personFlow<V extends VendorStandIn>(t: TestContext, flow: Flow<V>): Promise<void> {
  const { f, vendor, h } = flow;
  const { manifest, read, write } = f;
  const { house } = h.g;
  const { type } = manifest;
  const person = f.person ?? {};
  const ends = person.ends === undefined ? (manifest.oauth?.lifetimes.access ?? 7200) : person.ends;
  const renews = person.renews ?? renewing;
  const link = (c: Added): string => `${house.origin}/connections/start/${c.id}`;
  let c: Added = { id: newId('con'), slug: type };

  await t.test(
    `${type}: an administrator adds it for people, to read; nobody can call it before connecting`,
    async () => {
      c = await h.add(vendor, { type, access: 'read_only', actAs: 'person' });
      await h.app(vendor, c);
      await flow.offers(c, 'read_only');
      const r = await flow.call(c, read);
      assert.equal(r.why, 'not_connected', r.says);
      assert.ok(r.says.includes(link(c)), r.says);
    },
  );

  await t.test(`${type}: a person who says no at the vendor is not connected`, async () => {
    vendor.visitor.account = 'ada';
    vendor.visitor.answer = 'deny';
    const denied = await h.consent(c, house.ada, 'read_only');
    vendor.visitor.answer = 'allow';
    assert.ok(denied.status >= 400, denied.text);
    assert.deepEqual(await live(h, c), []);
  });

  for (const account of person.foreign ?? ['mallory', 'pat'])
    await t.test(`${type}: the account of ${account} is refused, and nothing of it is kept`, async () => {
      vendor.visitor.account = account;
      const refused = await h.consent(c, house.ada, 'read_only');
      vendor.visitor.account = 'ada';
      assert.equal(refused.status, 403, refused.text);
      assert.deepEqual(await live(h, c), []);
      assert.equal((await flow.call(c, read)).why, 'not_connected');
    });

  await t.test(`${type}: a person consents to reading, reads, and can do nothing that writes`, async () => {
    await flow.consented(c, house.ada, 'read_only');
    await flow.works(c, read);
    if (!write) return;
    const r = await flow.call(c, write);
    assert.ok(r.raw.text.includes('gateway/unknown-tool'), r.raw.text);
  });

  if (write)
    await t.test(`${type}: with more access and a new consent the person writes`, async () => {
      const raised = await h.api('PATCH', `/connectors/${c.id}`, { access: 'read_write' });
      assert.equal(raised.status, 200, raised.text);
      await flow.offers(c, 'read_write');
      await flow.consented(c, house.ada, 'read_write');
      await flow.works(c, write, { anew: true });
    });

  if (ends !== null)
    await t.test(`${type}: an access token that has ended is renewed once, and calls go on`, async () => {
      const before = vendor.seen.length;
      h.advance(vendor, ends + 60);
      const r = await Promise.all([1, 2, 3].map(() => flow.call(c, read)));
      for (const a of r) assert.match(a.says, read.says);
      assert.equal(vendor.seen.slice(before).filter(renews).length, 1);
      await flow.works(c, read);
    });

  await t.test(`${type}: another person's call does not use this person's account`, async () => {
    const eve = await house.addPerson('Eve');
    assert.equal((await flow.call(c, read, { person: eve })).why, 'not_connected');
  });

  await t.test(
    `${type}: a grant that ended at the vendor ends calls with the place where to connect again`,
    async () => {
      vendor.endGrants('ada');
      // One that was renewed a moment ago is believed to be good; its time has to go on.
      if (ends !== null) h.advance(vendor, ends + 60);
      const r = await flow.call(c, read);
      assert.equal(r.why, 'reconnect', r.says);
      assert.ok(r.says.includes(link(c)), r.says);
      assert.deepEqual(
        (await live(h, c)).map((x) => x.state),
        ['reconnect'],
      );
    },
  );

  await t.test(
    `${type}: connecting again makes calls work; disconnecting ends them here and at the vendor`,
    async () => {
      await flow.consented(c, house.ada, write ? 'read_write' : 'read_only');
      await flow.works(c, read);
      await h.disconnect(c, house.ada);
      assert.deepEqual(await live(h, c), []);
      assert.equal((await flow.call(c, read)).why, 'not_connected');
      const told = person.told ?? (manifest.oauth?.revoke ? 'confirmed' : 'impossible');
      const last = (await h.connections(c)).filter((x) => x.ended_why === 'disconnected').at(-1);
      assert.equal(last?.vendor_end, told);
    },
  );
}

const live = async (h: ConnectorHouse, c: Added): Promise<{ state: string }[]> =>
  (await h.connections(c)).filter((x) => x.state !== 'revoked');

async function accountFlow<V extends VendorStandIn>(
  t: TestContext,
  flow: Flow<V>,
  a: NonNullable<VendorFlow<V>['accounts']>[number],
): Promise<void> {
  const { f, vendor, h } = flow;
  const { type } = f.manifest;
  const read = { ...f.read, ...a.read };
  const write = f.write && { ...f.write, ...a.write };
  const what = `${type}, ${a.kind} as ${a.actAs}`;
  const ends = a.ends === undefined ? 7200 : a.ends;
  const slug = `${type}-${a.kind.replaceAll('_', '-')}-${a.actAs === 'organization' ? 'org' : 'as'}`;
  let c: Added = { id: newId('con'), slug };

  await t.test(`${what}: calls wait for an administrator until the account is given`, async () => {
    c = await h.add(vendor, { type, slug, access: write ? 'read_write' : 'read_only', actAs: a.actAs });
    const r = await flow.call(c, read);
    assert.equal(r.why, 'not_connected', r.says);
    assert.match(r.says, /an administrator/);
  });

  await t.test(`${what}: a person calls without any consent of their own`, async () => {
    const fields = vendor.accounts[a.kind];
    assert.ok(fields, `the stand-in has no account ${a.kind}`);
    await h.give(c, a.kind, fields);
    await flow.works(c, read);
    if (write) await flow.works(c, write, { anew: true });
  });

  await t.test(`${what}: what people see of the account has nothing secret`, async () => {
    const { text } = await h.api('GET', `/connectors/${c.id}/account`);
    const shown = new Set(Object.values((JSON.parse(text) as { shown: Record<string, string> }).shown));
    for (const value of Object.values(vendor.accounts[a.kind] ?? {}))
      if (typeof value === 'string' && value.length > 8 && !shown.has(value))
        assert.ok(!text.includes(JSON.stringify(value).slice(1, -1)));
  });

  if (ends !== null)
    await t.test(`${what}: a token that has ended is made anew`, async () => {
      h.advance(vendor, ends + 60);
      await flow.works(c, read);
    });

  await t.test(`${what}: taken away, it is used by nobody`, async () => {
    const taken = await h.api('DELETE', `/connectors/${c.id}/account`);
    assert.equal(taken.status, 204, taken.text);
    assert.equal((await flow.call(c, read)).why, 'not_connected');
  });
}
