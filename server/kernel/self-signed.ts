import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';

/**
 * An X.509 certificate (RFC 5280) that a key signs for itself: the wrapping in which identity providers and vendors want our public key. Node reads
 * certificates and does not make them; these forty lines of DER are all it takes, because nobody checks more of it than the key and the dates.
 */
export function selfSigned(
  privateKey: KeyObject,
  about: { name: string; notBefore: Date; notAfter: Date; hash?: 'sha1' | 'sha256' },
): Buffer {
  const ec = privateKey.asymmetricKeyType === 'ec';
  // sha256WithRSAEncryption, ecdsa-with-SHA256
  const algorithm = ec ? seq(oid(1, 2, 840, 10045, 4, 3, 2)) : seq(oid(1, 2, 840, 113549, 1, 1, 11), der(0x05));
  const name = seq(der(0x31, seq(oid(2, 5, 4, 3), der(0x0c, Buffer.from(about.name)))));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // positive, and never with a zero in front
  const body = seq(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    name,
    seq(time(about.notBefore), time(about.notAfter)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  return seq(body, algorithm, der(0x03, Buffer.of(0), sign('sha256', body, privateKey)));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const seq = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = rest.flatMap((n) => {
    const sevens = [n & 0x7f];
    for (let left = n >> 7; left > 0; left >>= 7) sevens.unshift((left & 0x7f) | 0x80);
    return sevens;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** GeneralizedTime from 2050 on, UTCTime before (RFC 5280 §4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

export const pemOf = (certificate: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`;
