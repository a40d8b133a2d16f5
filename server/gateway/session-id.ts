import { z } from 'zod';
import { decrypt, encrypt } from '#kernel/aead.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import type { Seal } from '#kernel/seal.ts';
import type { Greeting } from './eras/rewrite.ts';

/** What a client's session stands for: one at the upstream, whose own id never leaves us, or one that only we know of (eras/). */
export type SessionBody = { kind: 'upstream'; id: string } | { kind: 'ours'; id: string; greeting: Greeting };
export type Session = { body: SessionBody; member: Id<'mem'>; connector: Id<'con'>; expires: number };

/** A working day; afterwards the client gets a 404 and begins anew, as the protocol has it. */
export const SESSION_MS = 12 * 60 * 60_000;
/** Longer than any id that a server makes; a header has to hold it. */
const MAX_UPSTREAM = 512;
/** Of what a client says in its greeting; a header has to hold it. */
const MAX_OURS = 3000;
const label = Buffer.from('gatehouse-mcp-session-v2');

const Ours = z.strictObject({
  id: z.string(),
  greeting: z.strictObject({
    version: z.string(),
    capabilities: z.record(z.string(), z.unknown()),
    info: z.record(z.string(), z.unknown()).optional(),
  }),
});

/**
 * Session ids that any node can open and nobody else can make or change. INVARIANT (its owner's): an id opens only for the member and the
 * connector that it was made for, so one that leaks is worth nothing to another person.
 */
export function sessionIds(seal: Seal): {
  seal(s: Session): string | undefined;
  open(text: string, member: Id<'mem'>, connector: Id<'con'>, now: Date): SessionBody | undefined;
} {
  const key = seal.derive('session ids of the gateway');
  const bound = (member: string, connector: string): Buffer =>
    Buffer.concat([label, Buffer.from(`\0${member}\0${connector}`)]);
  return {
    seal(s) {
      const text = textOf(s.body);
      if (text === undefined) return undefined;
      const plain = Buffer.alloc(8 + Buffer.byteLength(text));
      plain.writeBigUInt64BE(BigInt(s.expires), 0);
      plain.write(text, 8);
      return encrypt(key, plain, bound(s.member, s.connector)).toString('base64url');
    },
    open(text, member, connector, now) {
      if (!/^[A-Za-z0-9_-]{40,5000}$/.test(text)) return undefined;
      const box = Buffer.from(text, 'base64url');
      // One spelling only: base64url has spare bits at its end, and an id that was altered is another id.
      if (box.toString('base64url') !== text) return undefined;
      try {
        const plain = decrypt(key, box, bound(member, connector));
        return Number(plain.readBigUInt64BE(0)) > now.getTime() ? bodyOf(plain.toString('utf8', 8)) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** The first letter says which kind it is, so that no id of an upstream can pass for one of ours. */
function textOf(b: SessionBody): string | undefined {
  if (b.kind === 'upstream') return /^[\x21-\x7e]+$/.test(b.id) && b.id.length <= MAX_UPSTREAM ? `u${b.id}` : undefined;
  const text = `o${JSON.stringify({ id: b.id, greeting: b.greeting })}`;
  return text.length <= MAX_OURS ? text : undefined;
}

function bodyOf(text: string): SessionBody | undefined {
  if (text.startsWith('u')) return { kind: 'upstream', id: text.slice(1) };
  const ours = Ours.safeParse(parseJsonText(text.slice(1)));
  if (!ours.success) return undefined;
  const { info, ...greeting } = ours.data.greeting;
  return { kind: 'ours', id: ours.data.id, greeting: { ...greeting, info } };
}
