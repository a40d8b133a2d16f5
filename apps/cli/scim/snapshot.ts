/** An account as the target's SCIM shows it. */
export type RemoteUser = {
  id: string;
  userName: string;
  externalId: string | undefined;
  displayName: string | undefined;
  active: boolean;
};

/** `group`: a group inside a group. We show those and never touch them. */
export type Member = { id: string; kind: 'user' | 'group' };

/** `members` undefined: not asked for. */
export type RemoteGroup = {
  id: string;
  displayName: string;
  externalId: string | undefined;
  members: readonly Member[] | undefined;
};

/** What one reading of a target found. A target sees to it that we see only what its SCIM manages; the rest does not exist for us. */
export type Snapshot = {
  users: readonly RemoteUser[];
  groups: readonly RemoteGroup[];
  /** What could not be read as a whole, in words. */
  warnings: readonly string[];
};

/** userName has no case (RFC 7643 §4.1.1); addresses of people have none in practice. */
export const fold = (s: string): string => s.trim().toLowerCase();

/** Names come from strangers: a terminal must not obey what is in them. */
export const printable = (s: string): string => s.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\u{FFFD}');
