import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Seal } from '#kernel/seal.ts';
import { secretAad, type Scanner, type ScannerKind } from './scanner.ts';

/** Header names that a server reads as something else than a credential of ours. */
const reserved =
  /^(content-.*|host|connection|transfer-encoding|te|trailer|upgrade|expect|keep-alive|date|accept.*|user-agent|cookie.*|set-cookie.*|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|via|webhook-.*|x-gatehouse-.*)$/i;
const headers = z
  .record(
    z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9!#$%&'*+.^`|~-]+$/)
      .refine((n) => !reserved.test(n), 'this header is ours or the connection’s'),
    z
      .string()
      .min(1)
      .max(4000)
      .regex(/^[\x20-\x7e]+$/, 'printable ASCII'),
  )
  .refine((h) => Object.keys(h).length <= 16, 'at most 16 headers')
  .refine(
    (h) => new Set(Object.keys(h).map((n) => n.toLowerCase())).size === Object.keys(h).length,
    'each header once',
  );

const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
/** Standard Webhooks: `whsec_` and 24 to 64 bytes in the standard base64 alphabet. */
const signing = z
  .string()
  .max(200)
  .refine((s) => {
    const key = signingKey(s);
    return key !== undefined && key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES;
  }, `whsec_ and ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes in base64`);

const pem = z.string().min(1).max(20_000);
const forms = {
  webhook: z.strictObject({ signingSecret: signing, headers: headers.optional() }),
  purview: z.union([
    z.strictObject({ clientSecret: z.string().min(1).max(1000) }),
    z.strictObject({
      privateKey: pem.refine((p) => parses(() => createPrivateKey(p).asymmetricKeyType === 'rsa'), 'an RSA key in PEM'),
      certificate: pem.refine((p) => parses(() => new X509Certificate(p)), 'a certificate in PEM'),
    }),
  ]),
  symantec: z.strictObject({ headers: headers.optional() }),
  forcepoint: z.strictObject({
    token: z
      .string()
      .min(1)
      .max(4000)
      .regex(/^[\x21-\x7e]+$/, 'printable ASCII')
      .optional(),
  }),
} as const;
export type Credentials = { [K in ScannerKind]: z.infer<(typeof forms)[K]> };

function parses(what: () => unknown): boolean {
  try {
    return Boolean(what());
  } catch {
    return false;
  }
}

/** The bytes of a signing secret; undefined when it is not one. Only the standard alphabet: another one would derive another key at the receiver. */
export function signingKey(secret: string): Buffer | undefined {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (text === undefined) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.toString('base64').replaceAll('=', '') === text.replaceAll('=', '') ? key : undefined;
}

export const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Parsed credentials of a kind, or a refusal that names what is wrong and never what was given. */
export function parseCredentials<K extends ScannerKind>(kind: K, given: unknown): Credentials[K] {
  const r = forms[kind].safeParse(given);
  if (r.success) return r.data as Credentials[K];
  const where = r.error.issues.slice(0, 4).map((i) => ['credentials', ...i.path.map(String)].join('.'));
  throw new Problem('invalid', 'dlp/scanner-credentials', {
    says: `these are not the credentials of a ${kind} scanner; look at ${[...new Set(where)].join(', ')}`,
    fix: 'docs/guides/dlp-scanners.md says what each kind needs',
  });
}

export type Opened<K extends ScannerKind> = { current: Credentials[K]; previous: Credentials[K] | undefined };

/** The credentials that count at `now`: the current ones and, during a rotation, those before. */
export async function openCredentials<K extends ScannerKind>(
  seal: Seal,
  org: Id<'org'>,
  s: Scanner,
  kind: K,
  now: Date,
): Promise<Opened<K>> {
  const open = async (sealed: Buffer, generation: number): Promise<Credentials[K]> =>
    parseCredentials(kind, JSON.parse(String(await seal.open(secretAad(org, s.id, generation), sealed))));
  const { current, previous, generation } = s.secrets;
  if (!current)
    throw new Problem('conflict', 'dlp/scanner-without-secret', {
      says: `the scanner ${s.id} has no credentials`,
      fix: 'rotate its secret',
    });
  return {
    current: await open(current.sealed, generation),
    previous: previous && previous.until > now ? await open(previous.sealed, generation - 1) : undefined,
  };
}
