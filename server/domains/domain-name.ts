import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from 'tldts';
import { Problem } from '#kernel/problem.ts';
import { isConsumerDomain } from './consumer-domains.ts';

/** A domain in its one form: `name` is what DNS is asked (A-labels, lower case, no last dot), `shown` what people read. */
export type DomainName = { name: string; shown: string };

/** The challenge goes in front, and a doubled name is looked for, too; beyond this, names would be longer than DNS allows (253). */
const MAX_NAME = 200;

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** A last label that browsers read as a number, and the whole as an address. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
/** Letters, marks and digits of any script, joiners (some scripts need them), hyphen, and what people type for a dot. */
const TYPED = /^(?:[\p{L}\p{M}\p{N}.\u3002\uff0e\uff61-]|\u200c|\u200d)+$/u;

/**
 * The one form of a domain as somebody typed it: case, IDN spellings, ideographic full stops, a leading `@` and one last dot make no
 * difference. Undefined when it is not a domain name that can be in an e-mail address.
 */
export function readDomainName(typed: string): DomainName | undefined {
  const text = typed
    .trim()
    .normalize('NFC')
    .replace(/^@/, '')
    .replace(/[.\u3002\uff0e\uff61]$/u, '');
  if (text.length === 0 || text.length > 1000 || !TYPED.test(text)) return undefined;
  const name = domainToASCII(text).toLowerCase();
  const labels = name.split('.');
  // The library takes what ends in a number for an address, as browsers do (127.1, a.0x7f).
  if (name.length > MAX_NAME || labels.length < 2 || isIP(name) || NUMBER.test(labels.at(-1) ?? '')) return undefined;
  if (!labels.every((l) => LABEL.test(l) && decodes(l))) return undefined;
  return { name, shown: domainToUnicode(name) };
}

/** An A-label that stands for something. INVARIANT (one form): a label that decodes must come back to itself, or one domain had two names. */
function decodes(label: string): boolean {
  if (!label.startsWith('xn--')) return label.slice(2, 4) !== '--';
  const unicode = domainToUnicode(label);
  return unicode !== label && domainToASCII(unicode) === label;
}

/** The form of a domain that somebody wants to verify; refuses what nobody can own alone. */
export function domainToVerify(typed: string): DomainName {
  const domain = readDomainName(typed);
  if (!domain)
    throw new Problem('invalid', 'domains/not-a-domain', {
      says: `"${typed.slice(0, 100)}" is not a domain`,
      fix: 'give the part of your e-mail addresses behind the @, like acme.example: no scheme, path, port or wildcard',
    });
  // From the public suffix list inside the package: the registries' part, and the providers' (github.io), whose customers are strangers to each other.
  if (parse(domain.name, { allowPrivateDomains: true }).domain === null)
    throw new Problem('invalid', 'domains/public-suffix', {
      says: `${domain.shown} is a suffix under which anybody can have a name; it cannot belong to one organization`,
      fix: `verify your own name under it, like acme.${domain.shown}`,
    });
  if (isConsumerDomain(domain.name))
    throw new Problem('invalid', 'domains/consumer-domain', {
      says: `${domain.shown} gives mailboxes to everybody; it cannot belong to one organization`,
      fix: 'verify a domain of your own; people with mailboxes elsewhere can be added one by one',
    });
  return domain;
}

/** The registrable domain above a name (`acme.co.uk` of `mail.acme.co.uk`). */
export const registrableOf = (name: string): string => parse(name, { allowPrivateDomains: true }).domain ?? name;

/** The domain of an e-mail address in its one form. The last `@` counts: what is before it is the mailbox's own affair. */
export function domainOfEmail(email: string): string | undefined {
  const at = email.lastIndexOf('@');
  return at < 1 ? undefined : readDomainName(email.slice(at + 1))?.name;
}

/** A domain and the ones above it, nearest first, down to the registrable one: whoever verified one of them may speak for the address. */
export function domainAndAbove(name: string): string[] {
  const labels = name.split('.');
  const last = registrableOf(name).split('.').length;
  return Array.from({ length: Math.max(1, labels.length - last + 1) }, (_, i) => labels.slice(i).join('.'));
}
