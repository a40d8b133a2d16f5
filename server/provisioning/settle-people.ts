import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { memberRoles, type MemberRole } from '#org/member.ts';
import { BRAKE_SHARE, brakeLimit, brakes, HELD_JOB } from './brake.ts';
import { decide, type Decision, type LiveMapping, type Situation } from './decide.ts';
import { isScim, type Happening } from './mode.ts';
import {
  countMembers,
  deleteMembers,
  insertMembers,
  listActiveOwners,
  listFacts,
  lockPeople,
  saveRoles,
  saveSeats,
  type Facts,
  type NewMember,
} from './person.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { countDone, heldLately, insertRemovals, lockBrake, type Removal, type Taking } from './removal.sql.ts';
import { seatsLeft } from './seat.ts';
import { listSeatLimits, lockSeats } from './seat.sql.ts';
import { liveMappings, listMappings, type Settings } from './settings.sql.ts';

/** What decisions of one organization are made with. */
export type Rules = { settings: Settings; mappings: readonly LiveMapping[] };

/** The mappings are read only where groups decide. */
export const rulesOf = async (tx: Parameters<typeof listMappings>[0], settings: Settings): Promise<Rules> => ({
  settings,
  mappings: settings.mode.endsWith('_advanced') ? await liveMappings(tx, await listMappings(tx, settings)) : [],
});

export const mappedGroups = (mappings: readonly LiveMapping[]): Id<'grp'>[] => [
  ...new Set(mappings.flatMap((m) => m.groups)),
];

/** Facts as a situation. Where only the organization's own directories add people, the entry of another one is nobody's. */
export function situationOf(
  rules: Rules,
  event: Happening,
  f: Facts,
  more: {
    lastOwner: boolean;
    exempt?: Situation['exempt'];
    seatsLeft?: Situation['seatsLeft'];
    said?: Situation['scim'] | undefined;
  },
): Situation {
  return {
    mode: rules.settings.mode,
    event,
    account: f.account,
    member:
      f.member === null || f.role === null
        ? undefined
        : { role: f.role, source: f.source ?? 'hand', activated: f.activatedAt !== null, tier: f.tier },
    scim: more.said ?? (f.ours || rules.settings.mode === 'scim_advanced' ? f.scim : 'absent'),
    groups: f.groups,
    mappings: rules.mappings,
    tombstone: f.tombstone ?? undefined,
    seatsLeft: more.seatsLeft ?? 'no_limit',
    exempt: f.breakGlass ? 'break_glass' : (more.exempt ?? 'no'),
    lastOwner: more.lastOwner,
    held: f.held,
    address: 'allowed',
    given: 'user',
  };
}

export type Move = {
  event: Happening;
  users: readonly Id<'usr'>[];
  /** What the directory says of them all, where its row does not say so yet. */
  said?: Situation['scim'];
  exempt?: Situation['exempt'];
  /** Who takes it away, for the brake; `off` where people have looked at it already. */
  brake: 'off' | { directory: Id<'dir'> | null; group: Id<'grp'> | null; emptied: boolean; entry: Id<'scu'> | null };
};

export type Settled = {
  events: AuditEvent[];
  /** Of everybody who was looked at; of those who are held: what would have been. */
  decisions: ReadonlyMap<Id<'usr'>, Decision>;
  held: ReadonlySet<Id<'usr'>>;
  changed: number;
};

type Decided = { facts: Facts; decision: Decision; taking: Taking | undefined };

/**
 * Decides about people and does it, all in the caller's transaction: locks them, reads the facts, asks `decide`, lets the brake hold what
 * is too much at once, and writes the rest.
 */
export async function settlePeople(tx: Tx, ctx: OrgCtx, rules: Rules, move: Move): Promise<Settled> {
  if (move.users.length === 0) return { events: [], decisions: new Map(), held: new Set(), changed: 0 };
  await lockPeople(tx, move.users);
  const facts = await listFacts(tx, move.users, mappedGroups(rules.mappings));
  const entering = move.event === 'login' && facts.some((f) => f.activatedAt === null);
  if (entering) await lockSeats(tx);
  const limits = entering ? await listSeatLimits(tx) : [];
  const owners = new Set(facts.some((f) => f.role === 'owner') ? await listActiveOwners(tx) : []);

  const decided: Decided[] = facts.map((f) => {
    const tier = f.tier;
    const s = situationOf(rules, move.event, f, {
      lastOwner: owners.has(f.user) && owners.size === 1,
      seatsLeft: seatsLeft(limits, tier),
      said: move.said,
      ...(move.exempt ? { exempt: move.exempt } : {}),
    });
    let decision = decide(s);
    // A tier that the groups give has its own limit; it is known only after deciding.
    const given = decision.effects.find((e) => e.do === 'add_member');
    if (given?.do === 'add_member' && given.tier !== tier && limits.length > 0)
      decision = decide({ ...s, seatsLeft: seatsLeft(limits, given.tier) });
    const taking = takingOf(decision, move.event);
    if (taking) owners.delete(f.user);
    return { facts: f, decision, taking };
  });

  const held = await holdBack(tx, ctx, move, decided);
  const going = decided.filter((d) => !held.users.has(d.facts.user));
  const events = [...held.events, ...(await carryOut(tx, ctx, rules, move, going))];
  return {
    events,
    decisions: new Map(decided.map((d) => [d.facts.user, d.decision])),
    held: held.users,
    changed: going.filter((d) => d.decision.effects.length > 0).length,
  };
}

/** What a decision takes away, if anything. */
function takingOf(d: Decision, on: Happening): Taking | undefined {
  for (const e of d.effects) {
    if (e.do === 'suspend_account') return on === 'scim_delete' ? 'deleted' : 'disabled';
    if (e.do === 'remove_member')
      return on === 'scim_delete' ? 'deleted' : e.cause === 'unmapped' ? 'unmapped' : 'disabled';
    if (e.do === 'change_role' && lower(e.from, e.to)) return 'lowered';
  }
  return undefined;
}
export const lower = (from: MemberRole, to: MemberRole): boolean => memberRoles.indexOf(to) > memberRoles.indexOf(from);

/** Writes down what is taken away, and holds it if it is too much at once. */
async function holdBack(
  tx: Tx,
  ctx: OrgCtx,
  move: Move,
  decided: readonly Decided[],
): Promise<{ users: Set<Id<'usr'>>; events: AuditEvent[] }> {
  const { brake } = move;
  const taking = decided.filter((d) => d.taking !== undefined);
  // A lower role is not gone: it counts only where one request emptied a group.
  const gone = brake !== 'off' && brake.emptied ? taking : taking.filter((d) => d.taking !== 'lowered');
  if (brake === 'off' || gone.length === 0) return { users: new Set(), events: [] };
  await lockBrake(tx, brake.directory);
  const done = await countDone(tx, brake.directory, ctx.now);
  const emptied = brake.emptied ? gone.length : 0;
  // Counting half a million for every leaver would be slow; from so many on, these are within the share.
  const enough = Math.ceil((done + gone.length) / BRAKE_SHARE);
  const members = done + gone.length > brakeLimit(0) ? await countMembers(tx, enough) : 0;
  const stop = brakes({ done, taking: gone.length, members, emptied });
  const rows = gone.map((d): Removal => ({
    id: newId('rem', ctx.now.getTime()),
    user: d.facts.user,
    kind: d.taking ?? 'unmapped',
    directory: brake.directory,
    entry: brake.entry ?? d.facts.entry,
    group: brake.group,
  }));
  // One mail for one cycle of an identity provider, which may come as hundreds of requests.
  if (stop && !(await heldLately(tx, ctx.now)))
    await enqueue(tx, HELD_JOB, { org: ctx.org, directory: brake.directory }, { key: `held:${ctx.org}` });
  await insertRemovals(tx, rows, stop ? 'held' : 'done', ctx.now);
  if (!stop) return { users: new Set(), events: [] };
  return {
    users: new Set(rows.map((r) => r.user)),
    events: [
      event(provisioningEvents, 'provisioning.held', {
        directory: brake.directory,
        group: emptied > 0 ? brake.group : null,
        count: rows.length,
        kinds: [...new Set(rows.map((r) => r.kind))].sort(),
        limit: brakeLimit(members),
      }),
    ],
  };
}

/** Does what was decided, a statement per kind of effect, and says so in an event per person. */
async function carryOut(
  tx: Tx,
  ctx: OrgCtx,
  rules: Rules,
  move: Move,
  going: readonly Decided[],
): Promise<AuditEvent[]> {
  const on = move.event;
  const added: NewMember[] = [];
  const roles: { member: Id<'mem'>; role: string }[] = [];
  const removed: { member: Id<'mem'>; user: Id<'usr'>; cause: string }[] = [];
  const seats: Parameters<typeof saveSeats>[1][number][] = [];
  const events: AuditEvent[] = [];
  const source =
    on === 'login' && !isScim(rules.settings.mode) ? 'sign_in' : on === 'manual_add' ? 'hand' : 'directory';
  for (const { facts: f, decision: d } of going) {
    const { user } = f;
    const because = d.reasons;
    let { member, tier } = f;
    let took = false;
    let retiered = false;
    for (const e of d.effects)
      switch (e.do) {
        case 'add_member':
          member = newId('mem', ctx.now.getTime());
          tier = e.tier;
          added.push({ id: member, user, role: e.role, tier, source });
          events.push(
            event(provisioningEvents, 'provisioning.member_added', { member, user, role: e.role, source, on, because }),
          );
          break;
        case 'change_role':
          if (!member) break;
          roles.push({ member, role: e.to });
          events.push(
            event(provisioningEvents, 'provisioning.role_changed', {
              member,
              user,
              from: e.from,
              to: e.to,
              on,
              because,
            }),
          );
          break;
        case 'change_tier':
          if (!member) break;
          events.push(
            event(provisioningEvents, 'provisioning.tier_changed', { member, user, from: tier, to: e.to, on }),
          );
          tier = e.to;
          retiered = true;
          break;
        case 'remove_member':
          if (!member || !f.role) break;
          removed.push({ member, user, cause: e.cause });
          events.push(
            event(provisioningEvents, 'provisioning.member_removed', {
              member,
              user,
              role: f.role,
              cause: e.cause,
              on,
              because,
            }),
          );
          break;
        case 'take_seat':
          if (!member) break;
          took = true;
          events.push(event(provisioningEvents, 'provisioning.seat_taken', { member, user, tier }));
          break;
        // The account is the directory's business (settle-person.ts) or the sign-in's; a seat ends with its member.
        case 'create_account':
        case 'suspend_account':
        case 'restore_account':
        case 'free_seat':
      }
    if (d.seat === 'refused') events.push(event(provisioningEvents, 'provisioning.seat_refused', { user, tier }));
    if (d.effects.length === 0 && because.some((c) => sparing.has(c)) && telling.has(on))
      events.push(event(provisioningEvents, 'provisioning.kept', { user, on, because }));
    const stands =
      d.role !== undefined &&
      (on === 'login' || on === 'scim_create' || on === 'scim_reactivate' || because.includes('mapped'));
    if (member && d.role !== undefined && (stands || took || retiered))
      seats.push({ member, user, source: f.source ?? source, tier, signedIn: on === 'login' && d.admit });
  }
  if (added.length > 0) await insertMembers(tx, added, ctx.now);
  if (roles.length > 0) await saveRoles(tx, roles);
  if (removed.length > 0) await deleteMembers(tx, removed, ctx.now);
  if (seats.length > 0) await saveSeats(tx, seats, ctx.now);
  return events;
}

/** Where sparing somebody is news: the identity provider took something away and nothing happened. A sync would say it every time. */
const telling: ReadonlySet<Happening> = new Set<Happening>(['scim_disable', 'scim_delete', 'group_remove']);

/** Reasons for which something that was asked for was not done: worth a line in the log. */
export const sparing: ReadonlySet<string> = new Set([
  'primary_owner',
  'break_glass',
  'owner_elsewhere',
  'last_owner',
  'held',
] satisfies Decision['reasons'][number][]);
