import type { Id } from '#kernel/id.ts';
import type { Aad } from '#kernel/seal.ts';
import type { Access, Account } from './vendor-auth.ts';

/** One credential for a connector: a person's consent, or an account of the organization. Without its secret, which only the vault opens. */
export type Connection = {
  id: Id<'cnn'>;
  connector: Id<'con'>;
  owner: Owner;
  /** `oauth`, or the kind of an OrganizationGrant. */
  grantKind: string;
  access: Access;
  /** Unknown for an account that an administrator saved unchecked. */
  account: Account | undefined;
  scopes: readonly string[];
  shown: Readonly<Record<string, string>>;
  facts: Readonly<Record<string, string>>;
  standing: Standing;
  /** Counts up with every new secret. */
  generation: number;
  expiry: Expiry;
  lastRefreshed: Date | undefined;
  /** To the minute. */
  lastUsed: Date | undefined;
  made: { at: Date; by: string };
};

export type Owner = { kind: 'person'; member: Id<'mem'>; user: Id<'usr'> } | { kind: 'organization' };

/** How a connection stands. `refresh_failed` is tried again by itself; `reconnect` needs somebody. */
export type Standing =
  | { state: 'active' }
  /** `app`: the vendor refuses the app, which an administrator must mend; `later`: it may go by. */
  | { state: 'refresh_failed'; because: 'app' | 'later'; why: string; fails: number; next: Date | undefined }
  | { state: 'reconnect'; why: string }
  | { state: 'revoked'; at: Date; by: string | undefined; why: EndedWhy; vendor: VendorEnd };

export const connectionStates = ['active', 'refresh_failed', 'reconnect', 'revoked'] as const;
export type ConnectionState = (typeof connectionStates)[number];

export const endedWhys = ['disconnected', 'revoked', 'replaced', 'suspended', 'member_removed', 'refused'] as const;
export type EndedWhy = (typeof endedWhys)[number];

/** Whether the vendor was told of the end: still to be, it confirmed, it refused for good, it has no way to be told. */
export const vendorEnds = ['waiting', 'confirmed', 'refused', 'impossible'] as const;
export type VendorEnd = (typeof vendorEnds)[number];

/** When what ends; undefined: not by itself, or nobody says. */
export type Expiry = {
  access: Date | undefined;
  refresh: Date | undefined;
  /** Without any use of the refresh token. */
  idle: Date | undefined;
  /** Of what an administrator gave: a certificate, a secret. */
  given: Date | undefined;
};

/**
 * Where the secret of a connection belongs. INVARIANT (one row, one owner): beside the row it names the connector and the owner, so that a
 * secret neither opens in another row nor in its own after somebody wrote another owner into it.
 */
export function connectionAad(
  org: Id<'org'>,
  c: { id: Id<'cnn'>; connector: Id<'con'>; owner: Owner; generation: number },
): Aad {
  // sealed_column says the same in SQL (0033-connections.sql).
  const row = `${c.id}/${c.connector}/${c.owner.kind === 'person' ? c.owner.member : 'organization'}`;
  return { table: 'connection', scope: org, row, generation: c.generation };
}

/** The next moment at which a connection ends unless something is done. What is renewed by itself is no end. */
export const nextEnd = (e: Expiry): Date | undefined =>
  [e.refresh, e.idle, e.given]
    .filter((d) => d !== undefined)
    .sort((a, b) => a.getTime() - b.getTime())
    .at(0);
