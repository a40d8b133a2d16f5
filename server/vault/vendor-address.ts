import { Problem } from '#kernel/problem.ts';
import type { Settings, VendorAuth } from './vendor-auth.ts';

/** Where a vendor is for one connector: base addresses by role, without a trailing slash. */
export type Origins = Readonly<Record<string, string>>;

/** A host's label or several: nothing that could end the host and begin a path, a port or a user name. */
const hostPart = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/**
 * The manifest's origins as this connector has them: what an administrator replaced stands, and settings are filled in. INVARIANT (origins
 * only): this is the one list of where a credential of the connector may go.
 */
export function originsOf(
  auth: Pick<VendorAuth, 'origins'>,
  settings: Settings,
  replaced: Readonly<Record<string, string>>,
): Origins {
  return Object.fromEntries(
    Object.entries(auth.origins).map(([role, template]) => [
      role,
      checkedOrigin(role, replaced[role] ?? filledHost(template, settings)),
    ]),
  );
}

/**
 * A complete address over origins and settings, e.g. `{login}/oauth2/v2.0/token`. An origin stands at the beginning only; settings are
 * encoded as parts of a path.
 */
export function addressOf(template: string, origins: Origins, settings: Settings): string {
  const [, role, rest] = /^\{(\w+)\}(.*)$/s.exec(template) ?? [];
  const origin = role === undefined ? undefined : origins[role];
  const base = origin ?? '';
  return (
    base +
    (origin === undefined ? template : (rest ?? '')).replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = settingOf(settings, name);
      if (value === '' || value === '.' || value === '..' || !value.isWellFormed()) throw unfit(name);
      return encodeURIComponent(value);
    })
  );
}

/** The address of one role. Asking for another is a mistake in a manifest. */
export function originOf(origins: Origins, role: string): string {
  const origin = origins[role];
  if (origin === undefined) throw new Error(`the manifest has no origin ${role}`);
  return origin;
}

const filledHost = (template: string, settings: Settings): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = settingOf(settings, name);
    // A server of the customer's own is given as a whole address, which is checked as one.
    if (whole === template) return value.replace(/\/+$/, '');
    if (!hostPart.test(value)) throw unfit(name);
    return value;
  });

function settingOf(settings: Settings, name: string): string {
  const value = settings[name];
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw unfit(name);
}

function checkedOrigin(role: string, address: string): string {
  const url = URL.parse(address);
  if (
    !url ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new Problem('invalid', 'vault/origin', {
      says: `the address for ${role} is not a complete https:// address without user, query and fragment`,
      fix: `give ${role} as https://host or https://host/path`,
    });
  return url.origin + url.pathname.replace(/\/+$/, '');
}

const unfit = (name: string): Problem =>
  new Problem('invalid', 'vault/setting', {
    says: `the setting ${name} is missing, or not of a form that can stand in an address`,
    fix: `set ${name} as the vendor shows it`,
  });
