import { type Json, jcsOfParsed } from './jcs.ts';
import { sha256 } from './sha256.ts';
import { leafHash } from './tree.ts';

/** What the log says of an event for ever: who, when, what kind, which ids. `seq` is its position, `data` the commitment to its content. */
export type EntryHeader = { readonly [key: string]: Json; readonly seq: number; readonly data: string };

/** Commits to an event's data without showing it: SHA-256(salt ‖ JCS(data)). Without the salt a guess cannot be checked against it. */
export const commitment = (salt: Uint8Array, data: Json): Buffer =>
  sha256(Buffer.concat([salt, Buffer.from(jcsOfParsed(data))]));

/** The header with its position and commitment put in; what the inbox had under these two names does not survive. */
export const entryHeader = (
  header: { readonly [key: string]: Json },
  seq: number,
  committed: Uint8Array,
): EntryHeader => ({
  ...header,
  seq,
  data: Buffer.from(committed).toString('hex'),
});

/** The bytes that the tree is over: JCS of the header. */
export const entryBytes = (header: EntryHeader): Buffer => Buffer.from(jcsOfParsed(header));

/** RFC 6962 leaf hash of an entry. */
export const entryLeaf = (header: EntryHeader): Buffer => leafHash(entryBytes(header));
