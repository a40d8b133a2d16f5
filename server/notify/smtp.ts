import { Secret } from '#kernel/secret.ts';
import { mailable } from './message.ts';

/** The mail server of a deployment and whom its mail comes from. Whole or absent. */
export type SmtpConfig = {
  host: string;
  port: number;
  tls: 'from_start' | 'starttls' | 'none';
  auth: { user: string; password: Secret } | undefined;
  from: { name: string; address: string };
};

/** What is wrong with a setting, and what would be right. */
export type Wrong = { found: string; expected: string };

const loopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Reads the URL of a mail server: `smtps://user:password@host:465`, or `smtp://…:587` where the server must offer STARTTLS.
 * Without encryption only to this machine: a mail names people and organizations.
 */
export function readSmtpUrl(text: string): Omit<SmtpConfig, 'from'> | Wrong {
  const expected = 'set it to smtps://user:password@host:465 or smtp://user:password@host:587';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    !url ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?$/.test(url.pathname) ||
    url.search !== '' ||
    url.hash !== ''
  )
    return { found: 'is not the URL of a mail server', expected };
  if ((url.username === '') !== (url.password === ''))
    return { found: 'has a user without a password or the other way round', expected };
  const tls = url.protocol === 'smtps:' ? 'from_start' : loopback(url.hostname) ? 'none' : 'starttls';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls === 'from_start' ? 465 : loopback(url.hostname) ? 25 : 587) : Number(url.port),
    tls,
    auth:
      url.username === ''
        ? undefined
        : { user: decodeURIComponent(url.username), password: new Secret(decodeURIComponent(url.password)) },
  };
}

/** Reads whom mail comes from: `gate@example.com`, or `Gatehouse <gate@example.com>`. */
export function readMailFrom(text: string): SmtpConfig['from'] | Wrong {
  const named = /^([^<>"\\\p{Cc}]*)<([^<>]+)>$/u.exec(text);
  const address = mailable((named ? named[2] : text)?.trim() ?? '');
  if (address === undefined)
    return {
      found: `is "${text}"`,
      expected: 'set it to an address: gate@example.com, or Gatehouse <gate@example.com>',
    };
  return { name: named?.[1]?.trim() || 'Gatehouse', address };
}
