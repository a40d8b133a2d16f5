import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import packet from 'dns-packet';
import { DnsLab, type DnsServerStandIn, type DnsZone } from '#dev/dns.ts';
import { makeDns, type Dns } from '#kernel/dns.ts';
import { readMessage } from '#kernel/dns-message.ts';
import { newId } from '#kernel/id.ts';
import { challengeHost, challengeValue, newToken } from './challenge.ts';
import { judgeChallenge, type Verdict } from './judge-challenge.ts';
import { lookUpChallenge } from './look-up-challenge.ts';
import { evidenceOf } from './evidence.ts';

let lab: DnsLab;
let dns: Dns;
let zone: DnsZone;
let ns: DnsServerStandIn;
let clean: DnsZone['records'];
let rootClean: DnsZone['records'];
const c = { name: 'lamps.example', token: newToken(), parent: newId('par') };
const value = challengeValue(c);
const host = challengeHost(c.name);

before(async () => {
  lab = await DnsLab.start();
  dns = makeDns({ ...lab.options, timeoutMs: 40 });
  const made = await lab.zone('lamps.example');
  zone = made.zone;
  ns = made.servers[0]!;
  clean = [...zone.records];
  rootClean = [...lab.zones[0]!.records];
});
after(() => lab.close());
beforeEach(() => {
  zone.records = [...clean];
  lab.zones[0]!.records = [...rootClean];
  ns.manner = 'true';
  ns.asked.length = 0;
  lab.resolvers.forEach((r) => {
    r.manner = 'true';
    r.told.clear();
  });
});

const check = async (d = dns, challenge = c): Promise<Verdict> => {
  const seen = await lookUpChallenge(d, challenge);
  const verdict = judgeChallenge(challenge, seen);
  // Whatever was said can be kept.
  for (const row of evidenceOf(seen.observations, 1, new Date(), 'x')) {
    assert.ok(
      row.answer.length <= 8 && row.answer.every((a) => a.length <= 300 && a.isWellFormed() && !a.includes('\0')),
    );
    assert.ok(row.resolver.length <= 300 && row.ttl !== undefined);
  }
  return verdict;
};
const code = (v: Verdict): string => (v.proved ? 'proved' : v.finding.code);

test('random bytes are read as a message or as nothing, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      readMessage(Buffer.from(bytes));
    }),
    { numRuns: 20_000 },
  );
});

test('a message with random edits is read or not, and never throws', () => {
  const good = packet.encode({
    type: 'response',
    id: 7,
    flags: packet.AUTHORITATIVE_ANSWER,
    questions: [{ type: 'TXT', name: host }],
    answers: [
      { type: 'CNAME', name: host, ttl: 5, data: 'a.lamps.example' },
      { type: 'TXT', name: 'a.lamps.example', ttl: 5, data: [value] },
    ],
    authorities: [{ type: 'NS', name: 'lamps.example', ttl: 5, data: 'ns1.lamps.example' }],
    additionals: [{ type: 'A', name: 'ns1.lamps.example', ttl: 5, data: '192.0.2.1' }],
  });
  const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(edits, fc.nat(good.length), (list, length) => {
      const bytes = Buffer.from(good);
      for (const [at, to] of list) bytes[at] = to;
      readMessage(bytes.subarray(0, length));
      readMessage(bytes);
    }),
    { numRuns: 20_000 },
  );
});

test('servers that answer with garbage are never believed, and never bring the check down', async () => {
  const framed = (tail: Uint8Array) => (query: Buffer) =>
    Buffer.concat([query.subarray(0, 2), Buffer.from([0x84, 0]), tail]);
  const asked = (flags: number, counts: number[], tail: Uint8Array) => (query: Buffer) => {
    const q = packet.decode(query).questions ?? [];
    const head = packet.encode({
      type: 'response',
      id: query.readUInt16BE(0),
      flags: packet.AUTHORITATIVE_ANSWER | flags,
      questions: q,
    });
    counts.forEach((n, i) => head.writeUInt16BE(n, 6 + 2 * i));
    return Buffer.concat([head, tail]);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom('bytes', 'framed', 'asked'),
      fc.nat(15),
      fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }),
      async (tail, how, rcode, counts) => {
        const raw =
          how === 'bytes' ? () => Buffer.from(tail) : how === 'framed' ? framed(tail) : asked(rcode, counts, tail);
        ns.manner = { raw };
        for (const r of lab.resolvers) r.manner = { raw };
        assert.notEqual(code(await check()), 'proved');
      },
    ),
    { numRuns: 60 },
  );
});

test('random TXT records prove nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 5 }), async (texts) => {
      zone.records = [...clean];
      for (const t of texts) zone.txt(host, t.length === 0 ? ' ' : t);
      assert.notEqual(code(await check()), 'proved');
    }),
    { numRuns: 100 },
  );
});

test('an answer with another id, another question or another spelling of it is not believed', async () => {
  // The resolvers were fooled already; the zone's own server is what is left.
  for (const r of lab.resolvers) r.told.set(host, { txts: [value] });
  for (const edit of [
    (b: Buffer) => b.writeUInt16BE((b.readUInt16BE(0) + 1) & 0xffff, 0),
    (b: Buffer) => b.write('lomps', b.indexOf(5, 12) + 1),
    (b: Buffer) => {
      // The question in lower case, as a forger who has not seen it must guess.
      const q = packet.decode(b).questions![0]!;
      b.write(q.name.split('.')[0]!.toLowerCase(), 13);
      b.write(q.name.split('.')[0]!.toUpperCase(), 13);
    },
  ]) {
    const forged = (query: Buffer, over: 'udp' | 'tcp'): Buffer => {
      const bytes = packet.encode({
        type: 'response',
        id: query.readUInt16BE(0),
        flags: packet.AUTHORITATIVE_ANSWER,
        questions: packet.decode(query).questions,
        answers: [{ type: 'TXT', name: host, ttl: 5, data: [value] }],
      });
      if (over === 'tcp')
        return packet.encode({
          type: 'response',
          id: query.readUInt16BE(0),
          flags: packet.AUTHORITATIVE_ANSWER,
          questions: packet.decode(query).questions,
        });
      edit(bytes);
      return bytes;
    };
    ns.manner = { raw: forged };
    assert.equal(code(await check()), 'split_horizon');
  }
});

test('a datagram that does not belong to our question does not spoil the answer that comes after it', async () => {
  zone.txt(host, value);
  ns.manner = {
    raw(query, over) {
      ns.manner = 'true';
      const right = [ns.answer(query, over) ?? []].flat()[0]!;
      ns.manner = manner;
      const wrong = Buffer.from(right);
      wrong.writeUInt16BE((right.readUInt16BE(0) + 1) & 0xffff, 0);
      wrong[3] = 5; // REFUSED
      return over === 'udp' ? [wrong, Buffer.from('x'), right] : [];
    },
  };
  const { manner } = ns;
  assert.equal(code(await check()), 'proved');
});

test('a delegation to an address inside a network is not followed unless the operator allows it', async () => {
  zone.txt(host, value);
  const careful = makeDns({ ...lab.options, private: false });
  const v = await check(careful);
  assert.ok(!v.proved);
  assert.equal(v.finding.code, 'refused');
  assert.equal(v.finding.found, 'an address inside a network, which we do not ask');
  assert.deepEqual(ns.asked, []);
});

test('an address of link-local or metadata kind is never asked, whoever names it', async () => {
  const anywhere = makeDns({ ...lab.options, roots: [{ address: '169.254.169.254', port: lab.port }], private: true });
  const v = await check(anywhere);
  assert.ok(!v.proved && v.finding.code === 'refused');
});

test('an address that a zone tells for a name outside of it is not believed', async () => {
  // evil.example delegates a part of itself to our server's name and says that it lives elsewhere.
  const thief = await lab.server();
  const { zone: evil, servers } = await lab.zone('evil.example');
  evil.add(
    { name: 'sub.evil.example', type: 'NS', data: 'ns1.lamps.example' },
    { name: 'ns1.lamps.example', type: 'A', data: thief.address },
  );
  servers[0]!.zones = [evil];
  thief.manner = 'servfail';
  await check(dns, { ...c, name: 'sub.evil.example' });
  assert.deepEqual(thief.asked, []);
  lab.zones.splice(lab.zones.indexOf(evil), 1);
});

test('delegations without an end cost a bounded number of questions', async () => {
  const { zone: maze, servers } = await lab.zone('maze.example');
  const server = servers[0]!;
  server.manner = {
    raw(query) {
      server.asked.push('x');
      const q = packet.decode(query).questions![0]!;
      // Each answer leads to ten name servers of names that must be looked up at this server again.
      const names = Array.from({ length: 10 }, (_, i) => `n${i}x${server.asked.length}.maze.example`);
      const labels = q.name.toLowerCase().split('.');
      const at = labels.slice(Math.max(0, labels.length - 3 - (server.asked.length % 3))).join('.');
      return packet.encode({
        type: 'response',
        id: query.readUInt16BE(0),
        questions: [q],
        authorities: names.map((data) => ({ type: 'NS' as const, name: at, ttl: 5, data })),
      });
    },
  };
  const v = await check(dns, { ...c, name: 'a.b.c.d.e.maze.example' });
  assert.notEqual(code(v), 'proved');
  assert.ok(server.asked.length <= 260, String(server.asked.length));
  lab.zones.splice(lab.zones.indexOf(maze), 1);
});

test('a chain of aliases from zone to zone ends', async () => {
  for (let i = 0; i < 30; i++)
    zone.add({ name: `h${i}.lamps.example`, type: 'CNAME', data: `h${i + 1}.lamps.example` });
  zone.add({ name: host, type: 'CNAME', data: 'h0.lamps.example' }).txt('h30.lamps.example', value);
  const v = await check();
  assert.equal(code(v), 'cname_target_no_txt');
});

test('whoever serves the pages of a domain cannot claim it: an alias of the domain itself proves nothing', async () => {
  const { zone: pages } = await lab.zone('pages.example');
  zone.add({ name: 'shop.lamps.example', type: 'CNAME', data: 'lamps.pages.example' });
  pages.txt('lamps.pages.example', value);
  assert.equal(code(await check(dns, { ...c, name: 'shop.lamps.example' })), 'no_txt');
  // The same through a wildcard, which the challenge's name falls under.
  const wild = { ...c, name: 'wild.example' };
  const { zone: z, servers } = await lab.zone('wild.example');
  const every = servers[0]!;
  every.manner = {
    raw(query, over) {
      const q = packet.decode(query).questions![0]!;
      const name = q.name.toLowerCase();
      z.remove(name, 'CNAME');
      if (name !== 'wild.example' && !name.startsWith('ns'))
        z.add({ name, type: 'CNAME', data: 'lamps.pages.example' });
      every.manner = 'true';
      const said = every.answer(query, over) ?? [];
      every.manner = manner;
      return said;
    },
  };
  const { manner } = every;
  const v = await check(dns, wild);
  assert.ok(!v.proved && v.finding.code === 'cname_target_no_txt', code(v));
  assert.match(v.finding.found, /^an alias of every name of the domain \(a wildcard\) to lamps\.pages\.example/);
});

test('a message larger than we take over TCP is a cut answer, not a memory hole', async () => {
  ns.manner = 'tcp_only';
  for (let i = 0; i < 180; i++) zone.txt(host, 'x'.repeat(250));
  const v = await check();
  assert.equal(code(v), 'truncated');
});

test('with no root to ask there is a fault and no crash', async () => {
  const v = await check(makeDns({ roots: [], resolvers: [] }));
  assert.equal(code(v), 'timeout');
});
