// What identity providers call things, and what that means here. Vendor names end in this file.
import { refuse } from './refuse.ts';

export const targets = ['email', 'first_name', 'last_name', 'department', 'manager_email', 'groups'] as const;
export type Target = (typeof targets)[number];
/** Further names that a connection's owner gives a target. */
export type AttributeMap = Partial<Record<Target, string[]>>;

const WS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';
const MS = 'http://schemas.microsoft.com';

/** Names that need no configuration: ours, Okta's and Google's short ones, Entra's and ADFS's claims, LDAP's object identifiers. */
export const aliases: Readonly<Record<Target, readonly string[]>> = {
  email: ['email', 'mail', 'Email', 'emailaddress', `${WS}/emailaddress`, 'urn:oid:0.9.2342.19200300.100.1.3'],
  first_name: ['first_name', 'firstName', 'givenName', `${WS}/givenname`, 'urn:oid:2.5.4.42'],
  last_name: ['last_name', 'lastName', 'sn', 'surname', `${WS}/surname`, 'urn:oid:2.5.4.4'],
  department: ['department', `${WS}/department`],
  manager_email: ['manager_email'],
  groups: ['groups', 'memberOf', `${MS}/ws/2008/06/identity/claims/groups`],
};
/** Entra's object id: what its SCIM client sends as externalId. */
const OBJECT_IDS: readonly string[] = [`${MS}/identity/claims/objectidentifier`];
/** Entra sends this instead of the groups when there are more than 150. */
const OVERAGE: readonly string[] = [
  `${MS}/claims/groups.link`,
  `${MS}/ws/2008/06/identity/claims/groups.link`,
  `${WS}/groups.link`,
];

/** An attribute as it came. */
export type Received = { name: string; values: readonly string[] };

/** What an identity provider says of a person. `groups: 'overage'`: there are too many to send, which is not the same as none. */
export type Asserted = {
  email: string;
  firstName: string | undefined;
  lastName: string | undefined;
  department: string | undefined;
  managerEmail: string | undefined;
  groups: readonly string[] | 'overage' | undefined;
  objectId: string | undefined;
};

/** A value longer than this is not a name, an address or a group. */
const MAX_VALUE_CHARS = 500;

/** Maps attributes to what we know of people. `nameIdEmail` stands in for a missing email attribute. */
export function mapAttributes(
  received: readonly Received[],
  own: AttributeMap,
  nameIdEmail: string | undefined,
): Asserted {
  const single = (target: Exclude<Target, 'groups'>): string | undefined => one(received, target, namesOf(target, own));
  const given = single('email');
  const email = given ?? nameIdEmail;
  if (email === undefined)
    throw refuse('identity/saml-email-missing', 'the identity provider did not say what your e-mail address is', {
      found: received.map((r) => r.name).join(', ') || 'no attributes',
      expected: `one of ${namesOf('email', own).join(', ')}`,
      fix: 'whoever manages sign-in adds the e-mail address to what the identity provider sends',
    });
  refuseEmail(email);
  const managerEmail = single('manager_email');
  if (managerEmail !== undefined) refuseEmail(managerEmail);
  return {
    email,
    firstName: single('first_name'),
    lastName: single('last_name'),
    department: single('department'),
    managerEmail,
    groups: groupsOf(received, namesOf('groups', own)),
    objectId: one(received, 'objectidentifier', OBJECT_IDS),
  };
}

const namesOf = (target: Target, own: AttributeMap): readonly string[] => [...(own[target] ?? []), ...aliases[target]];

/** One value or none. INVARIANT (no choice): where two values could be meant, none is, because a person may be able to add one at the identity provider. */
function one(received: readonly Received[], target: string, names: readonly string[]): string | undefined {
  const found = received.filter((r) => names.includes(r.name));
  for (const name of new Set(found.map((f) => f.name))) {
    const values = new Set(found.filter((f) => f.name === name).flatMap((f) => f.values));
    if (values.size > 1)
      throw refuse('identity/saml-attribute-duplicate', `the identity provider sent two values of ${target}`, {
        found: `${name}: ${[...values].join(', ')}`,
        expected: 'one value',
      });
  }
  const values = new Set(found.flatMap((f) => f.values));
  if (values.size > 1)
    throw refuse(
      'identity/saml-attribute-conflict',
      `the identity provider sent ${target} under two names, with different values`,
      {
        found: found.map((f) => `${f.name}: ${f.values.join(', ')}`).join('; '),
        expected: 'one name, or the same value under each',
      },
    );
  const [value] = values;
  return value === undefined || value.trim() === '' ? undefined : value.slice(0, MAX_VALUE_CHARS);
}

/** Several values, in one attribute or in one attribute each (Keycloak). */
function groupsOf(received: readonly Received[], names: readonly string[]): readonly string[] | 'overage' | undefined {
  if (received.some((r) => OVERAGE.includes(r.name))) return 'overage';
  const found = received.filter((r) => names.includes(r.name));
  if (found.length === 0) return undefined;
  const by = new Map<string, Set<string>>();
  for (const f of found) {
    const set = by.get(f.name) ?? new Set();
    for (const v of f.values) if (v.trim() !== '') set.add(v.slice(0, MAX_VALUE_CHARS));
    by.set(f.name, set);
  }
  const [first, ...others] = by.values();
  if (first && others.some((o) => o.symmetricDifference(first).size > 0))
    throw refuse(
      'identity/saml-attribute-conflict',
      'the identity provider sent groups under two names, with different values',
      {
        found: [...by.keys()].join(', '),
        expected: 'one of them, or the same groups under each',
      },
    );
  return [...(first ?? [])];
}

/** For whoever needs to know every group: too many to send is a refusal, never "no group". */
export const overage = () =>
  refuse('identity/saml-groups-overage', 'you are in more groups than the identity provider sends', {
    found: 'groups.link',
    expected: 'the groups themselves',
    fix: 'whoever manages sign-in lets Entra ID send only the groups that are assigned to the application',
  });

/**
 * An address in the one spelling that everybody reads the same way: ASCII, one @, no quotes, a domain of labels. Names in other scripts are
 * written as A-labels (xn--…), which cannot look like somebody else's domain.
 */
export const EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

export function refuseEmail(email: string): void {
  if (email.length > 254 || !EMAIL.test(email))
    throw refuse('identity/saml-email-form', 'the identity provider sent an e-mail address that is not one', {
      found: JSON.stringify(email),
      expected: 'name@domain in ASCII, without quotes; other scripts as xn--…',
    });
}

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();
