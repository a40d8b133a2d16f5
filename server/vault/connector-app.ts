import type { Id } from '#kernel/id.ts';
import type { Aad } from '#kernel/seal.ts';
import type { ClientAuthMethod } from './oauth-facts.ts';

/** The app that an organization registered at a vendor for a connector, without what is secret of it. */
export type ConnectorApp = {
  connector: Id<'con'>;
  clientId: string;
  proof: AppProof;
  generation: number;
  /** An account with another address than the person's is refused, where the vendor tells one. */
  sameAddress: boolean;
  /** When its secret or certificate ends at the vendor. */
  ends: Date | undefined;
  /** Since when the vendor refuses it whoever asks. */
  failingSince: Date | undefined;
  set: { by: string; at: Date };
  /** Entered by an administrator; the address of our own metadata document; or registered by ourselves (RFC 7591). */
  way: AppWay;
  /** Where it belongs, of systems that name their authorization server themselves. */
  issuer: string | undefined;
  /** How it proves itself, where a registration said so. */
  method: ClientAuthMethod | undefined;
};

export const appWays = ['given', 'document', 'registered'] as const;
export type AppWay = (typeof appWays)[number];

/** How it proves at the vendor that it is us. */
export type AppProof = { kind: 'secret' } | { kind: 'none' } | { kind: 'key'; certificate: string; keyId: string };

/** Where the secret or the private key of an app belongs. */
export const appAad = (org: Id<'org'>, connector: Id<'con'>, generation: number): Aad => ({
  table: 'connector_app',
  scope: org,
  row: connector,
  generation,
});

/** So many refusals of the app itself, whoever asked, in so short a time: it is not the persons' grants. */
const REFUSALS = 3;
const WITHIN_MS = 10 * 60_000;

/** The last refusals with this one, and whether they are enough to say that the app has failed. */
export function refusedAgain(before: readonly Date[], now: Date): { refused: Date[]; failing: boolean } {
  const refused = [...before, now].slice(-REFUSALS);
  const [first] = refused;
  return {
    refused,
    failing: refused.length === REFUSALS && first !== undefined && now.getTime() - first.getTime() <= WITHIN_MS,
  };
}
