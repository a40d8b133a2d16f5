import { createHash, createPrivateKey, randomUUID, X509Certificate, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { parseJson } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import { GrantRefused, type Minted, type Minting, type OrganizationGrant } from '#vault/organization-grant.ts';
import { classifyEntra, explainEntra } from './aadsts.ts';
import { appAccount } from './entra.ts';

const ClientId = z
  .guid()
  .toLowerCase()
  .describe('Application (client) id, on the Overview page of the app registration');

const pem = (what: RegExp) => z.string().trim().max(20_000).regex(what, 'expected a PEM file');

/** The private key and certificate that an administrator made for the app; only the certificate is known to Entra. */
export const CertificateFields = z
  .strictObject({
    client_id: ClientId,
    certificate: pem(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----$/).describe(
      'The certificate as PEM, the same that was uploaded under Certificates & secrets',
    ),
    private_key: pem(/^-----BEGIN (?:RSA )?PRIVATE KEY-----[\s\S]+-----END (?:RSA )?PRIVATE KEY-----$/).describe(
      'The private key of the certificate as PEM, unencrypted, RSA of 2048 bits or more; it is sealed and never shown',
    ),
  })
  .superRefine((f, ctx) => {
    const why = unfit(f.certificate, f.private_key);
    if (why) ctx.addIssue({ code: 'custom', path: [why.at], message: why.says });
  });

export const SecretFields = z.strictObject({
  client_id: ClientId,
  client_secret: z
    .string()
    .min(8)
    .max(1000)
    .describe('The value of a client secret under Certificates & secrets (not its id); it is sealed and never shown'),
});

function unfit(certificate: string, privateKey: string): { at: string; says: string } | undefined {
  let key: KeyObject;
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(certificate);
  } catch {
    return { at: 'certificate', says: 'this is no certificate that can be read' };
  }
  try {
    key = createPrivateKey(privateKey);
  } catch {
    return { at: 'private_key', says: 'this is no private key that can be read; it must be PEM and unencrypted' };
  }
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
    return { at: 'private_key', says: 'Entra takes RSA keys of 2048 bits or more' };
  return cert.checkPrivateKey(key)
    ? undefined
    : { at: 'private_key', says: 'this private key does not belong to the certificate' };
}

type ActsAs = OrganizationGrant['actsAs'];

/** The two ways in which an app of Entra proves itself; a certificate is the better one, because its key never leaves this server. */
export const entraGrants = (actsAs: ActsAs): readonly OrganizationGrant[] => [
  {
    kind: 'entra_certificate',
    name: 'Entra app with a certificate',
    fields: CertificateFields,
    shown(fields) {
      const { client_id, certificate } = CertificateFields.parse(fields);
      return { client_id, thumbprint: new X509Certificate(certificate).fingerprint.replaceAll(':', '') };
    },
    actsAs,
    ends: (fields) => new Date(new X509Certificate(CertificateFields.parse(fields).certificate).validTo),
    mint: (m) => mintByCertificate(m),
    account: (fields) => appAccount(CertificateFields.parse(fields).client_id),
  },
  {
    kind: 'entra_secret',
    name: 'Entra app with a client secret',
    fields: SecretFields,
    shown: (fields) => ({ client_id: SecretFields.parse(fields).client_id }),
    actsAs,
    mint(m) {
      const { client_id, client_secret } = SecretFields.parse(m.fields);
      return minted(m, client_id, { client_secret });
    },
    account: (fields) => appAccount(SecretFields.parse(fields).client_id),
  },
];

/** How long a proof is good; Entra takes up to ten minutes, and clocks differ. */
const ASSERTION_SECONDS = 300;

/** Signed with PSS and naming the certificate by its SHA-256, as the identity platform documents it. */
async function mintByCertificate(m: Minting): Promise<Minted> {
  const { client_id, certificate, private_key } = CertificateFields.parse(m.fields);
  const seconds = Math.floor(m.now.getTime() / 1000);
  const assertion = await new SignJWT({})
    .setProtectedHeader({
      alg: 'PS256',
      typ: 'JWT',
      'x5t#S256': createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url'),
    })
    .setIssuer(client_id)
    .setSubject(client_id)
    .setAudience(tokenEndpoint(m))
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + ASSERTION_SECONDS)
    .sign(createPrivateKey(private_key));
  return minted(m, client_id, {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
}

const Token = z.object({
  token_type: z.string().regex(/^bearer$/i),
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive(),
});

/** An app's token has no person in it: whose drive or mailbox is meant stands in each request, and the tools take it from the caller. */
async function minted(m: Minting, clientId: string, proof: Readonly<Record<string, string>>): Promise<Minted> {
  const response = await m.fetch(tokenEndpoint(m), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope: `${new URL(m.origin('api')).origin}/.default`,
      ...proof,
    }).toString(),
  });
  const answer = readAnswer(Buffer.from(await response.arrayBuffer()));
  if (response.status !== 200)
    throw new GrantRefused(
      classifyEntra(response.status, answer) ?? 'app',
      explainEntra(answer, m.settings) ?? `the login of Microsoft answers with ${response.status}`,
    );
  const token = Token.safeParse(answer);
  if (!token.success) throw new GrantRefused('later', 'the login of Microsoft gave no token that can be read');
  return {
    token: new Secret(token.data.access_token),
    expiresIn: token.data.expires_in,
    facts: { app: clientId },
  };
}

function readAnswer(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(bytes);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function tokenEndpoint(m: Minting): string {
  const tenant = m.settings['tenant'];
  return `${m.origin('login')}/${encodeURIComponent(typeof tenant === 'string' ? tenant : '')}/oauth2/v2.0/token`;
}
