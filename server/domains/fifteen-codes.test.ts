import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DnsLab, type DnsServerStandIn, type DnsZone } from '#dev/dns.ts';
import { makeDns, type Dns } from '#kernel/dns.ts';
import { newId } from '#kernel/id.ts';
import { challengeHost, challengeValue, newToken } from './challenge.ts';
import { faultCodes, faultFix, faultSays, type FaultCode } from './fault.ts';
import { judgeChallenge, type Verdict } from './judge-challenge.ts';
import { lookUpChallenge } from './look-up-challenge.ts';

// Every name is asked of real servers on loopback, over UDP and TCP, from a root of our own.
let lab: DnsLab;
let dns: Dns;
let zone: DnsZone;
let ns: DnsServerStandIn[];
let other: DnsZone;
const c = { name: 'lamps.example', token: newToken(), parent: newId('par') };
const value = challengeValue(c);
const host = challengeHost(c.name);

before(async () => {
  lab = await DnsLab.start();
  dns = makeDns(lab.options);
  await lab.zone('example');
  ({ zone, servers: ns } = await lab.zone('lamps.example', 2));
  ({ zone: other } = await lab.zone('elsewhere.example'));
});
after(() => lab.close());
const clean = { zone: [] as DnsZone['records'], other: [] as DnsZone['records'] };
beforeEach(() => {
  if (clean.zone.length === 0) Object.assign(clean, { zone: [...zone.records], other: [...other.records] });
  zone.records = [...clean.zone];
  other.records = [...clean.other];
  for (const s of ns) Object.assign(s, { manner: 'true', zones: [zone] });
  for (const r of lab.resolvers) {
    r.told.clear();
    r.manner = 'true';
  }
});

const check = async (challenge = c): Promise<Verdict> =>
  judgeChallenge(challenge, await lookUpChallenge(dns, challenge));

test('a record at the challenge name is proof when the zone and both resolvers have it', async () => {
  zone.txt(host, value);
  assert.deepEqual(await check(), {
    proved: true,
    atSource: true,
    where: ns.map((s, i) => `ns${i + 1}.lamps.example (${s.address})`),
    resolvers: 2,
  });
});

const proofs: [string, () => void][] = [
  ['on the domain itself', () => zone.txt(c.name, 'v=spf1 -all').txt(c.name, value)],
  ['in several strings of one record', () => zone.txt(host, [value.slice(0, 40), value.slice(40)])],
  ['in one pair of straight quotes', () => zone.txt(host, `"${value}"`)],
  ['among other records', () => zone.txt(host, 'something else').txt(host, value)],
  [
    'where an alias in another zone leads',
    () => {
      zone.add({ name: host, type: 'CNAME', data: 'verify.elsewhere.example' });
      other.txt('verify.elsewhere.example', value);
    },
  ],
  [
    'where a chain of aliases leads',
    () => {
      zone.add(
        { name: host, type: 'CNAME', data: 'a.lamps.example' },
        { name: 'a.lamps.example', type: 'CNAME', data: 'verify.elsewhere.example' },
      );
      other.txt('verify.elsewhere.example', value);
    },
  ],
  [
    'in an answer that needs TCP',
    () => {
      for (let i = 0; i < 20; i++) zone.txt(host, `${i} ${'x'.repeat(200)}`);
      zone.txt(host, value);
    },
  ],
  [
    'at servers that know no extensions',
    () => {
      zone.txt(host, value);
      for (const s of ns) s.manner = 'ancient';
    },
  ],
  [
    'while one of two name servers is silent',
    () => {
      zone.txt(host, value);
      ns[0]!.manner = 'silent';
    },
  ],
  [
    'while one of two resolvers fails',
    () => {
      zone.txt(host, value);
      lab.resolvers[0]!.manner = 'servfail';
    },
  ],
];
for (const [what, set] of proofs)
  test(`a record ${what} is proof`, async () => {
    set();
    const v = await check();
    assert.ok(v.proved, v.proved ? '' : `${v.finding.code}: ${v.finding.found}`);
  });

const both = (manner: DnsServerStandIn['manner']) => (): void => {
  for (const s of ns) s.manner = manner;
};
const strange = challengeValue({ parent: newId('par'), token: newToken() });
const older = challengeValue({ parent: c.parent, token: newToken() });

/** What is wrong, the one code, and what was found in words. */
const faults: [FaultCode, string, () => void, RegExp][] = [
  ['no_txt', 'there is nothing at the challenge name', () => undefined, /^NXDOMAIN$/],
  [
    'no_txt',
    'only the domain itself has TXT records, about other things',
    () => zone.txt(c.name, 'v=spf1 -all'),
    /^NXDOMAIN; 1 TXT record about other things on lamps\.example itself$/,
  ],
  [
    'no_txt',
    'the challenge name has a record of another type',
    () => zone.add({ name: host, type: 'A', data: '127.0.0.1' }),
    /^no TXT records$/,
  ],
  [
    'txt_present_no_token',
    'the challenge name has other TXT records',
    () => zone.txt(host, 'hello'),
    /^1 other TXT record: "hello"$/,
  ],
  [
    'token_other_parent',
    "another parent's value is there",
    () => zone.txt(host, strange),
    /^a verification record of another organization$/,
  ],
  ['token_old', 'a value from before is there', () => zone.txt(host, older), new RegExp(`^${older}$`)],
  ['servfail', "the zone's servers fail", both('servfail'), /^SERVFAIL$/],
  ['timeout', "the zone's servers say nothing", both('silent'), /^no answer$/],
  ['refused', "the zone's servers refuse", both('refused'), /^REFUSED$/],
  [
    'refused',
    'the zone is delegated to servers that do not serve it',
    both('lame'),
    /^an answer without authority: it does not serve the zone$/,
  ],
  [
    'dnssec_bogus',
    'the zone has the record and a validating resolver calls it forged',
    () => {
      zone.txt(host, value);
      lab.resolvers[1]!.told.set(host, { bogus: true });
      lab.resolvers[1]!.told.set(c.name, { bogus: true });
    },
    /^SERVFAIL with extended error 6$/,
  ],
  [
    'cname_target_no_txt',
    'the alias leads to a name without TXT records',
    () => zone.add({ name: host, type: 'CNAME', data: 'nothing.elsewhere.example' }),
    /^an alias to nothing\.elsewhere\.example, where no TXT record is$/,
  ],
  [
    'cname_target_no_txt',
    'aliases go in a circle',
    () =>
      zone.add(
        { name: host, type: 'CNAME', data: 'a.lamps.example' },
        { name: 'a.lamps.example', type: 'CNAME', data: host },
      ),
    /^an alias to a\.lamps\.example/,
  ],
  [
    'record_on_wrong_name',
    'the panel added the domain twice',
    () => zone.txt(`${host}.lamps.example`, value),
    /^the record is at _gatehouse-challenge\.lamps\.example\.lamps\.example$/,
  ],
  [
    'record_on_wrong_name',
    'the record is at www',
    () => zone.txt('www.lamps.example', value),
    /^the record is at www\.lamps\.example$/,
  ],
  ['quoted_value', 'the value is in curly quotes', () => zone.txt(host, `\u201c${value}\u201d`), /^\u201cgatehouse/],
  ['quoted_value', 'the quotes are escaped', () => zone.txt(host, `\\"${value}\\"`), /^\\"gatehouse/],
  [
    'truncated',
    'answers are cut, and nobody answers on TCP',
    () => {
      zone.txt(host, value);
      both('cut')();
    },
    /^a cut answer, and nothing whole over TCP$/,
  ],
  [
    'split_horizon',
    'resolvers see a record that the zone does not have',
    () => {
      for (const r of lab.resolvers) r.told.set(host, { txts: [value] });
    },
    /has it; ns1\.lamps\.example .*, which serves the zone, does not$/,
  ],
  [
    'propagating',
    'a resolver remembers that there was none',
    () => {
      zone.txt(host, value);
      lab.resolvers[0]!.told.set(host, { rcode: 'NXDOMAIN', ttl: 1800 });
    },
    /remembers an older answer for up to 1800 s$/,
  ],
];

for (const [code, what, set, found] of faults)
  test(`${code}: ${what}`, async () => {
    set();
    const v = await check();
    assert.ok(!v.proved, 'it was taken for proof');
    assert.equal(v.finding.code, code, v.finding.found);
    assert.match(v.finding.found, found);
    assert.equal(v.finding.expected, value);
    assert.match(v.finding.record, /lamps\.example$/);
    assert.match(v.finding.where, /127\.|servers/);
  });

test('nxdomain: the domain does not exist', async () => {
  const v = await check({ ...c, name: 'lamsp.example' });
  assert.ok(!v.proved);
  assert.equal(v.finding.code, 'nxdomain');
  assert.equal(v.finding.record, 'lamsp.example');
  assert.equal(v.finding.found, 'NXDOMAIN: lamsp.example does not exist');
});

test('record_on_wrong_name: a subdomain was meant, and the record is at the apex', async () => {
  zone.txt('lamps.example', challengeValue(c)).txt('shop.lamps.example', 'x');
  const v = await check({ ...c, name: 'shop.lamps.example' });
  assert.ok(!v.proved);
  assert.equal(v.finding.code, 'record_on_wrong_name');
  assert.equal(v.finding.found, 'the record is at lamps.example');
});

test('propagating: one of the name servers has an older zone', async () => {
  const { DnsZone: Zone } = await import('#dev/dns.ts');
  const old = new Zone('lamps.example');
  old.records = [...zone.records];
  ns[1]!.zones = [old];
  zone.txt(host, value);
  const v = await check();
  assert.ok(!v.proved);
  assert.equal(v.finding.code, 'propagating');
  assert.match(
    v.finding.found,
    /^ns1\.lamps\.example \(.*\) has it; ns2\.lamps\.example \(.*\) still has an older zone$/,
  );
});

test('every one of the fifteen codes has a case here, a sentence and a repair that names the domain or the record', async () => {
  const cases = new Set<string>([...faults.map(([code]) => code), 'nxdomain']);
  assert.deepEqual(
    faultCodes.filter((code) => !cases.has(code)),
    [],
  );
  assert.equal(faultCodes.length, 15);
  for (const code of faultCodes) {
    const at = new Date('2026-11-20T09:14:00Z');
    const f = {
      code,
      record: host,
      where: 'ns1',
      expected: value,
      found: 'x',
      ttl: 60,
      since: at,
      at,
      lastSuccess: null,
    };
    assert.match(faultSays(f, 'lamps.example', 'Sign-in works.'), /^lamps\.example: .*2026-11-20 09:14 UTC/);
    assert.ok(faultFix(f, 'lamps.example').length > 20);
  }
});

test('the sentence says which domain, which record, what was found where and when, since when, and what still works', () => {
  const f = {
    code: 'no_txt' as const,
    record: host,
    where: 'ns1.lamps.example (192.0.2.1)',
    expected: value,
    found: 'NXDOMAIN',
    ttl: null,
    since: new Date('2026-11-19T09:00:00Z'),
    at: new Date('2026-11-20T09:14:00Z'),
    lastSuccess: new Date('2026-11-18T03:10:00Z'),
  };
  assert.equal(
    faultSays(f, 'lamps.example', 'Sign-in goes on working; nothing changes until 2026-12-03.'),
    'lamps.example: no TXT record at _gatehouse-challenge.lamps.example. ns1.lamps.example (192.0.2.1) at 2026-11-20 09:14 UTC: NXDOMAIN; last seen 2026-11-18 03:10 UTC, missing since 2026-11-19 09:00 UTC. Sign-in goes on working; nothing changes until 2026-12-03.',
  );
  assert.equal(faultFix(f, 'lamps.example'), `add a TXT record at ${host} with the value ${value}`);
});
