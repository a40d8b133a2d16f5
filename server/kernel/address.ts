import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether the server may connect to an address: `public` to everybody, `private` when a configuration names the host, `never` at all. */
export type Reach = 'public' | 'private' | 'never';

/**
 * Addresses that hand out a machine's own credentials or configuration to whoever asks from inside. No configuration may name them.
 * Link-local (169.254.0.0/16, fe80::/10) is refused as a whole; these lie elsewhere.
 */
const METADATA = new Set(['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254']);

/** Ranges that an operator's own systems live in. Carrier-grade NAT is where overlay networks put their machines. */
const INSIDE = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal']);

/**
 * Judges one address. Forms of IPv6 that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are as far away as what they carry.
 * Everything that is not known to be public is refused: a range that IANA sets aside tomorrow must not become reachable by accident.
 */
export function reach(address: string): Reach {
  // The strict reading: the library would also take 1.2.3 and 0x7f.1, which mean different things to different programs.
  if (!isIP(address)) return 'never';
  const parsed = ipaddr.parse(address);
  if (METADATA.has(parsed.toString())) return 'never';
  if (parsed instanceof ipaddr.IPv6) {
    const carried = carriedBy(parsed);
    if (carried) return carried.map((v4) => reach(v4)).reduce(stricter);
  }
  const range = parsed.range();
  if (range === 'unicast') return 'public';
  return INSIDE.has(range) ? 'private' : 'never';
}

const order: readonly Reach[] = ['public', 'private', 'never'];
const stricter = (a: Reach, b: Reach): Reach => (order.indexOf(a) > order.indexOf(b) ? a : b);

/** The IPv4 addresses inside an IPv6 address; undefined when it is not of such a form. An unknown variant gives 0.0.0.0, which is never reachable. */
function carriedBy(v6: ipaddr.IPv6): string[] | undefined {
  const bytes = v6.toByteArray();
  const at = (i: number, flip = 0): string =>
    bytes
      .slice(i, i + 4)
      .map((b) => b ^ flip)
      .join('.');
  const range = v6.range();
  if (range === 'ipv4Mapped' || range === 'rfc6145') return [at(12)];
  // RFC 8215's prefix for local use puts the address elsewhere, by a length that we cannot know.
  if (range === 'rfc6052') return bytes.slice(4, 12).every((b) => b === 0) ? [at(12)] : ['0.0.0.0'];
  if (range === '6to4') return [at(2)];
  if (range === 'teredo') return [at(4), at(12, 0xff)];
  return undefined;
}
