import { memberRoles, type GivenRole, type MemberRole } from '#org/member.ts';
import type { Id } from '#kernel/id.ts';
import { isAdvanced, isJit, isScim, type Cause, type Grant, type Happening, type Mode, type Source } from './mode.ts';
import type { ReasonCode } from './reason.ts';

/** A mapping with the groups that it means now: one for a mapping by id, any number for one by name. */
export type LiveMapping = Grant & { id: Id<'map'>; groups: readonly Id<'grp'>[] };

/** Everything that a decision about one person in one organization may depend on. */
export type Situation = {
  mode: Mode;
  event: Happening;
  /** The account at the parent. `none`: somebody whom only an identity provider knows. */
  account: 'none' | 'active' | 'suspended';
  member: { role: MemberRole; source: Source; activated: boolean; tier: string | null } | undefined;
  /** What a directory says of the person. */
  scim: 'absent' | 'active' | 'disabled' | 'deleted';
  groups: readonly Id<'grp'>[];
  mappings: readonly LiveMapping[];
  tombstone: Cause | undefined;
  seatsLeft: number | 'no_limit';
  /** Beside the primary owner, who is known by the role: nobody may shut these out. */
  exempt: 'no' | 'break_glass' | 'owns_elsewhere';
  /** An owner, and no other owner could sign in. */
  lastOwner: boolean;
  /** A removal of this person waits for people to look at it. */
  held: boolean;
  /** Whether a sign-in may make an account for this address. */
  address: 'allowed' | 'other_domain' | 'unverified_domain' | 'missing';
  /** By hand: the role that an administrator gives. */
  given: GivenRole;
};

export type Effect =
  | { do: 'create_account' | 'suspend_account' | 'restore_account' | 'take_seat' | 'free_seat' }
  | { do: 'add_member'; role: GivenRole; tier: string | null }
  | { do: 'change_role'; from: MemberRole; to: GivenRole }
  | { do: 'change_tier'; to: string | null }
  | { do: 'remove_member'; cause: Cause };

export type Decision = {
  /** Whether the person may sign in to this organization from now on; where groups are known only at the sign-in: as far as is known. */
  admit: boolean;
  /** The role from now on; undefined: not a member. */
  role: MemberRole | undefined;
  seat: 'none' | 'unused' | 'taken' | 'refused';
  effects: Effect[];
  reasons: ReasonCode[];
};

/** The highest role that a person's groups give; among equals the mapping that was made first. */
export function highest(
  groups: readonly Id<'grp'>[],
  mappings: readonly LiveMapping[],
): (Grant & { mapping: Id<'map'> }) | undefined {
  const mine = new Set(groups);
  let best: LiveMapping | undefined;
  for (const m of mappings)
    if (
      m.groups.some((g) => mine.has(g)) &&
      (!best || rank(m.role) < rank(best.role) || (m.role === best.role && m.id < best.id))
    )
      best = m;
  return best && { role: best.role, tier: best.tier, mapping: best.id };
}

const rank = (role: MemberRole): number => memberRoles.indexOf(role);

/**
 * What happens to one person in one organization. The only place that decides it: live sign-in, SCIM, dry-run, sync and explanation all ask
 * here, so they cannot disagree. docs/generated/provisioning-decisions.txt is the whole table.
 * INVARIANT (nobody locked out): the primary owner, break-glass accounts and the last owner are never lowered, removed or suspended here.
 * INVARIANT (removed means removed): a sign-in never brings back somebody who was removed, unless only the lack of a group removed them.
 */
export function decide(s: Situation): Decision {
  const now = { account: s.account, member: s.member && { ...s.member }, seat: s.member?.activated ?? false };
  const effects: Effect[] = [];
  const reasons: ReasonCode[] = [];
  let refused = false;
  const because = (code: ReasonCode): void => {
    if (!reasons.includes(code)) reasons.push(code);
  };

  /** Why an identity provider may not take anything from this person, if so. */
  const spared = (what: 'account' | 'membership' | 'role'): ReasonCode | undefined => {
    if (s.member?.role === 'primary_owner') return 'primary_owner';
    if (s.exempt === 'break_glass') return 'break_glass';
    if (s.exempt === 'owns_elsewhere' && what === 'account') return 'owner_elsewhere';
    if (s.lastOwner) return 'last_owner';
    return s.held ? 'held' : undefined;
  };
  const suspend = (): void => {
    const why = spared('account');
    if (why) return because(why);
    if (now.account !== 'active') return;
    now.account = 'suspended';
    effects.push({ do: 'suspend_account' });
  };
  const remove = (cause: Cause): void => {
    if (!now.member) return;
    const why = spared('membership');
    if (why) return because(why);
    effects.push({ do: 'remove_member', cause });
    if (now.seat) effects.push({ do: 'free_seat' });
    now.member = undefined;
    now.seat = false;
  };
  const regrade = (to: Grant): void => {
    if (!now.member) return;
    const { role, tier } = now.member;
    if (role !== to.role) {
      // Only lowering is spared: a break-glass account may not be raised by a group either, for nobody watches it.
      const why =
        role === 'primary_owner' || s.exempt === 'break_glass' || rank(to.role) > rank(role)
          ? spared('role')
          : undefined;
      if (why) return because(why);
      effects.push({ do: 'change_role', from: role, to: to.role });
      now.member.role = to.role;
    }
    if (tier !== to.tier) {
      effects.push({ do: 'change_tier', to: to.tier });
      now.member.tier = to.tier;
    }
  };
  const add = (to: Grant, source: Source): void => {
    if (now.member) return;
    effects.push({ do: 'add_member', role: to.role, tier: to.tier });
    now.member = { role: to.role, source, activated: false, tier: to.tier };
  };
  const best = isAdvanced(s.mode) ? highest(s.groups, s.mappings) : undefined;
  const plain: Grant = { role: 'user', tier: null };

  /** The identity provider stands behind the person: in, with what the mode gives. `anew`: it says so of this very person. */
  const stand = (anew: boolean, source: Source): void => {
    if (isAdvanced(s.mode) && !best) {
      because('no_mapped_group');
      return remove('unmapped');
    }
    const to = best ?? plain;
    if (best) because('mapped');
    if (now.member) {
      if (best) regrade(best);
      return;
    }
    // A sign-in is the person's own act; only a directory that names the person anew, or the lost group itself, undoes a removal.
    const undone =
      anew ||
      s.tombstone === undefined ||
      (s.tombstone === 'unmapped' && isAdvanced(s.mode)) ||
      (source === 'directory' && s.tombstone !== 'hand');
    if (!undone)
      return because(
        s.tombstone === 'hand'
          ? 'removed_by_hand'
          : s.tombstone === 'directory'
            ? 'removed_by_directory'
            : 'removed_unmapped',
      );
    if (s.tombstone !== undefined) because('returned');
    add(to, source);
  };

  switch (s.event) {
    case 'login':
      if (s.account === 'suspended') {
        because('account_suspended');
        break;
      }
      if (isJit(s.mode) && s.account === 'none') {
        if (s.address !== 'allowed') {
          because(s.address === 'missing' ? 'no_address' : s.address);
          break;
        }
        stand(false, 'sign_in');
        if (now.member) effects.unshift({ do: 'create_account' });
        break;
      }
      if (s.mode === 'jit_permissive' || s.mode === 'jit_advanced') stand(false, 'sign_in');
      else if (s.mode === 'scim_advanced' && now.member && s.scim !== 'disabled' && s.scim !== 'deleted')
        stand(false, 'directory');
      else if (!now.member)
        because(
          s.mode === 'login_only'
            ? 'added_by_hand_only'
            : s.tombstone === 'hand'
              ? 'removed_by_hand'
              : s.scim === 'active'
                ? best || s.mode === 'scim_permissive'
                  ? 'not_synced'
                  : 'no_mapped_group'
                : s.scim === 'absent'
                  ? 'not_in_directory'
                  : 'removed_by_directory',
        );
      if (s.held && now.member) because('held');
      break;
    case 'scim_create':
    case 'scim_reactivate':
      if (s.event === 'scim_reactivate' && now.account === 'suspended') {
        now.account = 'active';
        effects.push({ do: 'restore_account' });
      }
      if (isScim(s.mode)) stand(true, 'directory');
      else because('directory_adds_nobody');
      break;
    case 'scim_disable':
    case 'scim_delete':
      suspend();
      if (isScim(s.mode)) remove('directory');
      else if (now.member) because('stays_listed');
      break;
    case 'group_add':
    case 'group_remove':
      if (!isAdvanced(s.mode)) because('roles_by_hand');
      else if (s.mode === 'jit_advanced') because('at_next_sign_in');
      else settleInScimAdvanced();
      break;
    case 'manual_add':
      add({ role: s.given, tier: null }, 'hand');
      if (isAdvanced(s.mode) && !best) because('hand_will_not_last');
      if (isAdvanced(s.mode) && best && best.role !== s.given) because('role_will_follow_groups');
      break;
    case 'manual_remove':
      // Not `remove`: an administrator may end a break-glass account, but org/member.ts keeps the primary owner.
      if (now.member?.role === 'primary_owner') because('primary_owner');
      else if (now.member) {
        effects.push({ do: 'remove_member', cause: 'hand' });
        if (now.seat) effects.push({ do: 'free_seat' });
        now.member = undefined;
        now.seat = false;
        because(s.mode === 'login_only' ? 'removed_by_hand' : 'stays_removed');
      }
      break;
    case 'mode_change':
    case 'resync':
      if (s.mode === 'login_only') because('roles_by_hand');
      else if (s.mode === 'jit_permissive') because('at_next_sign_in');
      else if (s.mode === 'jit_advanced') because('at_next_sign_in');
      else if (s.mode === 'scim_advanced') settleInScimAdvanced();
      else if (s.scim === 'active') stand(false, 'directory');
      else if (s.scim !== 'absent') {
        because('removed_by_directory');
        remove('directory');
      } else if (now.member && now.member.source === 'hand') because('made_by_hand');
      else if (now.member) {
        because('not_in_directory');
        remove('directory');
      }
      break;
  }

  function settleInScimAdvanced(): void {
    if (s.scim === 'disabled' || s.scim === 'deleted') {
      because('removed_by_directory');
      return remove('directory');
    }
    // Somebody whom no directory knows can keep a place through a group of another kind, but not get one.
    if (s.scim === 'absent' && !now.member) return because('not_in_directory');
    stand(false, 'directory');
  }

  // Predictions where the next sign-in decides. What a sign-in would refuse is not admitted now, though the member stays listed.
  let admit = now.member !== undefined && now.account !== 'suspended';
  if (admit && s.event !== 'login' && s.mode === 'jit_advanced' && !best) {
    const why = spared('membership');
    if (why) because(why);
    else {
      because('no_mapped_group');
      admit = false;
    }
  }
  if (s.event === 'login' && admit && !now.seat) {
    const free = s.seatsLeft === 'no_limit' || s.seatsLeft > 0;
    if (free || now.member?.role === 'primary_owner' || s.exempt === 'break_glass') {
      if (!free) because('seat_beyond_limit');
      effects.push({ do: 'take_seat' });
      now.seat = true;
    } else {
      // Nobody is added who could not enter: the list of members would promise what the door refuses.
      because('no_seat');
      refused = true;
      admit = false;
      if (!s.member) {
        now.member = undefined;
        effects.length = 0;
      }
    }
  }
  return {
    admit,
    role: now.member?.role,
    seat: refused ? 'refused' : now.member ? (now.seat ? 'taken' : 'unused') : 'none',
    effects,
    reasons,
  };
}
