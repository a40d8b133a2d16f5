import { sha256 } from '@gatehouse/contract/sha256.ts';
import { z } from 'zod';
import { decrypt, encrypt } from '#kernel/aead.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Seal } from '#kernel/seal.ts';

/** What a client carries while an older server waits for its answers: which exchange goes on, and under which ids the server asked. */
const Claims = z.strictObject({
  exchange: z.string(),
  round: z.number().int(),
  /** Where the server's stream waits. */
  node: z.string(),
  /** The server's own ids by the names that the client sees. */
  asked: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Of the request as it was: a state of one call is none of another. */
  digest: z.string(),
  expires: z.number(),
});
export type ParkedClaims = z.infer<typeof Claims>;

/** Whose it is; sealed with it, so that another person's, agent's or connector's does not open. */
export type Owner = { org: string; member: string; client: string; connector: string };

const PREFIX = 'gatehouse-parked-1.';
const MAX_STATE = 16 * 1024;

export function parkedStates(seal: Seal): {
  seal(owner: Owner, claims: ParkedClaims): string;
  isOurs(state: unknown): state is string;
  open(owner: Owner, state: string): ParkedClaims | undefined;
} {
  const key = seal.derive('calls that an older server asks about');
  const bound = (o: Owner): Buffer =>
    Buffer.from(JSON.stringify(['gatehouse-parked-v1', o.org, o.member, o.client, o.connector]));
  return {
    seal: (owner, claims) =>
      PREFIX + encrypt(key, Buffer.from(JSON.stringify(claims)), bound(owner)).toString('base64url'),
    isOurs: (state): state is string => typeof state === 'string' && state.startsWith(PREFIX),
    open(owner, state) {
      const text = state.slice(PREFIX.length);
      if (state.length > MAX_STATE || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
      const box = Buffer.from(text, 'base64url');
      // One spelling only: base64url has spare bits at its end.
      if (box.toString('base64url') !== text) return undefined;
      try {
        return Claims.parse(parseJsonText(decrypt(key, box, bound(owner)).toString('utf8')));
      } catch {
        return undefined;
      }
    },
  };
}

/** Of what a request asks for, however it is written and whatever it carries beside. */
export const digestOf = (method: string, olderText: string): string =>
  sha256(`${method}\0${olderText}`).toString('hex');
