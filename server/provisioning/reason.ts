/** Why a decision is as it is: what administrators read, and what the person reads at the door. */
export const reasons = {
  primary_owner: 'the primary owner is never lowered, removed or suspended by an identity provider',
  break_glass: 'this is a break-glass account: no identity provider may change it',
  owner_elsewhere:
    'the person is the primary owner of another organization of this parent, so the account is not suspended',
  last_owner: 'no other owner could sign in, so this one is kept',
  held: 'a removal of this person is held by the brake until an owner applies or discards it',
  mapped: 'the role is the highest that the mapped groups give',
  no_mapped_group: 'none of the groups that the identity provider names is mapped to a role here',
  returned: 'the person had been removed and is back because the identity provider says so of them',
  removed_by_hand: 'an administrator removed the person; an administrator must let them in again',
  removed_by_directory: 'the directory disabled or deleted the person',
  removed_unmapped:
    'the person lost the last mapped group, and a sign-in alone does not undo that; an administrator can let them in again',
  account_suspended: 'the account is suspended',
  no_address: 'the identity provider sent no e-mail address, and an account needs one',
  unverified_domain:
    'the domain of the e-mail address is named for making accounts, but the organization’s parent has not verified it, or not any more',
  other_domain: 'the e-mail address belongs to no domain for which a sign-in may make accounts',
  added_by_hand_only: 'in this mode administrators add people by hand',
  not_in_directory: 'no directory has sent this person',
  not_synced: 'the directory has the person, but the membership was not made; "sync now" makes it',
  directory_adds_nobody: 'in this mode a directory does not add members',
  stays_listed:
    'the person can sign in no more, but stays listed until removed by hand or, where sign-ins decide, until they try',
  roles_by_hand: 'in this mode administrators give roles by hand',
  at_next_sign_in: 'in this mode groups take effect at the next sign-in',
  hand_will_not_last: 'the person is in no mapped group, so the next sign-in or sync would remove them again',
  role_will_follow_groups: 'mapped groups give another role, which the next sign-in or sync will set',
  stays_removed: 'a sign-in or a sync does not bring the person back; an administrator can let them in again',
  made_by_hand: 'the membership was made by hand, so the directory does not end it; an administrator can',
  no_seat: 'every seat is taken',
  seat_beyond_limit: 'every seat is taken, but this account is never kept out',
} as const;

export type ReasonCode = keyof typeof reasons;

/** Reasons as one sentence for administrators. */
export const inWords = (codes: readonly ReasonCode[]): string => codes.map((c) => reasons[c]).join('; ');
