import { z } from 'zod';
import { json, read, write, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Stage } from './sign-in-trace.ts';

/** What a sign-in is for: to get in, or to link a further identity to whoever is signed in already. */
export type Intent =
  | { kind: 'sign_in' }
  | { kind: 'link'; user: Id<'usr'>; session: Id<'ses'> }
  /** A dry sign-in for whoever manages the connection: nobody gets in by it. */
  | { kind: 'test'; test: Id<'tst'>; org: Id<'org'> };

/** A browser that was sent to an identity provider and is not back yet. */
export type Attempt = {
  connection: Id<'sso'>;
  nonce: string;
  verifierSealed: Buffer;
  browserHash: Buffer;
  returnTo: string;
  intent: Intent;
  discovery: Stage;
  /** How many seconds before it began the person may have proved who they are; null: as the provider likes. OpenID only. */
  maxAge?: number | null;
  expiresAt: Date;
};

const AttemptRow: z.ZodType<Attempt> = z
  .object({
    connection: z.custom<Id<'sso'>>(),
    nonce: z.string(),
    verifierSealed: z.instanceof(Buffer),
    browserHash: z.instanceof(Buffer),
    returnTo: z.string(),
    intent: z.enum(['sign_in', 'link', 'test']),
    test: z.custom<Id<'tst'>>().nullable(),
    testOrg: z.custom<Id<'org'>>().nullable(),
    user: z.custom<Id<'usr'>>().nullable(),
    session: z.custom<Id<'ses'>>().nullable(),
    discovery: Stage,
    maxAge: z.number().nullable(),
    expiresAt: z.date(),
  })
  .transform(({ intent, user, session, test, testOrg, ...rest }) => ({
    ...rest,
    intent: intentOf(intent, { user, session, test, testOrg }),
  }));

/** INVARIANT (a test stays a test): what the row says must be whole; it is never taken for a sign-in because a part is missing. */
function intentOf(
  kind: Intent['kind'],
  r: { user: Id<'usr'> | null; session: Id<'ses'> | null; test: Id<'tst'> | null; testOrg: Id<'org'> | null },
): Intent {
  if (kind === 'link' && r.user && r.session) return { kind, user: r.user, session: r.session };
  if (kind === 'test' && r.test && r.testOrg) return { kind, test: r.test, org: r.testOrg };
  if (kind === 'sign_in') return { kind };
  throw new TypeError(`an attempt of kind ${kind} is not whole`);
}

export const insertAttempt = (tx: Tx, state: Buffer, a: Attempt, at: Date): Promise<number> =>
  tx.run(write`
  insert into sign_in_attempt (parent, state_hash, connection, nonce, verifier_sealed, browser_hash, return_to, intent, user_id, session_id,
                               test, test_org, discovery, max_age, started_at, expires_at)
  values (app_parent(), ${state}, ${a.connection}, ${a.nonce}, ${a.verifierSealed}, ${a.browserHash}, ${a.returnTo}, ${a.intent.kind},
          ${a.intent.kind === 'link' ? a.intent.user : null}, ${a.intent.kind === 'link' ? a.intent.session : null},
          ${a.intent.kind === 'test' ? a.intent.test : null}, ${a.intent.kind === 'test' ? a.intent.org : null},
          ${json(a.discovery)}, ${a.maxAge ?? null}, ${at}, ${a.expiresAt})`);

/** Takes an attempt out for good: of two browsers with the same state one gets it. */
export const takeAttempt = (tx: Tx, state: Buffer): Promise<Attempt | undefined> =>
  tx.maybe(read(AttemptRow)`
  delete from sign_in_attempt where parent = app_parent() and state_hash = ${state}
  returning connection, nonce, verifier_sealed as "verifierSealed", browser_hash as "browserHash", return_to as "returnTo", intent,
            user_id as user, session_id as session, test, test_org as "testOrg", discovery, max_age as "maxAge", expires_at as "expiresAt"`);

/** Attempts that nobody came back from; some at a time, so that no sign-in waits for the sweeping. */
export const deleteOldAttempts = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`
  delete from sign_in_attempt
   where parent = app_parent()
     and state_hash in (select state_hash from sign_in_attempt where parent = app_parent() and expires_at < ${before} limit 100)`);

/** For `Db.lookup`: whose attempt has this state. */
export const lookupAttemptParent = (state: Buffer) =>
  read(z.object({ parent: z.custom<Id<'par'>>().nullable() }))`select lookup_sign_in_attempt(${state}) as parent`;
