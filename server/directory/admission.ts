import type { AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { ScimCtx } from './directory.ts';

/**
 * What follows for members and accounts when a directory's word changes. This room says what a directory said; the room above decides what
 * becomes of it (provisioning/admission.ts), in the same transaction, so that whoever leaves is out with the commit of that request.
 */
export type Admission = {
  /** The directory disabled or deleted an entry. `suspend` false: the account stays as it is, and the answer's events say why. */
  end(
    tx: Tx,
    ctx: ScimCtx,
    who: { entry: Id<'scu'>; user: Id<'usr'>; how: 'disabled' | 'deleted' },
  ): Promise<{ suspend: boolean; events: AuditEvent[] }>;
  /** The directory has an active entry that it did not have, or not so: `made` with a new account, come back, or active again. */
  begin(
    tx: Tx,
    ctx: ScimCtx,
    who: { entry: Id<'scu'>; user: Id<'usr'>; how: 'made' | 'returned' | 'reactivated' },
  ): Promise<AuditEvent[]>;
  /**
   * A group has other people, another name, or is gone. `names` has each name that it had before and has after; `everybody`: the name
   * changed, so it matters to all who are in it. Called when the rows are written.
   */
  regroup(
    tx: Tx,
    ctx: ScimCtx,
    group: {
      id: Id<'grp'>;
      names: readonly string[];
      added: readonly Id<'scu'>[];
      removed: readonly Id<'scu'>[];
      whole: boolean;
      everybody: boolean;
    },
  ): Promise<AuditEvent[]>;
};
