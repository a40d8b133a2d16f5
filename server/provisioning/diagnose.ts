import type { Pair } from './identity-seen.sql.ts';

export const mismatchCodes = [
  'upn_not_mail',
  'case_only',
  'not_matched',
  'subject_changed',
  'address_differs',
  'not_linked',
] as const;
export type Mismatch = {
  code: (typeof mismatchCodes)[number];
  /** What the directory says, and what the identity provider says at sign-in. */
  directory: string;
  signIn: string;
  says: string;
  fix: string;
  /** Whether this keeps the person out, or is known to do so sooner or later. */
  harm: 'keeps_out' | 'may_keep_out' | 'harmless';
};

const told = (name: string, value: string | null): string =>
  `${name} ${value === null ? '(none)' : JSON.stringify(value)}`;

/**
 * Where the two sides of one person do not fit together, before it costs them a morning. Pure: both sides are given, the repair is said.
 * People are matched by the directory's externalId and the sign-in's subject or object id; addresses only help to find who is meant.
 */
export function mismatchesOf(p: Pair): Mismatch[] {
  const found: Mismatch[] = [];
  const ids = [p.subject, p.otherId].filter((v) => v !== null);
  const seen = p.subject !== null;
  if (seen && p.subjects > 1 && p.seenUser === null)
    found.push({
      code: 'subject_changed',
      directory: told('externalId', p.externalId),
      signIn: told('subject', p.subject),
      says: `${p.subjects} subjects have come with the address ${p.seenEmail ?? ''}, and the latest is linked to nobody: the identity provider changed how it names this person`,
      fix: 'set the subject (NameID) back to what it was; or send the new one as externalId; or let the person link it from a session that is still open',
      harm: 'keeps_out',
    });
  else if (seen && p.seenUser === null && !ids.includes(p.externalId ?? ''))
    found.push({
      code: 'not_matched',
      directory: told('externalId', p.externalId),
      signIn: `${told('subject', p.subject)}${p.otherId === null ? '' : `, ${told('object id', p.otherId)}`}`,
      says: `${p.seenEmail ?? p.userName} signed in and was not recognized, because externalId is neither the subject nor the object id`,
      fix: 'map externalId at the directory to the same attribute that the sign-in names people by (Entra: objectId; Okta: user.id)',
      harm: 'keeps_out',
    });
  if (p.unlinkedBecause === 'local_user')
    found.push({
      code: 'not_linked',
      directory: told('mail', p.mail),
      signIn: 'an account made by hand has this address',
      says: `the directory sends ${p.userName}, and an account that was made by hand has its address; a directory never takes such an account over`,
      fix: 'let the person sign in to that account and link the identity there',
      harm: 'may_keep_out',
    });
  const upn = p.userName;
  if (upn.includes('@') && p.mail !== null && upn.toLowerCase() !== p.mail.toLowerCase())
    found.push({
      code: 'upn_not_mail',
      directory: `${told('userName', upn)}, ${told('mail', p.mail)}`,
      signIn: told('address', p.seenEmail),
      says: `the userName (UPN) is not the mail address${p.seenEmail === null ? '' : `, and the sign-in names ${p.seenEmail}`}`,
      fix: 'map userName to mail at the directory, or keep matching by externalId, which does not depend on either',
      harm: seen && p.seenUser !== null ? 'harmless' : 'may_keep_out',
    });
  const expected = p.accountEmail ?? p.mail;
  if (p.seenEmail !== null && expected !== null && p.seenEmail !== expected) {
    const same = p.seenEmail.toLowerCase() === expected.toLowerCase();
    if (same || p.seenEmail.toLowerCase() !== upn.toLowerCase())
      found.push({
        code: same ? 'case_only' : 'address_differs',
        directory: told('mail', expected),
        signIn: told('address', p.seenEmail),
        says: same
          ? 'only capital letters differ; we compare without them'
          : 'the two sides name another address for this person',
        fix: same ? 'nothing to do' : 'let both sides take the address from one attribute',
        harm: 'harmless',
      });
  }
  return found;
}
