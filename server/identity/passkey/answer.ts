import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import { passkeyRefused } from './passkey.ts';

const b64 = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .regex(/^[A-Za-z0-9_-]*$/, 'expected base64url without padding');
const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;

/** What a browser sends back after making a passkey. Fields of later revisions are dropped, not refused: browsers are newer than we are. */
export const Registration = z.object({
  id: b64(1400).min(1),
  rawId: b64(1400).min(1),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: b64(4000),
    attestationObject: b64(20_000),
    transports: z
      .array(z.string())
      .transform((all) => transports.filter((t) => all.includes(t)))
      .default([]),
  }),
});

/** What a browser sends back after using one. */
export const Authentication = z.object({
  id: b64(1400).min(1),
  rawId: b64(1400).min(1),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: b64(4000),
    authenticatorData: b64(4000),
    signature: b64(4000),
    userHandle: b64(200).optional(),
  }),
});

/**
 * For the library. INVARIANT (nothing is fetched): we ask for no attestation and take none. A certificate chain in one would have the library
 * ask the addresses in it about revocation, past our egress.
 */
export function registrationOf(r: z.infer<typeof Registration>): RegistrationResponseJSON {
  let format: string;
  try {
    format = decodeAttestationObject(Buffer.from(r.response.attestationObject, 'base64url')).get('fmt');
  } catch (e) {
    throw passkeyRefused(e);
  }
  if (format !== 'none') throw passkeyRefused(`attestation ${format}`);
  return { ...r, clientExtensionResults: {} };
}

export const authenticationOf = (a: z.infer<typeof Authentication>): AuthenticationResponseJSON => ({
  ...a,
  response: {
    clientDataJSON: a.response.clientDataJSON,
    authenticatorData: a.response.authenticatorData,
    signature: a.response.signature,
    ...(a.response.userHandle === undefined ? {} : { userHandle: a.response.userHandle }),
  },
  clientExtensionResults: {},
});

/** The site that passkeys are bound to: our host, without the port. */
export const siteOf = (origin: string): string => new URL(origin).hostname;
