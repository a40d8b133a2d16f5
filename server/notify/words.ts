import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** A domain as it stands when the mail goes out. `says`: which record, expected, found, since when. */
export type DomainWords = { name: string; state: string; says: string; fix: string | null };
export type CaptureWords = { name: string; org: string; state: string; endsAt: Date };
/** `last`: no other certificate of the connection lasts longer. */
export type CertificateWords = { connection: string; subject: string; notAfter: Date; last: boolean };

export type ApprovalWords = { asker: string; tool: string; connector: string; class: string; until: Date };

/**
 * What messages tell of things that belong to rooms beside this one, by id, as it is when the mail goes out. Each reads in the scope of
 * the recipient's organization; undefined: it is gone.
 */
export interface Words {
  domain(db: Reader, id: Id<'dom'>): Promise<DomainWords | undefined>;
  capture(db: Reader, id: Id<'cpt'>): Promise<CaptureWords | undefined>;
  certificate(db: Reader, connection: Id<'sso'>, fingerprint: string): Promise<CertificateWords | undefined>;
  /** A call that waits for somebody's yes; undefined: it waits no more. Never its arguments. */
  approval(db: Reader, id: Id<'apr'>): Promise<ApprovalWords | undefined>;
  /** How many people's removal waits. */
  held(db: Reader): Promise<number>;
}
