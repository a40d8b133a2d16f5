import { decrypt, encrypt } from '#kernel/aead.ts';
import type { Id } from '#kernel/id.ts';
import type { Seal } from '#kernel/seal.ts';

/** What a session id towards a client is made of. The upstream's own id never leaves us. */
export type Session = { upstream: string; member: Id<'mem'>; connector: Id<'con'>; expires: number };

/** A working day; afterwards the client gets a 404 and begins anew, as the protocol has it. */
export const SESSION_MS = 12 * 60 * 60_000;
/** Longer than any id that a server makes; a header has to hold it. */
const MAX_UPSTREAM = 512;
const label = Buffer.from('gatehouse-mcp-session-v1');

/**
 * Session ids that any node can open and nobody else can make or change. INVARIANT (its owner's): an id opens only for the member and the
 * connector that it was made for, so one that leaks is worth nothing to another person.
 */
export function sessionIds(seal: Seal): {
  seal(s: Session): string | undefined;
  open(text: string, member: Id<'mem'>, connector: Id<'con'>, now: Date): string | undefined;
} {
  const key = seal.derive('session ids of the gateway');
  const bound = (member: string, connector: string): Buffer =>
    Buffer.concat([label, Buffer.from(`\0${member}\0${connector}`)]);
  return {
    seal(s) {
      if (!/^[\x21-\x7e]+$/.test(s.upstream) || s.upstream.length > MAX_UPSTREAM) return undefined;
      const plain = Buffer.alloc(8 + s.upstream.length);
      plain.writeBigUInt64BE(BigInt(s.expires), 0);
      plain.write(s.upstream, 8, 'latin1');
      return encrypt(key, plain, bound(s.member, s.connector)).toString('base64url');
    },
    open(text, member, connector, now) {
      if (!/^[A-Za-z0-9_-]{40,1000}$/.test(text)) return undefined;
      const box = Buffer.from(text, 'base64url');
      // One spelling only: base64url has spare bits at its end, and an id that was altered is another id.
      if (box.toString('base64url') !== text) return undefined;
      try {
        const plain = decrypt(key, box, bound(member, connector));
        return Number(plain.readBigUInt64BE(0)) > now.getTime() ? plain.toString('latin1', 8) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
