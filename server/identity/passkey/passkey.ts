import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

/** A credential of a person, as they see it. The key itself is in the row only. */
export type Passkey = {
  id: Id<'pky'>;
  name: string;
  /** Whether the authenticator says that it is kept in more than one place. */
  backedUp: boolean;
  createdAt: Date;
  /** The last sign-in with it. */
  usedAt: Date | null;
};

/** What is needed to check an answer. */
export type StoredPasskey = Passkey & {
  user: Id<'usr'>;
  credential: string;
  publicKey: Buffer;
  counter: number;
  transports: string[];
};

/** One person's phones, laptops and keys on a ring. */
export const MAX_PASSKEYS = 20;

/** Of one organization: does it take passkeys, and is the account its way in when the identity provider is down. */
export type Standing = { org: Id<'org'>; name: string; allowed: boolean; breakGlass: boolean };

/**
 * Whether a person may sign in with a passkey. INVARIANT (strictest wins, but never a lock-out): one session opens all organizations of a
 * person, so all must take passkeys; except a break-glass account, which exists to come in when nothing else works.
 */
export const passkeyMaySignIn = (standings: readonly Standing[]): boolean =>
  standings.some((s) => s.breakGlass) || (standings.length > 0 && standings.every((s) => s.allowed));

/** The organizations that stand in the way, for whoever may know them. */
export const passkeyNotAllowed = (standings: readonly Standing[]): Problem => {
  const against = standings.filter((s) => !s.allowed).map((s) => s.name);
  return new Problem('forbidden', 'identity/passkey-not-allowed', {
    says:
      against.length > 0
        ? `${against.join(', ')} ${against.length > 1 ? 'do' : 'does'} not let people sign in with a passkey`
        : 'no organization has given you access yet',
    fix: 'sign in through the identity provider; an owner can allow passkeys, or make you a break-glass account',
  });
};

export const noSuchPasskey = (): Problem =>
  new Problem('missing', 'identity/no-such-passkey', { says: 'you have no such passkey' });

/** Every way in which an answer is not one, in the same words: what is wrong with it is for our log. */
export const passkeyRefused = (because: unknown): Problem =>
  new Problem('forbidden', 'identity/passkey-refused', {
    says: 'this passkey did not prove who you are',
    fix: 'try again; if it stays so, sign in another way and add a new passkey',
    because,
  });
