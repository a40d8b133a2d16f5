import { createHash } from 'node:crypto';
import { detector } from '../detector.ts';
import { isDigit, isLetter } from '../gate.ts';
import { tokens, upTo } from './behind-words.ts';

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const sha256 = (b: Uint8Array): Uint8Array => createHash('sha256').update(b).digest();

/** Base58Check: 25 bytes, of which the last four are the beginning of a double SHA-256. */
export function isBase58Address(address: string): boolean {
  let n = 0n;
  for (const c of address) {
    const value = base58.indexOf(c);
    if (value < 0) return false;
    n = n * 58n + BigInt(value);
  }
  const hex = n.toString(16);
  if (hex.length > 50) return false;
  const bytes = Buffer.from(hex.padStart(50, '0'), 'hex');
  return (
    (bytes[0] === 0 || bytes[0] === 5) &&
    bytes.subarray(21).equals(sha256(sha256(bytes.subarray(0, 21))).subarray(0, 4))
  );
}

const bech32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** BIP 173 and 350: the polynomial's remainder is 1 (version 0) or 0x2bc830a3 (later versions). */
export function isSegwitAddress(address: string): boolean {
  const values = [3, 3, 0, 2, 3]; // "bc", expanded
  for (const c of address.slice(3)) {
    const v = bech32.indexOf(c);
    if (v < 0) return false;
    values.push(v);
  }
  let rest = 1;
  for (const v of values) {
    const top = rest >>> 25;
    rest = ((rest & 0x1ffffff) << 5) ^ v;
    for (const [i, g] of generator.entries()) if ((top >>> i) & 1) rest ^= g;
  }
  return rest >>> 0 === (values[5] === 0 ? 1 : 0x2bc830a3);
}

const LEAST_LEGACY = 26;
const isGlued = (c: number): boolean => isDigit(c) || isLetter(c);
const plainHex = /^[0-9a-f]+$/;
const legacy = /[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])/y;

/** Bitcoin addresses, old and segwit. */
export const bitcoinAddress = detector('bitcoin_address', {
  says: 'Bitcoin addresses',
  class: 'checksum',
  severity: 'low',
  finds: [
    {
      among: 'tokens',
      letters: [0],
      digits: upTo(1, 34),
      find(text, from) {
        const first = text.charCodeAt(from);
        if (first !== 49 && first !== 51) return undefined;
        // Most numbers end long before.
        if (!isGlued(text.charCodeAt(from + 9)) || !isGlued(text.charCodeAt(from + LEAST_LEGACY - 1))) return undefined;
        legacy.lastIndex = from;
        const m = legacy.exec(text);
        // A hexadecimal id is not worth the arithmetic.
        if (!m || plainHex.test(m[0]) || !isBase58Address(m[0])) return undefined;
        return { start: from, end: from + m[0].length, text: m[0] };
      },
    },
    tokens(
      [2],
      upTo(1, 71),
      /bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71}/,
      (plain) => isSegwitAddress(plain.toLowerCase()),
      { first: 'bB' },
    ),
  ],
  catches: [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    'send to 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy please',
    'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq',
    'BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ',
    'bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297',
  ],
  spares: [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
    'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp',
    '1f3870be274f6c49b3e31a0c6728957f',
    'x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  ],
});
