/**
 * What a tunnel may reach: an origin, with or without the beginning of a path. Both ends keep such a list, and both ask this file, so that
 * they cannot mean different things by one line of it.
 */
export type Destination = { origin: string; path: string };

/** The address that is meant, or why it is none. Userinfo, a question and a fragment would promise what is not looked at. */
export function readDestination(text: string): Destination | { wrong: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return { wrong: 'it is no address that begins with http:// or https://' };
  if (url.username || url.password) return { wrong: 'it has a user name or password in it' };
  if (/[?#]/.test(text)) return { wrong: 'it has a question or a fragment in it' };
  if (url.hostname.includes('*')) return { wrong: 'it has a wildcard in it' };
  if (ambiguous(url.pathname)) return { wrong: 'its path could be read in two ways' };
  return { origin: url.origin, path: url.pathname.replace(/\/$/, '') };
}

/** The one way to write it. */
export const shownDestination = (d: Destination): string => `${d.origin}${d.path}`;

/** Whether a request to this address is within a destination: the same origin, and the path or something below it. */
export const covers = (d: Destination, url: URL): boolean =>
  url.origin === d.origin &&
  !ambiguous(url.pathname) &&
  (url.pathname === d.path || url.pathname.startsWith(`${d.path}/`));

/** A slash or dot that is packed, or a backslash: some servers take it for a way up or down, and URL does not. */
const ambiguous = (path: string): boolean => /%(?:2f|5c|2e|00)|\\/i.test(path) || path.includes('/../');
