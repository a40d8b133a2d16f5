import type { Id } from '#kernel/id.ts';
import { fold } from './scim-filter.ts';
import { isComplex, valuesAt, type Complex, type Value } from './scim-value.ts';
import { userResource, type Attribute } from './scim-schema.ts';

/**
 * Whose account an entry of a directory is. An account that people made themselves (`local_user`) is never taken over by a directory:
 * its owner is linked at sign-in, by proof. `suspendedHere`: this directory switched the account off, so it may switch it on again.
 */
export type Person =
  | { state: 'linked'; user: Id<'usr'>; suspendedHere: boolean }
  | { state: 'unlinked'; because: Unlinked };

/** Why an entry has no account. */
export type Unlinked = 'local_user' | 'address_in_use' | 'no_address' | 'domain_held';

/** A person as a directory describes them. */
export type ScimUser = {
  id: Id<'scu'>;
  attributes: Complex;
  person: Person;
  version: number;
  created: Date;
  changed: Date;
};

const text = (from: Complex, ...path: string[]): string | undefined => {
  let now: Value | undefined = from;
  for (const p of path) now = isComplex(now) ? now[p] : undefined;
  return typeof now === 'string' ? now : undefined;
};

const emailsOf = (from: Complex): Complex[] => {
  const emails: Attribute | undefined = userResource.top.find((a) => a.name === 'emails');
  return emails ? valuesAt(from, [emails]).filter(isComplex) : [];
};

const address = /^[^\s@]+@[^\s@]+$/;

/** Where the person is written to: the primary e-mail, else the one for work, else any, else a userName of that form. */
export function addressOf(from: Complex): string | undefined {
  const all = emailsOf(from);
  const best =
    all.find((e) => e['primary'] === true) ?? all.find((e) => text(e, 'type')?.toLowerCase() === 'work') ?? all[0];
  return [best && text(best, 'value'), text(from, 'userName')].find((v) => v !== undefined && address.test(v));
}

/** How the person is shown. */
export const shownNameOf = (from: Complex): string =>
  (
    text(from, 'displayName') ??
    text(from, 'name', 'formatted') ??
    [text(from, 'name', 'givenName'), text(from, 'name', 'familyName')].filter((p) => p !== undefined).join(' ')
  ).trim() ||
  (text(from, 'userName') ?? '');

/** `active` is only ever false where the directory said so. */
export const isActive = (from: Complex): boolean => from['active'] !== false;

/** The columns that are taken from the attributes; written by insert and update alike, so they cannot tell another story. */
export type UserColumns = {
  userNameKey: string;
  displayNameKey: string | null;
  externalId: string | null;
  active: boolean;
  emails: { value: (string | null)[]; type: (string | null)[]; display: (string | null)[]; primary: (string | null)[] };
};

export function columnsOf(from: Complex): UserColumns {
  const emails = emailsOf(from);
  const folded = (name: string): (string | null)[] => emails.map((e) => keyOf(text(e, name)));
  return {
    userNameKey: fold(text(from, 'userName') ?? ''),
    displayNameKey: keyOf(text(from, 'displayName')),
    externalId: text(from, 'externalId') ?? null,
    active: isActive(from),
    emails: {
      value: folded('value'),
      type: folded('type'),
      display: folded('display'),
      primary: emails.map((e) => (typeof e['primary'] === 'boolean' ? String(e['primary']) : null)),
    },
  };
}

const keyOf = (s: string | undefined): string | null => (s === undefined ? null : fold(s));
