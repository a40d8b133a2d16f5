import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

const DAY_MS = 86_400_000;
/** A proposal that nobody decides ends after this. */
export const MERGE_EXPIRES_MS = 14 * DAY_MS;
/** How long an applied merge can be undone. */
export const MERGE_UNDO_MS = 7 * DAY_MS;
/** How old a sign-in may be whose person approves or undoes: a browser left alone must not give an organization away. */
export const MERGE_FRESH_MS = 10 * 60_000;

export const mergeStates = [
  'draft',
  'sent',
  'approved_one',
  'approved_both',
  'applied',
  'undone',
  'expired',
  'rejected',
  'stale',
] as const;
export type MergeState = (typeof mergeStates)[number];

/** `joining` moves, with all organizations of its parent; `receiving` stays where it is. */
export type Side = 'joining' | 'receiving';

/** What is done with an account that both sides have a directory entry for. */
export const entryChoices = ['refuse', 'receiving_decides'] as const;

/** A proposal to join two parents, and what became of it. */
export type Merge = {
  id: Id<'mrg'>;
  state: MergeState;
  parent: Id<'par'>;
  org: Id<'org'>;
  orgName: string;
  intoParent: Id<'par'>;
  intoOrg: Id<'org'>;
  intoName: string;
  proposedBy: Id<'usr'>;
  proposedFrom: Side;
  /** Whether accounts of one address become one, or stand in the way. Accounts of one proved identity always become one. */
  byAddress: boolean;
  sharedEntries: (typeof entryChoices)[number];
  /** When the side that was asked looked at the preview first; before, the proposer sees nothing of it. */
  openedAt: Date | null;
  preview: unknown;
  previewHash: string | null;
  joiningBy: Id<'usr'> | null;
  joiningAt: Date | null;
  receivingBy: Id<'usr'> | null;
  receivingAt: Date | null;
  createdAt: Date;
  expiresAt: Date;
  appliedAt: Date | null;
  undoUntil: Date | null;
  endedAt: Date | null;
  endedBy: string | null;
};

/** Which side an organization's parent is on. While merged both sides have one parent: then the organization that is asked decides. */
export function sideOf(m: Merge, parent: Id<'par'>): Side {
  return parent === m.parent ? 'joining' : 'receiving';
}

export const otherSide = (s: Side): Side => (s === 'joining' ? 'receiving' : 'joining');

/** Whose name stands under the approval of a side. */
export const approverOf = (m: Merge, s: Side): Id<'usr'> | null => (s === 'joining' ? m.joiningBy : m.receivingBy);

const words: Record<MergeState, string> = {
  draft: 'a draft that the other side has not seen',
  sent: 'waiting for both sides',
  approved_one: 'approved by one side',
  approved_both: 'approved by both sides and about to be carried out',
  applied: 'carried out',
  undone: 'undone',
  expired: 'expired',
  rejected: 'rejected',
  stale: 'waiting for a new preview',
};

/** The state at `now`: a proposal counts as expired from its time on, whether the job that says so has run or not. */
export const stateAt = (m: Merge, now: Date): MergeState =>
  m.expiresAt <= now && ['draft', 'sent', 'approved_one', 'stale'].includes(m.state) ? 'expired' : m.state;

/** Refuses a step that the state does not allow. */
export function refuseUnless(m: Merge, now: Date, what: string, allowed: readonly MergeState[]): void {
  const state = stateAt(m, now);
  if (allowed.includes(state)) return;
  throw new Problem('conflict', 'org/merge-state', {
    says: `this proposal is ${words[state]}; it can be ${what} while it is ${allowed.map((s) => words[s]).join(' or ')}`,
    fix:
      state === 'stale'
        ? 'make a new preview first'
        : state === 'draft'
          ? 'send it first'
          : state === 'expired' || state === 'rejected' || state === 'undone'
            ? 'make a new proposal'
            : 'look at the proposal again',
    more: { state },
  });
}

export const noSuchMerge = (): Problem =>
  new Problem('missing', 'org/no-such-merge', { says: 'there is no such merge proposal of this organization' });
