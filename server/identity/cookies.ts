import { createHash, randomBytes } from 'node:crypto';

/**
 * Both cookies are `__Host-`: a browser takes them only with Secure and Path=/ and without Domain, so no neighbour on a subdomain can plant
 * one. Browsers treat http://localhost as secure for this; any other plain-http origin cannot sign in, on purpose.
 */
export const SESSION_COOKIE = '__Host-gatehouse';
/** Ties a sign-in under way to the browser that began it. The same for all its tabs. */
export const BROWSER_COOKIE = '__Host-gatehouse-browser';

const FORM = /^[A-Za-z0-9_-]{43}$/;

/** 32 random bytes, as they stand in a cookie or a link. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** What we keep of such a secret; SHA-256 is enough for 256 random bits. */
export const hashSecret = (value: string): Buffer => createHash('sha256').update(value).digest();

/** Whether this has the form of `newSecret`; anything else is not worth a look into the database. */
export const isSecret = (value: string): boolean => FORM.test(value);

/** One of our cookies from a Cookie header. Twice there is as good as not there: we do not guess which is ours. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  const [value] = found;
  return found.length === 1 && value !== undefined && isSecret(value) ? value : undefined;
}

/** A Set-Cookie header; SameSite=Lax, because the way back from the identity provider is a navigation from another site. */
export const setCookie = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;

/** As long as any organization may let a session last; the session itself ends when it ends. */
const SESSION_COOKIE_S = 30 * 24 * 3600;
export const sessionCookie = (value: string): string => setCookie(SESSION_COOKIE, value, SESSION_COOKIE_S);

export const clearCookie = (name: string): string => setCookie(name, '', 0);
