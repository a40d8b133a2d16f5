import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Fault } from './fault.ts';

/** What people must hear of. `owners`: whoever manages sign-in for the parent; else the persons named. */
export type DomainNews =
  | { kind: 'verified'; to: 'owners'; domain: Id<'dom'>; name: string }
  /** On days 0, 1, 3, 7 and 13 without the record. `says` and `fix` are the whole story in words. */
  | {
      kind: 'failing';
      to: 'owners';
      domain: Id<'dom'>;
      name: string;
      day: number;
      lapsesAt: Date;
      fault: Fault;
      says: string;
      fix: string;
    }
  | { kind: 'recovered'; to: 'owners'; domain: Id<'dom'>; name: string }
  | { kind: 'lapsed'; to: 'owners'; domain: Id<'dom'>; name: string; fault: Fault; says: string; fix: string }
  | { kind: 'conflict'; to: 'owners'; domain: Id<'dom'>; name: string }
  | {
      kind: 'capture_announced';
      to: readonly Id<'usr'>[];
      capture: Id<'cpt'>;
      name: string;
      org: Id<'org'>;
      endsAt: Date;
    }
  | {
      kind: 'capture_reminder';
      to: readonly Id<'usr'>[];
      capture: Id<'cpt'>;
      name: string;
      org: Id<'org'>;
      endsAt: Date;
      daysLeft: number;
    }
  | { kind: 'capture_in_force'; to: readonly Id<'usr'>[]; capture: Id<'cpt'>; name: string; org: Id<'org'> };

/**
 * Who carries the news; the room of mails stands above this one. Called inside the transaction, so that a message is on its way exactly
 * if the change is: it must enqueue and never send.
 */
export interface Herald {
  tell(tx: Tx, ctx: Ctx, news: DomainNews): Promise<void>;
}

/** For a deployment without mail: the log has the same news as events. */
export const logOnly: Herald = { tell: () => Promise.resolve() };
