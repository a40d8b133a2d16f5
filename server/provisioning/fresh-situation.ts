import type { Situation } from './decide.ts';
import type { Happening, Mode } from './mode.ts';

/** A person of whom nothing is known but that they have an account: no member, no entry, no groups, nothing special. */
export const freshSituation = (mode: Mode, event: Happening): Situation => ({
  mode,
  event,
  account: 'active',
  member: undefined,
  scim: 'absent',
  groups: [],
  mappings: [],
  tombstone: undefined,
  seatsLeft: 'no_limit',
  exempt: 'no',
  lastOwner: false,
  held: false,
  address: 'allowed',
  given: 'user',
});
