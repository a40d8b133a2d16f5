// SAML validations per second on one core, beside the three libraries that could have been used, with the same responses in the same run.
// What each checks differs (docs of identity/saml); the figure says what strictness costs.
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import saml20 from '@boxyhq/saml20';
import { Constants, IdentityProvider, ServiceProvider, setSchemaValidator } from 'samlify';
import { expectationsFor } from '#dev/saml-judge.ts';
import { idpMetadata } from '#dev/saml-metadata.ts';
import { base64, samlKey, samlResponse, type ResponseFacts } from '#dev/saml-signer.ts';
import { judgeResponse } from '#identity/saml/judge-response.ts';
import { judge } from '#identity/saml/judges.ts';

const SECONDS = 3;
const key = samlKey();
const sp = samlKey();
const facts: ResponseFacts = {
  key,
  idp: 'https://idp.northwind-lamps.example/metadata',
  acs: 'https://gate.example/saml/acs/org_1',
  audience: 'https://gate.example/saml/org_1',
  request: '_0123456789abcdef0123456789abcdef01234567',
};
const x = expectationsFor(facts, [key], sp);
setSchemaValidator({ validate: async () => 'ok' });

const nodeSaml = new SAML({
  idpCert: key.certificatePem,
  issuer: facts.audience,
  callbackUrl: facts.acs,
  audience: facts.audience,
  idpIssuer: facts.idp,
  entryPoint: 'https://idp.northwind-lamps.example/sso',
  wantAssertionsSigned: true,
  wantAuthnResponseSigned: false,
  validateInResponseTo: ValidateInResponseTo.never,
  acceptedClockSkewMs: 60_000,
});
const idp = IdentityProvider({
  metadata: idpMetadata({ entityId: facts.idp, sso: 'https://idp.northwind-lamps.example/sso', keys: [key] }),
});
const us = ServiceProvider({
  entityID: facts.audience,
  wantAssertionsSigned: true,
  assertionConsumerService: [{ Binding: Constants.namespace.binding.post, Location: facts.acs }],
});

/** Validations per second of one way, after a warm-up. */
async function measured(what: string, once: () => unknown): Promise<void> {
  for (let i = 0; i < 100; i++) await once();
  const from = performance.now();
  let n = 0;
  while (performance.now() - from < SECONDS * 1000) {
    await once();
    n++;
  }
  console.log(
    `${what.padEnd(34)} ${Math.round((n * 1000) / (performance.now() - from))
      .toString()
      .padStart(7)} /s`,
  );
}

const message = base64(await samlResponse(facts));
console.log(`one signed assertion, RSA-2048 with SHA-256, ${message.length} characters of base64`);
await measured('gatehouse', () => {
  const v = judgeResponse(message, x);
  if (!v.ok) throw new Error(v.refusal.code);
});
await measured('@node-saml/node-saml 5.1.0', () => nodeSaml.validatePostResponseAsync({ SAMLResponse: message }));
await measured('samlify 2.13.1', () => us.parseLoginResponse(idp, 'post', { body: { SAMLResponse: message } }));
const xml = Buffer.from(message, 'base64').toString();
await measured('@boxyhq/saml20 1.15.2', () =>
  saml20.default.validate(xml, {
    publicKey: key.certificate.toString('base64'),
    audience: facts.audience,
    bypassExpiration: false,
    inResponseTo: facts.request,
  }),
);
for (const [what, more] of [
  ['gatehouse, response and assertion', { sign: 'both' }],
  ['gatehouse, encrypted (AES-256-GCM)', { encryptTo: sp }],
] as const) {
  const m = base64(await samlResponse({ ...facts, ...more }));
  await measured(what, () => {
    const v = judgeResponse(m, x);
    if (!v.ok) throw new Error(v.refusal.code);
  });
}
console.log('\nhow long one response holds up the event loop, by its size (p50 of 21)');
for (const groups of [0, 100, 200, 400, 1200]) {
  const attributes = {
    email: 'luca@northwind-lamps.example',
    groups: Array.from({ length: groups }, (_, i) => `group-${i}-${'x'.repeat(16)}`),
  };
  const m = base64(await samlResponse({ ...facts, attributes }));
  const took: [number, number][] = [];
  for (let i = 0; i < 21; i++) {
    const a = performance.now();
    judgeResponse(m, x);
    const b = performance.now();
    await judge(m, x);
    took.push([b - a, performance.now() - b]);
  }
  const p50 = (k: 0 | 1): string => (took.map((t) => t[k]).toSorted((a, b) => a - b)[10] ?? 0).toFixed(1).padStart(6);
  console.log(
    `${String(groups).padStart(5)} groups ${String(Math.round(m.length / 1024)).padStart(4)} KiB   inline ${p50(0)} ms   as the server does it ${p50(1)} ms`,
  );
}
