import type { Unlocked } from '#vault/credentials.ts';
import { originOf } from '#vault/vendor-address.ts';
import type { VendorReach, VendorRequest } from './vendor-client.ts';
import { under } from './vendor-path.ts';
import { VendorRefusal } from './vendor-refusal.ts';

/** INVARIANT (origins only): whatever a tool, an argument or the vendor says, the address is under an origin of this connector. */
export function urlOf(reach: VendorReach, opened: Unlocked, r: VendorRequest): URL {
  if (!r.path.startsWith('/')) {
    const url = URL.parse(r.path);
    if (!url || url.username !== '' || url.password !== '' || !bases(reach, opened).some((base) => isUnder(url, base)))
      throw new VendorRefusal(
        0,
        'foreign_address',
        `${reach.manifest.name} leads to an address that is none of this connector's${url ? ` (${url.host})` : ''}; it is not followed`,
      );
    return url;
  }
  const url = under(baseOf(reach, opened, r.at ?? 'api'), r.path);
  // What is written already: the setter encodes what could end a query, and every part of it was encoded before.
  if (r.search !== undefined) url.search = r.search;
  for (const [name, value] of Object.entries(r.query ?? {}))
    for (const v of Array.isArray(value) ? value : [value])
      if (v !== undefined) url.searchParams.append(name, String(v));
  return url;
}

function baseOf(reach: VendorReach, opened: Unlocked, at: string): string {
  if (!at.startsWith('fact:')) return originOf(reach.origins, at);
  const name = at.slice(5);
  const base = factBase(reach, opened, name);
  if (base !== undefined) return base;
  throw new VendorRefusal(
    0,
    'foreign_address',
    `${reach.manifest.name} names an address for this account that is not one of its own (${name}); the credential is not sent there`,
  );
}

/** A fact as a base address, if it is one of the connector's origins or of the vendor's own hosts. */
function factBase(reach: VendorReach, opened: Unlocked, name: string): string | undefined {
  const url = URL.parse(opened.facts[name] ?? '');
  if (!url || url.username !== '' || url.password !== '') return undefined;
  const own =
    Object.values(reach.origins).some((o) => new URL(o).origin === url.origin) ||
    (url.protocol === 'https:' &&
      url.port === '' &&
      (reach.manifest.factHosts?.[name] ?? []).some((end) => url.hostname.endsWith(end)));
  return own ? url.origin + url.pathname.replace(/\/+$/, '') : undefined;
}

const bases = (reach: VendorReach, opened: Unlocked): string[] => [
  ...Object.values(reach.origins),
  ...Object.keys(reach.manifest.factHosts ?? {}).flatMap((name) => factBase(reach, opened, name) ?? []),
];

const isUnder = (url: URL, base: string): boolean => {
  const b = new URL(base);
  const path = b.pathname.replace(/\/$/, '');
  return url.origin === b.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
};
