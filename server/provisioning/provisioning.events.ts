import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { memberRoles } from '#org/member.ts';
import { causes, happenings, modes, sources } from './mode.ts';
import { takings } from './removal.sql.ts';

const id = z.string().max(60);
const count = z.number().int().nonnegative();
const role = z.enum(memberRoles);
const on = z.enum(happenings);
const because = z.array(z.string().max(40)).max(10);
const tier = z.string().max(40);
const seats = (n: number): string => (n === 1 ? '1 seat' : `${n} seats`);
const people = (n: number): string => (n === 1 ? '1 person' : `${n} people`);

/** What provisioning says in the log. */
export const provisioningEvents = {
  'provisioning.account_created': declare({
    data: z.object({ user: id, connection: id }),
    says: (d) => `made the account ${d.user} at the first sign-in through ${d.connection}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.member_added': declare({
    data: z.object({ member: id, user: id, role, source: z.enum(sources), on, because }),
    says: (d) => `made ${d.user} a member as ${d.role} (${d.on})`,
    ocsf: 3001,
    about: (d) => ({ resource: d.member }),
  }),
  'provisioning.role_changed': declare({
    data: z.object({ member: id, user: id, from: role, to: role, on, because }),
    says: (d) => `changed the role of ${d.user} from ${d.from} to ${d.to} (${d.on})`,
    ocsf: 3005,
    about: (d) => ({ resource: d.member }),
  }),
  'provisioning.tier_changed': declare({
    data: z.object({ member: id, user: id, from: tier.nullable(), to: tier.nullable(), on }),
    says: (d) => `changed the seat tier of ${d.user} from ${d.from ?? 'none'} to ${d.to ?? 'none'} (${d.on})`,
    ocsf: 3005,
    about: (d) => ({ resource: d.member }),
  }),
  'provisioning.member_removed': declare({
    data: z.object({ member: id, user: id, role, cause: z.enum(causes), on, because }),
    says: (d) => `removed ${d.user}, who was ${d.role} (${d.on})`,
    ocsf: 3001,
    about: (d) => ({ resource: d.member }),
  }),
  'provisioning.kept': declare({
    data: z.object({ user: id, on, because }),
    says: (d) => `left ${d.user} as they are (${d.on}): ${d.because.join(', ')}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.account_suspended': declare({
    data: z.object({ user: id, removal: id }),
    says: (d) => `suspended the account ${d.user}, whose removal had been held`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.seat_taken': declare({
    data: z.object({ member: id, user: id, tier: tier.nullable() }),
    says: (d) => `gave ${d.user} a seat${d.tier === null ? '' : ` of the tier ${d.tier}`}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.member }),
  }),
  'provisioning.seat_refused': declare({
    data: z.object({ user: id, tier: tier.nullable() }),
    says: (d) => `found no seat${d.tier === null ? '' : ` of the tier ${d.tier}`} left for ${d.user}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user, disposition: 'denied' }),
  }),
  'provisioning.held': declare({
    data: z.object({
      directory: id.nullable(),
      group: id.nullable(),
      count,
      kinds: z.array(z.enum(takings)),
      limit: count,
    }),
    says: (d) =>
      `held the removal of ${people(d.count)}, because ${d.group ? `one request emptied the mapped group ${d.group}` : `more than ${d.limit} would have gone within an hour`}; owners must apply or discard it`,
    ocsf: 2006,
    about: (d) => ({ resource: d.group ?? d.directory ?? undefined, disposition: 'held' }),
  }),
  'provisioning.held_withdrawn': declare({
    data: z.object({ users: z.array(id).max(100), count }),
    says: (d) => `took back the removal of ${people(d.count)} that had been held`,
    ocsf: 3001,
  }),
  'provisioning.held_applied': declare({
    data: z.object({ count }),
    says: (d) => `applied the held removal of ${people(d.count)}`,
    ocsf: 3001,
  }),
  'provisioning.held_discarded': declare({
    data: z.object({ count, entries: count, memberships: count }),
    says: (d) => `discarded the held removal of ${people(d.count)} and put back what the directory had taken`,
    ocsf: 3001,
  }),
  'provisioning.plan_made': declare({
    data: z.object({ plan: id, hash: z.string().max(64), gains: count, loses: count, raised: count, lowered: count }),
    says: (d) =>
      `looked at a plan by which ${people(d.gains)} would gain access, ${people(d.loses)} lose it, and ${d.raised + d.lowered} change role`,
    ocsf: 5019,
    about: (d) => ({ resource: d.plan }),
  }),
  'provisioning.plan_applied': declare({
    data: z.object({ plan: id, hash: z.string().max(64), mode: z.enum(modes), mappings: count, version: count }),
    says: (d) => `applied the plan ${d.plan}: mode ${d.mode}, ${d.mappings} mappings`,
    ocsf: 5019,
    about: (d) => ({ resource: d.plan }),
  }),
  'provisioning.mode_changed': declare({
    data: z.object({ from: z.enum(modes), to: z.enum(modes) }),
    says: (d) => `changed the provisioning mode from ${d.from} to ${d.to}`,
    ocsf: 5019,
  }),
  'provisioning.mapping_added': declare({
    data: z.object({ mapping: id, group: id.nullable(), role, tier: tier.nullable() }),
    says: (d) => `mapped ${d.group ?? 'a group by its name'} to the role ${d.role}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.mapping }),
  }),
  'provisioning.mapping_removed': declare({
    data: z.object({ mapping: id, role }),
    says: (d) => `ended the mapping ${d.mapping} to the role ${d.role}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.mapping }),
  }),
  'provisioning.sign_in_noted': declare({
    data: z.object({ connection: id, user: id.nullable(), groups: count }),
    says: (d) =>
      `noted how an identity provider named ${d.user ?? 'somebody without an account'}, with ${d.groups} groups`,
    ocsf: 3002,
    about: (d) => ({ resource: d.connection }),
  }),
  'provisioning.attribute_groups_changed': declare({
    data: z.object({ user: id, added: count, removed: count }),
    says: (d) => `put ${d.user} into ${d.added} groups and out of ${d.removed}, as the sign-in said`,
    ocsf: 3006,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.synced': declare({
    data: z.object({ looked: count, changed: count, held: count }),
    says: (d) =>
      `compared ${people(d.looked)} with what the identity provider says; ${d.changed} changed, ${d.held} held`,
    ocsf: 3001,
  }),
  'provisioning.let_in_again': declare({
    data: z.object({ user: id }),
    says: (d) => `let ${d.user} in again, who had been removed`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.exempted': declare({
    data: z.object({ user: id }),
    says: (d) => `made ${d.user} a break-glass account that no identity provider can change`,
    ocsf: 3005,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.exemption_ended': declare({
    data: z.object({ user: id }),
    says: (d) => `ended that ${d.user} is a break-glass account`,
    ocsf: 3005,
    about: (d) => ({ resource: d.user }),
  }),
  'provisioning.seats_limited': declare({
    data: z.object({ tier, seats: count }),
    says: (d) => `set the limit of ${d.tier === '*' ? 'the organization' : `the tier ${d.tier}`} to ${seats(d.seats)}`,
    ocsf: 5019,
  }),
  'provisioning.seats_unlimited': declare({
    data: z.object({ tier }),
    says: (d) => `ended the limit of seats of ${d.tier === '*' ? 'the organization' : `the tier ${d.tier}`}`,
    ocsf: 5019,
  }),
  'group.made': declare({
    data: z.object({ group: id }),
    says: (d) => `made the group ${d.group}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'group.removed': declare({
    data: z.object({ group: id, members: count }),
    says: (d) => `removed the group ${d.group}, which had ${people(d.members)}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'group.member_added': declare({
    data: z.object({ group: id, user: id }),
    says: (d) => `added ${d.user} to the group ${d.group}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'group.member_removed': declare({
    data: z.object({ group: id, user: id }),
    says: (d) => `removed ${d.user} from the group ${d.group}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
} as const;
