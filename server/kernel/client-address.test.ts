import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddress, clientNetwork, inRanges, plainRange } from './client-address.ts';

const proxies = ['10.0.0.0/8', 'fd00::/8'];

for (const [what, peer, header, from] of [
  ['a direct peer', '192.0.2.7', undefined, '192.0.2.7'],
  ['a direct peer that claims to be another', '192.0.2.7', '198.51.100.1', '192.0.2.7'],
  ['a peer behind one named proxy', '10.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['a peer behind two named proxies', '10.0.0.1', '192.0.2.7, 10.9.9.9', '192.0.2.7'],
  ['somebody who wrote the header before the proxy did', '10.0.0.1', '198.51.100.1, 192.0.2.7', '192.0.2.7'],
  ['an IPv4 peer on an IPv6 socket', '::ffff:10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
  ['a proxy that says nothing', '10.0.0.1', undefined, '10.0.0.1'],
  ['a proxy that says nonsense', '10.0.0.1', 'unknown', undefined],
  ['an IPv6 proxy', 'fd00::1', '[2001:db8::7]:443', '2001:db8::7'],
] as const)
  test(`${what} is taken to come from ${from ?? 'nowhere'}`, () =>
    assert.equal(clientAddress(peer, header, proxies), from));

for (const [text, range] of [
  ['192.0.2.0/24', '192.0.2.0/24'],
  ['192.0.2.7', '192.0.2.7/32'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['192.0.2.7/24', undefined],
  ['192.0.2.0/33', undefined],
  ['::ffff:192.0.2.0/120', undefined],
  ['0x7f.1', undefined],
  ['example.com', undefined],
] as const)
  test(`${text} ${range ? `is the range ${range}` : 'is no range'}`, () => assert.equal(plainRange(text), range));

for (const [what, address, network] of [
  ['an IPv4 address is', '192.0.2.7', '192.0.2.7'],
  ['an IPv4 address inside IPv6 is', '::ffff:192.0.2.7', '192.0.2.7'],
  ['every address of an IPv6 /64 is', '2001:db8:1:2:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
  ['the next /64 is not', '2001:db8:1:3::1', '2001:db8:1:3::/64'],
] as const)
  test(`${what} counted as ${network}`, () => assert.equal(clientNetwork(address), network));

test('an address of one family lies in no range of the other, and an unknown one in none', () => {
  assert.ok(inRanges('::ffff:192.0.2.7', ['192.0.2.0/24']));
  assert.ok(!inRanges('192.0.2.7', ['::/0']));
  assert.ok(!inRanges(undefined, ['0.0.0.0/0']));
});
