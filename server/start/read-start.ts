import { findFirst } from '#audit/event.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { urgencies, type Fine, type Need, type Reporter, type Step } from '#kernel/report.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { noSuchOrg } from '#org/org.ts';
import { can } from '#org/roles.ts';
import { listUserNames } from '#org/user.sql.ts';

/** A step with who did it first, and when, as far as the log says. */
export type DoneStep = Step & { at: Date | undefined; by: string | undefined };

export type Start = {
  steps: DoneStep[];
  /** Most pressing first. */
  needs: Need[];
  fine: Fine[];
  /** Rooms of which this person may read nothing, so that nobody takes silence for order. */
  unseen: string[];
};

/** What is said by the rooms that this person may read, each by its own account. */
async function reports(ctx: OrgCtx, user: Id<'usr'>, reporters: readonly Reporter[]) {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const member = await findMemberByUser(db, user);
    if (!member) throw noSuchOrg();
    const seen = reporters.filter((r) => can(member.role, r.can));
    const all = [];
    for (const r of seen) all.push(await r.report(ctx, db));
    return { all, unseen: reporters.filter((r) => !seen.includes(r)).map((r) => r.room) };
  });
}

/** The page Start: what is set up, what needs a person, what is in order. */
export async function readStart(ctx: OrgCtx, user: Id<'usr'>, reporters: readonly Reporter[]): Promise<Start> {
  const { all, unseen } = await reports(ctx, user, reporters);
  const steps = all.flatMap((r) => r.steps ?? []);
  const firsts = await ctx.db.read(scopeOf(ctx), async (db) => {
    const found = [];
    for (const { done, first } of steps)
      found.push(done ? await findFirst(db, first.log === 'org' ? ctx.org : ctx.parent, first.types) : undefined);
    const users = found.flatMap((f) => (f?.actor.kind === 'user' && f.actor.id !== undefined ? [f.actor.id] : []));
    const names = new Map((await listUserNames(db, users)).map((u) => [u.id, u.name]));
    return found.map((f) => ({ at: f?.at, by: f?.actor.id === undefined ? undefined : names.get(f.actor.id) }));
  });
  return {
    steps: steps.map((s, i) => ({ ...s, at: firsts[i]?.at, by: firsts[i]?.by })),
    needs: all.flatMap((r) => r.needs ?? []).toSorted(byPressure),
    fine: all.flatMap((r) => r.fine ?? []),
    unseen,
  };
}

function byPressure(a: Need, b: Need): number {
  const ends = (n: Need): number => n.until?.getTime() ?? Infinity;
  const began = (n: Need): number => n.since?.getTime() ?? Infinity;
  return (
    urgencies.indexOf(a.urgency) - urgencies.indexOf(b.urgency) ||
    compare(ends(a), ends(b)) ||
    compare(began(a), began(b)) ||
    a.code.localeCompare(b.code)
  );
}
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** How many things wait for a decision of somebody, by the room on whose page that is. */
export async function countWaiting(
  ctx: OrgCtx,
  user: Id<'usr'>,
  reporters: readonly Reporter[],
): Promise<{ room: string; count: number }[]> {
  const { all } = await reports(ctx, user, reporters);
  const rooms = new Map<string, number>();
  for (const n of all.flatMap((r) => r.needs ?? []))
    if (n.urgency === 'held') {
      const room = n.page.split('/')[1] ?? n.page;
      rooms.set(room, (rooms.get(room) ?? 0) + n.count);
    }
  return [...rooms].map(([room, count]) => ({ room, count }));
}
