import { hash } from 'node:crypto';

/** SHA-256 (FIPS 180-4) of bytes or of the UTF-8 of a text. */
export const sha256 = (data: Uint8Array | string): Buffer => hash('sha256', data, 'buffer');
