import { refusal, type SignInRefused } from '../sign-in-refusal.ts';
import type { StageName } from '../sign-in-trace.ts';

/** Every reason to refuse a SAML message; each is the code of a Problem, for ever. The stage says where in the sign-in it stands. */
const stages = {
  // What can be seen before anything is believed.
  'identity/saml-too-large': 'response',
  'identity/saml-base64': 'response',
  'identity/saml-deflate': 'response',
  'identity/saml-encoding': 'response',
  'identity/saml-xml-doctype': 'response',
  'identity/saml-xml-comment': 'response',
  'identity/saml-xml-cdata': 'response',
  'identity/saml-xml-instruction': 'response',
  'identity/saml-xml-character': 'response',
  'identity/saml-xml-malformed': 'response',
  'identity/saml-xml-too-complex': 'response',
  'identity/saml-xml-namespace': 'response',
  'identity/saml-xml-duplicate-id': 'response',
  'identity/saml-xml-id-attribute': 'response',
  'identity/saml-response-structure': 'response',
  'identity/saml-response-version': 'response',
  'identity/saml-assertion-count': 'response',
  'identity/saml-assertion-nested': 'response',
  'identity/saml-assertion-structure': 'response',
  'identity/saml-encrypted-id': 'response',
  'identity/saml-encrypted-attribute': 'response',
  'identity/saml-idp-status': 'response',
  'identity/saml-idp-authn-failed': 'response',
  'identity/saml-idp-no-passive': 'response',
  'identity/saml-idp-denied': 'response',
  'identity/saml-response-issuer': 'response',
  'identity/saml-destination': 'response',
  'identity/saml-unsolicited': 'response',
  'identity/saml-in-response-to-unknown': 'response',
  'identity/saml-in-response-to-mismatch': 'conditions',
  'identity/saml-relay-state': 'response',
  // Who made it.
  'identity/saml-assertion-unsigned': 'signature',
  'identity/saml-signature-misplaced': 'signature',
  'identity/saml-signature-object': 'signature',
  'identity/saml-signature-structure': 'signature',
  'identity/saml-signature-signedinfo-count': 'signature',
  'identity/saml-signature-reference-count': 'signature',
  'identity/saml-signature-reference': 'signature',
  'identity/saml-signature-transforms': 'signature',
  'identity/saml-signature-c14n': 'signature',
  'identity/saml-signature-algorithm': 'signature',
  'identity/saml-signature-digest-algorithm': 'signature',
  'identity/saml-signature-sha1': 'signature',
  'identity/saml-signature-invalid': 'signature',
  'identity/saml-signature-digest': 'signature',
  'identity/saml-certificate-expired': 'signature',
  'identity/saml-encryption-structure': 'signature',
  'identity/saml-encryption-algorithm': 'signature',
  'identity/saml-encryption-key-transport': 'signature',
  'identity/saml-encryption-cbc-unsigned': 'signature',
  'identity/saml-decryption-failed': 'signature',
  'identity/saml-not-encrypted': 'signature',
  // For whom, when, how often.
  'identity/saml-assertion-version': 'conditions',
  'identity/saml-assertion-issuer': 'conditions',
  'identity/saml-time-form': 'conditions',
  'identity/saml-issued-in-future': 'conditions',
  'identity/saml-expired': 'conditions',
  'identity/saml-not-yet-valid': 'conditions',
  'identity/saml-audience-missing': 'conditions',
  'identity/saml-audience': 'conditions',
  'identity/saml-unknown-condition': 'conditions',
  'identity/saml-subject-missing': 'conditions',
  'identity/saml-subject-confirmation-missing': 'conditions',
  'identity/saml-subject-confirmation-method': 'conditions',
  'identity/saml-subject-confirmation-expired': 'conditions',
  'identity/saml-subject-confirmation-not-before': 'conditions',
  'identity/saml-recipient': 'conditions',
  'identity/saml-authn-statement-missing': 'conditions',
  'identity/saml-session-expired': 'conditions',
  'identity/saml-replay': 'conditions',
  // Whom it speaks of.
  'identity/saml-name-id-form': 'attributes',
  'identity/saml-name-id-format': 'attributes',
  'identity/saml-name-id-transient': 'attributes',
  'identity/saml-name-qualifier': 'attributes',
  'identity/saml-attribute-duplicate': 'attributes',
  'identity/saml-attribute-conflict': 'attributes',
  'identity/saml-email-missing': 'attributes',
  'identity/saml-email-form': 'attributes',
  'identity/saml-groups-overage': 'attributes',
  'identity/saml-domain': 'domain',
} as const satisfies Record<string, StageName>;

export type SamlCode = keyof typeof stages;
export const samlCodes: readonly string[] = Object.keys(stages);

const again = 'begin again at /sign-in';
const askAdmin = 'whoever manages sign-in in your organization can see with the number below what was found';

/** What was found and expected are for the trace; `fix` for the person, who mostly can only begin again or ask. */
type Parts = { found?: string; expected?: string; fix?: string; because?: unknown };

/** A refusal of a SAML message. */
export const refuse = (code: SamlCode, says: string, p: Parts = {}): SignInRefused =>
  refusal(
    stages[code],
    code,
    { says, fix: p.fix ?? (stages[code] === 'conditions' ? again : askAdmin), found: p.found, expected: p.expected },
    p.because,
  );
