import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

/** A domain as it stands when the mail goes out. `says`: which record, expected, found, since when. */
export type DomainWords = { name: string; state: string; says: string; fix: string | null };
export type CaptureWords = { name: string; org: string; state: string; endsAt: Date };
/** `last`: no other certificate of the connection lasts longer. */
export type CertificateWords = { connection: string; subject: string; notAfter: Date; last: boolean };

export type ApprovalWords = { asker: string; tool: string; connector: string; class: string; until: Date };

/** `ends`: when what of it ends, as known now. `account`: as the vendor calls it. */
export type ConnectionWords = {
  connector: string;
  account: string;
  ends: { refresh?: Date | undefined; idle?: Date | undefined; given?: Date | undefined };
  /** It stands badly, in words; undefined: it works. */
  trouble: string | undefined;
};

/** A tunnel that no agent is connected to, and the connectors that need it. */
export type TunnelWords = { name: string; since: Date; connectors: readonly string[] };

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
  /** A connection of a person, while it lives. */
  connection(db: Reader, id: Id<'cnn'>): Promise<ConnectionWords | undefined>;
  /** What one mail to administrators tells of connections, a line each, as it is now. */
  connections(db: Reader, digest: string, now: Date): Promise<readonly string[]>;
  /** Undefined: an agent of it is connected again, or nothing needs it. */
  tunnel(db: Reader, id: Id<'tun'>): Promise<TunnelWords | undefined>;
  /** How many people's removal waits. */
  held(db: Reader): Promise<number>;
}
