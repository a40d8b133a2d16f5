import type { Id } from '#kernel/id.ts';
import type { Permission } from '#kernel/permission.ts';
import { Problem } from '#kernel/problem.ts';

/** What a set-up link may be for. */
export const tasks = ['domain', 'sign_in', 'directory'] as const;
export type Task = (typeof tasks)[number];

export const protocols = ['oidc', 'saml'] as const;
export type Protocol = (typeof protocols)[number];

/** A link for whoever runs the customer's identity provider and has no account here. */
export type IdpSetupLink = {
  id: Id<'isl'>;
  org: Id<'org'>;
  /** For whom it is, in words of who made it. */
  name: string;
  tasks: Task[];
  /** false: a connection made through it waits for an owner to switch it on. */
  activates: boolean;
  /** Hosts inside a private network that the identity provider may be at; named by who made the link, never by who holds it. */
  allowPrivate: string[];
  createdBy: Id<'usr'>;
  createdAt: Date;
  expiresAt: Date;
  openedAt: Date | null;
  revokedAt: Date | null;
  provider: string | null;
  protocol: Protocol | null;
  /** What was made through it, which is all that its holder sees. */
  connection: Id<'sso'> | null;
  directory: Id<'dir'> | null;
  domains: Id<'dom'>[];
};

const DAY_MS = 86_400_000;
/** Long enough for a change window; short enough that a forgotten mail opens nothing. */
export const LINK_DAYS = 7;
export const MAX_LINK_DAYS = 30;
export const daysAfter = (now: Date, days: number): Date => new Date(now.getTime() + days * DAY_MS);

/** The permission that stands behind each task: whoever makes a link hands on no more than they have. */
export const neededFor: Record<Task, Permission> = {
  domain: 'sso.manage',
  sign_in: 'sso.manage',
  directory: 'directory.manage',
};

export type LinkState = 'live' | 'expired' | 'revoked';

export function stateOf(link: Pick<IdpSetupLink, 'expiresAt' | 'revokedAt'>, now: Date): LinkState {
  if (link.revokedAt) return 'revoked';
  return link.expiresAt <= now ? 'expired' : 'live';
}

/** Times in these pages are of the day and UTC, because the reader and the deployment may be continents apart. */
export const atUtc = (d: Date): string => `${d.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const noSuchLink = (): Problem =>
  new Problem('missing', 'identity/no-idp-setup-link', {
    says: 'there is no such set-up link',
    fix: 'check that the address is whole; whoever sent it can make another',
  });

/** Why a link that exists opens nothing. `by`: who made it. */
export function linkEnded(state: Exclude<LinkState, 'live'>, link: IdpSetupLink, by: string): Problem {
  return state === 'revoked'
    ? new Problem('forbidden', 'identity/idp-setup-link-revoked', {
        says: 'this set-up link was taken back',
        fix: `what was connected through it stays; ask ${by} whether there is another`,
      })
    : new Problem('forbidden', 'identity/idp-setup-link-expired', {
        says: `this set-up link worked until ${atUtc(link.expiresAt)}`,
        fix: `what was connected through it stays; ask ${by} for another`,
      });
}

export const linkUnbacked = (by: string): Problem =>
  new Problem('forbidden', 'identity/idp-setup-link-unbacked', {
    says: `${by} made this set-up link and may no longer do what it is for`,
    fix: 'ask whoever manages sign-in there now for another',
  });

export const notATaskOfLink = (): Problem =>
  new Problem('missing', 'identity/idp-setup-no-task', {
    says: 'this set-up link is not for that',
    fix: 'go back to its first page; it lists what the link is for',
  });

/** What was entered in a form cannot be used; the form is shown again with it. */
export const badField = (says: string, fix: string): Problem =>
  new Problem('invalid', 'identity/idp-setup-field', { says, fix });
