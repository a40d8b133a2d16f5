import { listPending } from '#approvals/approval.sql.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Place } from './org-view.ts';

/** Waits until a request is decided or over, at most `ms`, or until `signal` ends. Says nothing about how it came out: whoever waited looks. */
export type Waiter = (place: Place, approval: Id<'apr'>, ms: number, signal: AbortSignal) => Promise<void>;

/** How often an organization's requests are looked at while somebody waits for one here. */
const LOOK_MS = 250;

/** All calls of this node that wait share one look per organization, however many they are. */
export function decisionWaiter(world: World): Waiter {
  const waiting = new Map<Id<'org'>, { place: Place; wake: Map<Id<'apr'>, Set<() => void>> }>();

  async function look(of: { place: Place; wake: Map<Id<'apr'>, Set<() => void>> }): Promise<void> {
    while (of.wake.size > 0) {
      await new Promise((next) => setTimeout(next, LOOK_MS).unref());
      const asked = [...of.wake.keys()];
      if (asked.length === 0) break;
      // A look that failed is made again; who waits has a time of his own.
      const pending = await world.db
        .read(of.place, (db) => listPending(db, asked, world.now()))
        .then(
          (ids) => new Set(ids),
          () => undefined,
        );
      for (const id of pending ? asked.filter((a) => !pending.has(a)) : [])
        for (const done of of.wake.get(id) ?? []) done();
    }
    waiting.delete(of.place.org);
  }

  return (place, approval, ms, signal) =>
    new Promise((resolve) => {
      let group = waiting.get(place.org);
      const fresh = !group;
      group ??= { place: { parent: place.parent, org: place.org }, wake: new Map() };
      waiting.set(place.org, group);
      const { wake } = group;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        const others = wake.get(approval);
        others?.delete(done);
        if (others?.size === 0) wake.delete(approval);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      wake.set(approval, (wake.get(approval) ?? new Set()).add(done));
      if (signal.aborted) done();
      if (fresh) void look(group);
    });
}
