import { event, type AuditEvent } from '#audit/events.ts';
import { change } from '#audit/change.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { foreignDomain } from './accepted-domain.ts';
import { listUnlinked } from './adoption.sql.ts';
import type { Admission } from './admission.ts';
import { asDirectory } from './as-directory.ts';
import { directoryEvents } from './directory.events.ts';
import { lockDirectory } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';
import { lockScimUser, saveScimUser } from './scim-user.sql.ts';
import { fromStored } from './scim-value.ts';
import { settlePerson } from './settle-person.ts';

/** Accounts made in one transaction. */
const STEP = 200;

/** Gives an account to entries that were held because of their domain, where the directory speaks for it now. Says how many it did, and whether some are left. */
export async function settleHeld(
  ctx: OrgCtx,
  admission: Admission,
  id: Id<'dir'>,
): Promise<{ settled: number; left: boolean }> {
  return change(ctx, async (tx) => {
    const directory = await lockDirectory(tx, id);
    if (!directory) throw noDirectory(id);
    const scim = asDirectory(ctx, directory, admission);
    const events: AuditEvent[] = [];
    let [settled, left] = [0, false];
    for (let after = ''; !left;) {
      const entries = await listUnlinked(tx, id, after, STEP);
      const last = entries.at(-1);
      if (!last) break;
      after = last.entry;
      for (const e of entries) {
        if (e.was !== 'domain_held' || foreignDomain(directory.settings, fromStored(e.attributes)) !== undefined)
          continue;
        if (settled >= STEP) {
          left = true;
          break;
        }
        const entry = await lockScimUser(tx, id, e.entry);
        if (!entry || entry.person.state === 'linked') continue;
        // As if it came now: somebody who was here before gets the account they had.
        const s = await settlePerson(tx, scim, {
          id: e.entry,
          person: undefined,
          attributes: entry.attributes,
          wasActive: false,
        });
        await saveScimUser(tx, id, { ...entry, person: s.person });
        settled++;
        if (s.person.state === 'linked')
          events.push(
            event(directoryEvents, 'directory.user_linked', { directory: id, entry: e.entry, user: s.person.user }),
          );
        events.push(...s.events);
      }
    }
    const [first, ...rest] = events;
    return first
      ? { value: { settled, left }, events: [first, ...rest] }
      : { value: { settled, left }, unchanged: true };
  });
}
