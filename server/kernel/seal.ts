/** Envelope encryption; the words and the format are in this file, the key providers beside it. (Filled in below by the kernel's own commit.) */
export type Aad = { table: string; scope: string; row: string; generation: number };

export interface Seal {
  /** Encrypts a secret so that it opens only in the row that `aad` names. */
  seal(aad: Aad, secret: Uint8Array): Promise<Buffer>;
  /** Opens it again; a row that was moved, swapped or altered does not open (`seal/does-not-open`). */
  open(aad: Aad, sealed: Uint8Array): Promise<Buffer>;
  /** A key that is the same on every node and after every restart, derived for one purpose (HKDF-SHA-256), e.g. cookie signing. */
  derive(purpose: string, bytes?: number): Buffer;
}
