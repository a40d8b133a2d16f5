import { z } from 'zod';
import { decrypt, encrypt } from '#kernel/aead.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Seal } from '#kernel/seal.ts';

/** What a call that waits for a yes carries from one attempt to the next (MCP 2026-07-28, `requestState`). */
const Claims = z.strictObject({
  approval: z.custom<Id<'apr'>>((v) => typeof v === 'string'),
  /** Of the action. */
  hash: z.string(),
  connector: z.string(),
  tool: z.string(),
  member: z.string(),
  client: z.string(),
  expires: z.number(),
  /** How often the client was told to come again. */
  round: z.number().int(),
  /** What the system behind had given the client to carry, which we carry for it meanwhile. */
  upstream: z.strictObject({ requestState: z.string().optional(), inputResponses: z.unknown().optional() }),
});
export type HoldClaims = z.infer<typeof Claims>;

/** Says that a state is ours and not the upstream's, before anybody has opened it. */
const PREFIX = 'gatehouse-hold-1.';
/** Longer than what we make: an upstream's own state of this size is carried by nobody. */
const MAX_STATE = 64 * 1024;
const MAX_UPSTREAM = 32 * 1024;

export type Holds = {
  /** Undefined: what the upstream gave the client to carry is too long to be carried in ours. */
  seal(org: Id<'org'>, claims: HoldClaims): string | undefined;
  isOurs(state: unknown): state is string;
  /** Undefined: not made by us, of another organization, or altered. */
  open(org: Id<'org'>, state: string): HoldClaims | undefined;
};

/**
 * Sealed, so that any node opens it and nobody else can make or change one. It grants nothing by itself: it says which request a call belongs
 * to, and every fact in it is compared with the call that brings it.
 */
export function holdsOf(seal: Seal): Holds {
  const key = seal.derive('calls that wait for approval');
  const bound = (org: string): Buffer => Buffer.from(`gatehouse-hold-v1\0${org}`);
  return {
    seal(org, claims) {
      const plain = Buffer.from(JSON.stringify(claims));
      if (plain.length > MAX_UPSTREAM) return undefined;
      return PREFIX + encrypt(key, plain, bound(org)).toString('base64url');
    },
    isOurs: (state): state is string => typeof state === 'string' && state.startsWith(PREFIX),
    open(org, state) {
      const text = state.slice(PREFIX.length);
      if (state.length > MAX_STATE || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
      const box = Buffer.from(text, 'base64url');
      // One spelling only: base64url has spare bits at its end, and a state that was altered is another state.
      if (box.toString('base64url') !== text) return undefined;
      try {
        return Claims.parse(parseJsonText(decrypt(key, box, bound(org)).toString('utf8')));
      } catch {
        return undefined;
      }
    },
  };
}
