import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address as one spelling: IPv4 inside IPv6 becomes IPv4, a zone goes. Undefined: it is none. */
export function plainAddress(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/%.*$/, '');
  return isIP(bare) ? ipaddr.process(bare).toString() : undefined;
}

/** What one client has, for counting: an IPv4 address, or the /64 of an IPv6 one, of which anybody has 2^64 addresses. */
export function clientNetwork(address: string): string {
  const plain = plainAddress(address);
  if (plain === undefined || isIP(plain) !== 6) return plain ?? address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${plain}/64`).toString()}/64`;
}

/** A CIDR (or a lone address) with the bits behind the prefix cleared, or undefined. 10.1.2.3/8 is refused: who writes that means something else. */
export function plainRange(text: string): string | undefined {
  const [head = '', bits, ...more] = text.trim().split('/');
  const address = plainAddress(head);
  if (address === undefined || more.length > 0) return undefined;
  const width = isIP(address) === 6 ? 128 : 32;
  if (bits === undefined) return `${address}/${width}`;
  // A prefix of an IPv4 address that is written inside IPv6 counts other bits; nobody needs that form.
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width || isIP(head) !== isIP(address)) return undefined;
  const range = `${address}/${Number(bits)}`;
  const first = width === 32 ? ipaddr.IPv4.networkAddressFromCIDR(range) : ipaddr.IPv6.networkAddressFromCIDR(range);
  return first.toString() === address ? range : undefined;
}

/** Whether an address lies in one of the ranges. What is not an address lies in none. */
export function inRanges(address: string | undefined, ranges: readonly string[]): boolean {
  const plain = address === undefined ? undefined : plainAddress(address);
  if (plain === undefined) return false;
  const parsed = ipaddr.parse(plain);
  return ranges.some((r) => {
    const [base, bits] = ipaddr.parseCIDR(r);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}

/**
 * Where a request comes from. INVARIANT (no address by hearsay): X-Forwarded-For is read from its end, and only as far as each hop that
 * said something is a proxy that the operator named; what stands before that, anybody may have written.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: readonly string[],
): string | undefined {
  let at = peer === undefined ? undefined : plainAddress(peer);
  const said = (forwardedFor ?? '').split(',').filter((s) => s.trim() !== '');
  while (at !== undefined && said.length > 0 && inRanges(at, trusted)) {
    const text = (said.pop() ?? '').trim();
    // Some proxies add the port.
    at = plainAddress(text) ?? plainAddress(text.replace(/:\d+$/, ''));
  }
  return at;
}
