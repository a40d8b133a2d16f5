import { changeTogether } from '#audit/change.ts';
import type { AuditEvent } from '#audit/events.ts';
import type { Told } from '#audit/inbox.sql.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { membersEvent, type MembersChanged } from './change-members.ts';
import type { ScimCtx } from './directory.ts';
import { tokenOf } from './scim-change.ts';
import { bumpScimGroup, deleteMemberships, insertMemberships, listUnknown, lockScimGroup } from './scim-group.sql.ts';
import { unknownMember, type ScimGroup } from './scim-group.ts';
import { entryOf, type JournalEntry } from './scim-journal.ts';
import { entriesInsert } from './scim-journal.sql.ts';
import { noGroup } from './scim-missing.ts';

/** Adding and removing people by name: what may happen beside other such changes. */
export type Move = { op: 'add' | 'remove'; ids: readonly Id<'scu'>[] };

type Waiting = {
  ctx: ScimCtx;
  moves: readonly Move[];
  done: (group: ScimGroup) => void;
  fail: (e: unknown) => void;
};

/** Requests that share one transaction. More would make the first wait for the last. */
const MAX_TOGETHER = 64;

/**
 * One lane per group and node. Every effective change counts up the version of its group, which is one row, so changes of one group wait for each
 * other's commit however disjoint they are; those that arrive meanwhile are therefore carried out together, in the order in which they came,
 * with one commit. INVARIANT (each by itself): if one of them cannot be done, all are done one by one, so nobody pays for another's mistake.
 */
const lanes = new Map<Id<'grp'>, Waiting[]>();

/** Adds and removes people of a group. Resolves when it is durable. */
export function moveMembers(ctx: ScimCtx, group: Id<'grp'>, moves: readonly Move[]): Promise<ScimGroup> {
  return new Promise((done, fail) => {
    const waiting = lanes.get(group);
    if (waiting) waiting.push({ ctx, moves, done, fail });
    else {
      const lane: Waiting[] = [{ ctx, moves, done, fail }];
      lanes.set(group, lane);
      void run(group, lane);
    }
  });
}

async function run(group: Id<'grp'>, lane: Waiting[]): Promise<void> {
  while (lane.length > 0) {
    // Only requests of one directory are of one scope; a group has one, so a foreign one is told that there is no such group, by itself.
    const first = lane[0]?.ctx.directory;
    const other = lane.findIndex((w) => w.ctx.directory !== first || w.ctx.db !== lane[0]?.ctx.db);
    const batch = lane.splice(0, Math.min(MAX_TOGETHER, other < 0 ? lane.length : other));
    if (!(await settled(group, batch)) && batch.length > 1) for (const one of batch) await settled(group, [one]);
  }
  lanes.delete(group);
}

/** Whether the batch was carried out. A single one that was not is told why. */
async function settled(group: Id<'grp'>, batch: readonly Waiting[]): Promise<boolean> {
  const [first] = batch;
  if (!first) return true;
  try {
    const after = await changeTogether(first.ctx, (tx) => together(tx, group, batch));
    batch.forEach((w, i) => {
      const { value, effective } = after[i] ?? {};
      w.ctx.call.noted = effective ?? false;
      if (value) w.done(value);
    });
    return true;
  } catch (e) {
    if (batch.length === 1) first.fail(e);
    return false;
  }
}

type After = { value: ScimGroup; effective: boolean };

async function together(
  tx: Tx,
  id: Id<'grp'>,
  batch: readonly Waiting[],
): Promise<{ value: After[]; told: Told[]; beside?: ReturnType<typeof entriesInsert> }> {
  const [first] = batch;
  if (!first) return { value: [], told: [] };
  const { ctx } = first;
  const adds = batch.flatMap((w) => w.moves.filter((m) => m.op === 'add').flatMap((m) => m.ids));
  const [before, [unknown]] = await Promise.all([
    lockScimGroup(tx, ctx.directory, id, 'shared'),
    adds.length > 0 ? listUnknown(tx, ctx.directory, [...new Set(adds)]) : [],
  ]);
  if (!before) throw noGroup(id);
  if (unknown) throw unknownMember(unknown);

  const moved = await carriedOut(tx, ctx, id, batch);
  const told: Told[] = [];
  const entries: JournalEntry[] = [];
  const value: After[] = [];
  const effective = moved.filter((m) => m.added.length + m.removed.length > 0).length;
  let { version } = before;
  // Counted last of all that others wait for; the versions in between are those of the requests in between.
  const counted = effective > 0 ? bumpScimGroup(tx, id, ctx.now, effective) : undefined;
  version = counted === undefined ? version : (await counted) - effective;
  for (const [i, w] of batch.entries()) {
    const m = moved[i] ?? { added: [], removed: [], whole: false };
    w.ctx.call.people = [...m.added, ...m.removed];
    const events: AuditEvent[] = membersEvent(w.ctx, id, m);
    if (events.length > 0) {
      version++;
      w.ctx.call.diff = { version };
      events.push(
        ...(await w.ctx.admission.regroup(tx, w.ctx, {
          id,
          names: [before.displayName, before.displayName],
          ...m,
          everybody: false,
        })),
      );
      told.push({ by: w.ctx, events });
      entries.push(entryOf(w.ctx.call, { ...w.ctx, token: tokenOf(w.ctx) }, { events }));
    }
    const changed = events.length > 0 ? w.ctx.now : before.changed;
    value.push({ value: { ...before, version, changed }, effective: events.length > 0 });
  }
  return told.length > 0 ? { value, told, beside: entriesInsert(ctx.directory, entries) } : { value, told };
}

/** Carries the moves out in order; those that do the same one after the other are one statement. Says of each request who came and went by it. */
async function carriedOut(
  tx: Tx,
  ctx: ScimCtx,
  group: Id<'grp'>,
  batch: readonly Waiting[],
): Promise<MembersChanged[]> {
  const net = batch.map(() => new Map<Id<'scu'>, number>());
  const steps = batch.flatMap((w, i) => w.moves.map((m) => ({ ...m, i })));
  for (let from = 0; from < steps.length;) {
    const op = steps[from]?.op;
    let to = from;
    while (to < steps.length && steps[to]?.op === op) to++;
    const same = steps.slice(from, to);
    const ids = [...new Set(same.flatMap((s) => s.ids))];
    const touched = new Set(
      op === 'add' ? await insertMemberships(tx, group, ids, ctx.now) : await deleteMemberships(tx, group, ids),
    );
    // Whoever named somebody first did it; the others found it done.
    for (const s of same)
      for (const id of s.ids)
        if (touched.delete(id)) net[s.i]?.set(id, (net[s.i]?.get(id) ?? 0) + (op === 'add' ? 1 : -1));
    from = to;
  }
  return net.map((n) => {
    const of = (by: number): Id<'scu'>[] =>
      [...n]
        .filter(([, k]) => k === by)
        .map(([id]) => id)
        .sort();
    return { added: of(1), removed: of(-1), whole: false };
  });
}
