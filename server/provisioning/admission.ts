import { event, type AuditEvent } from '#audit/events.ts';
import type { Admission } from '#directory/admission.ts';
import type { ScimCtx } from '#directory/directory.ts';
import { enqueue } from '#kernel/job.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { decide } from './decide.ts';
import { freshSituation } from './fresh-situation.ts';
import { isScim } from './mode.ts';
import { groupsOfEntry, insertMembers, usersOfEntries, usersOfGroup } from './person.sql.ts';
import { provisioningEvents } from './provisioning.events.ts';
import { ownsElsewhere, withdrawHeld, type Taking } from './removal.sql.ts';
import { mappedGroups, rulesOf, settlePeople, sparing } from './settle-people.ts';
import { findSettings, listMappings, type Settings } from './settings.sql.ts';
import { SYNC_JOB } from './sync-org.ts';

/** A SCIM request is the directory's; who decides in the log is its token. */
const deciderOf = (ctx: ScimCtx): string => ctx.directory;

/**
 * What a directory's word does to members and accounts. Removals pass the brake; what is held leaves the directory's rows as the directory
 * said, so that it reads what it wrote, and leaves the person as they were.
 */
export const admission: Admission = {
  async end(tx, ctx, { entry, user, how }) {
    const settings = await findSettings(tx);
    await tellFollowers(tx, ctx, settings);
    const { decisions, held, events } = await settlePeople(tx, ctx, await rulesOf(tx, settings), {
      event: how === 'deleted' ? 'scim_delete' : 'scim_disable',
      users: [user],
      said: how,
      exempt: (await ownsElsewhere(tx, user)) ? 'owns_elsewhere' : 'no',
      brake: { directory: ctx.directory, group: null, emptied: false, entry },
    });
    const d = decisions.get(user);
    // An account that is suspended already has no such effect either; only who is spared for a reason is left alone.
    const spared =
      d !== undefined && d.effects.every((e) => e.do !== 'suspend_account') && d.reasons.some((r) => sparing.has(r));
    return { suspend: !held.has(user) && !spared, events };
  },

  async begin(tx, ctx, { entry, user, how }) {
    const settings = await findSettings(tx);
    await tellFollowers(tx, ctx, settings);
    if (how === 'made') return welcome(tx, ctx, settings, { entry, user });
    const withdrawn = await withdraw(tx, ctx, [user], ['disabled', 'deleted']);
    const { events } = await settlePeople(tx, ctx, await rulesOf(tx, settings), {
      event: how === 'returned' ? 'scim_create' : 'scim_reactivate',
      users: [user],
      said: 'active',
      brake: 'off',
    });
    return [...withdrawn, ...events];
  },

  async regroup(tx, ctx, g) {
    const settings = await findSettings(tx);
    await tellFollowers(tx, ctx, settings);
    if (settings.mode !== 'scim_advanced') return [];
    const rules = await rulesOf(tx, settings);
    const mapped = mappedGroups(rules.mappings).includes(g.id);
    if (!mapped && !(await wasMapped(tx, settings, g))) return [];
    const added = await usersOfEntries(tx, g.added);
    const removed = await usersOfEntries(tx, g.removed);
    const rest = g.everybody ? await usersOfGroup(tx, g.id) : [];
    const events = mapped ? await withdraw(tx, ctx, [...added, ...rest], ['unmapped', 'lowered']) : [];
    const brake = { directory: ctx.directory, group: g.id, entry: null };
    const came = [...new Set([...added, ...(mapped ? rest : [])])];
    const went = [...new Set([...removed, ...(mapped ? [] : rest)])];
    events.push(
      ...(await settlePeople(tx, ctx, rules, { event: 'group_add', users: came, brake: { ...brake, emptied: false } }))
        .events,
    );
    const emptied = (g.whole || !mapped) && went.length > 0 && (!mapped || (await usersOfGroup(tx, g.id)).length === 0);
    events.push(
      ...(await settlePeople(tx, ctx, rules, { event: 'group_remove', users: went, brake: { ...brake, emptied } }))
        .events,
    );
    return events;
  },
};

/**
 * Somebody whose account was made in this transaction: nothing is known of them yet but, where groups decide, the groups of an entry that was
 * there before it had an account.
 */
async function welcome(
  tx: Tx,
  ctx: ScimCtx,
  settings: Settings,
  { entry, user }: { entry: Id<'scu'>; user: Id<'usr'> },
): Promise<AuditEvent[]> {
  if (!isScim(settings.mode)) return [];
  const { mappings } = await rulesOf(tx, settings);
  const groups = mappings.length > 0 ? await groupsOfEntry(tx, entry, mappedGroups(mappings)) : [];
  const d = decide({ ...freshSituation(settings.mode, 'scim_create'), scim: 'active', groups, mappings });
  const added = d.effects.find((e) => e.do === 'add_member');
  if (added?.do !== 'add_member') return [];
  const member = newId('mem', ctx.now.getTime());
  await insertMembers(tx, [{ id: member, user, role: added.role, tier: added.tier, source: 'directory' }], ctx.now);
  return [
    event(provisioningEvents, 'provisioning.member_added', {
      member,
      user,
      role: added.role,
      source: 'directory',
      on: 'scim_create',
      because: d.reasons,
    }),
  ];
}

async function withdraw(
  tx: Tx,
  ctx: ScimCtx,
  users: readonly Id<'usr'>[],
  kinds: readonly Taking[],
): Promise<AuditEvent[]> {
  const back = users.length > 0 ? await withdrawHeld(tx, users, kinds, deciderOf(ctx), ctx.now) : [];
  return back.length === 0
    ? []
    : [event(provisioningEvents, 'provisioning.held_withdrawn', { users: back.slice(0, 100), count: back.length })];
}

/** Whether a group that is gone, or is called otherwise now, was mapped by one of its names or by its id. */
async function wasMapped(tx: Tx, settings: Settings, g: { id: Id<'grp'>; names: readonly string[] }): Promise<boolean> {
  return (await listMappings(tx, settings)).some((m) =>
    'group' in m.by ? m.by.group === g.id : g.names.includes(m.by.name),
  );
}

/** Sister organizations whose members follow groups compare in a moment, each in a transaction of its own. */
async function tellFollowers(tx: Tx, ctx: ScimCtx, settings: Settings): Promise<void> {
  for (const org of settings.followers)
    await enqueue(tx, SYNC_JOB, { parent: ctx.parent, org }, { key: `${SYNC_JOB}:${org}` });
}
