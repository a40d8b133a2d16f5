import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/**
 * Addresses that hand out a machine's own credentials or configuration to whoever asks from inside, link-local ones as a whole, and such as are
 * nobody's. A name that resolves to one of them is refused, whoever allowed the name: only who writes the address itself means it.
 */
const forbidden = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  forbidden.addSubnet(net, bits, 'ipv4');
for (const one of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) forbidden.addAddress(one, 'ipv4');
for (const [net, bits] of [
  ['fe80::', 10],
  ['ff00::', 8],
  ['::', 128],
] as const)
  forbidden.addSubnet(net, bits, 'ipv6');
for (const one of ['fd00:ec2::254', 'fd20:ce::254']) forbidden.addAddress(one, 'ipv6');

/** IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) are as far away as what they carry. */
function carried(v6: string): string[] {
  const { hostname } = new URL(`http://[${v6.replace(/%.*$/, '')}]`);
  const [left = '', right = ''] = hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)));
  const [head, tail] = [groups(left), groups(right)];
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  const at = (i: number): string => [all[i] ?? 0, all[i + 1] ?? 0].flatMap((g) => [g >> 8, g & 255]).join('.');
  const zeros = (from: number, to: number): boolean => all.slice(from, to).every((g) => g === 0);
  if (zeros(0, 5) && (all[5] === 0xffff || all[5] === 0)) return [at(6)];
  if (all[0] === 0x64 && all[1] === 0xff9b) return [at(6)];
  if (all[0] === 0x2002) return [at(1)];
  return [];
}

/** Whether nothing may go to an address, unless it was written down as it is. */
export function isForbidden(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  if (family === 4) return forbidden.check(address, 'ipv4');
  return (
    forbidden.check(address.replace(/%.*$/, ''), 'ipv6') ||
    (address !== '::1' && carried(address).some((v4) => forbidden.check(v4, 'ipv4')))
  );
}

export class Forbidden extends Error {}

/** The address that a host means now, to be connected to as it is: who asks again may be told another. */
export async function addressOf(host: string): Promise<{ address: string; family: number }> {
  const bare = host.replace(/^\[([^\]]*)\]$/, '$1');
  const family = isIP(bare);
  // Written as it is, in what the command line allows; the server cannot ask for one that is not.
  if (family !== 0) return { address: bare, family };
  const found = await lookup(bare, { all: true });
  const bad = found.find((a) => isForbidden(a.address));
  if (bad)
    throw new Forbidden(`${host} resolves to ${bad.address}, which no name may lead to (metadata or link-local)`);
  const [first] = found;
  if (!first) throw new Error('the name has no address');
  return first;
}
