import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reach, type Reach } from './address.ts';

const judged: readonly [Reach, string, readonly string[]][] = [
  ['public', 'an address of the internet', ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:93.184.216.34']],
  ['public', 'a public address behind NAT64', ['64:ff9b::5db8:d822']],
  ['private', 'loopback', ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '::127.0.0.1', '::ffff:0:127.0.0.1']],
  ['private', 'a private network', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fd00::1', 'fc00::1']],
  ['private', 'carrier-grade NAT', ['100.64.0.1', '100.127.255.254']],
  ['private', 'a private address behind NAT64', ['64:ff9b::a00:1', '64:ff9b::7f00:1']],
  ['private', 'a private address inside 6to4 or Teredo', ['2002:a00:1::', '2001:0:a00:1::a227:27cb']],
  ['private', 'a Teredo client with a private address', ['2001:0:5db8:d822::f5ff:fffe']],
  ['never', 'link-local', ['169.254.0.1', 'fe80::1', '::ffff:169.254.1.1', '64:ff9b::a9fe:a9fe']],
  [
    'never',
    'a metadata service',
    ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
  ],
  ['never', 'this host or any host', ['0.0.0.0', '0.1.2.3', '::']],
  ['never', 'multicast or broadcast', ['224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1']],
  [
    'never',
    'a reserved range',
    ['192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '240.0.0.1', '2001:db8::1', '100::1', 'fec0::1'],
  ],
  ['never', 'an unknown form of NAT64', ['64:ff9b:1::5db8:d822']],
  ['never', 'no address', ['', 'localhost', '1.2.3', '0x7f.1', '1.2.3.4.5']],
];
for (const [verdict, what, addresses] of judged)
  for (const address of addresses)
    test(`${address || 'an empty text'} is ${what}: ${verdict}`, () => assert.equal(reach(address), verdict));
