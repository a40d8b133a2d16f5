#!/usr/bin/env node
// Verifies the evidence of an approval without Gatehouse. Needs Node 20 and nothing else; shares no code with the server. Read it, then run:
//
//   node verify-approval.mjs evidence.json        what GET /api/orgs/{org}/approvals/{approval}/evidence answered
//   node verify-approval.mjs --vectors approval-vectors.json
//
// Evidence is {action, hash, decision, decisionHash, proof}. This recomputes both hashes, sees that the decision is about this action, and,
// where there is a proof, that the passkey's signature over this very action holds (WebAuthn, user present and verified). Whose passkey it is,
// the server says; compare `proof.publicKey` with what the log or the person says.
// Exit status: 0 verified; 1 something is wrong, and it is named; 2 the input cannot be used.
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

class Bad extends Error {}
const bad = (says) => {
  throw new Bad(says);
};
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest();

// ---- canonical JSON (RFC 8785): members sorted by UTF-16 code units, no spaces, numbers and strings as ECMAScript writes them
function canonical(v) {
  if (v === null || typeof v === 'boolean') return String(v);
  if (typeof v === 'number') return Number.isFinite(v) ? JSON.stringify(v) : bad('a number without canonical form');
  if (typeof v === 'string') return v.isWellFormed() ? JSON.stringify(v) : bad('a text that is not Unicode');
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
  return `{${Object.keys(v)
    .sort()
    .map((k) => `${canonical(k)}:${canonical(v[k])}`)
    .join(',')}}`;
}

export const hashOf = (kind, value) => sha256(`gatehouse-${kind}-v1\0`, canonical(value)).toString('hex');
export const challengeOf = (actions) => (actions.length === 1 ? actions[0] : hashOf('batch', actions.toSorted()));

// ---- WebAuthn level 3, §7.2, as far as it can be seen from outside
function checkProof(proof, challenge) {
  const client = Buffer.from(proof.clientDataJSON, 'base64url');
  const auth = Buffer.from(proof.authenticatorData, 'base64url');
  const said = JSON.parse(client.toString('utf8'));
  if (said.type !== 'webauthn.get') bad(`the proof is a ${said.type}, not the use of a passkey`);
  if (said.challenge !== Buffer.from(challenge, 'hex').toString('base64url'))
    bad('the passkey signed another action: its challenge is not the hash of this one');
  if (said.origin !== proof.origin) bad(`the passkey was used at ${said.origin}, not at ${proof.origin}`);
  if (!auth.subarray(0, 32).equals(sha256(new URL(proof.origin).hostname))) bad('the passkey is of another site');
  if ((auth[32] & 5) !== 5) bad('the passkey did not verify the person who used it');
  const key = createPublicKey({ key: Buffer.from(proof.publicKey, 'base64url'), format: 'der', type: 'spki' });
  const signed = Buffer.concat([auth, sha256(client)]);
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!verifySignature(digest, signed, key, Buffer.from(proof.signature, 'base64url')))
    bad('the signature of the passkey is false');
}

export function verifyEvidence(e) {
  if (hashOf('action', e.action) !== e.hash) bad('the hash is not the hash of this action');
  if (e.decision === null) return 'the action is the one that was asked about; nobody has decided';
  if (hashOf('decision', e.decision) !== e.decisionHash) bad('the decision is not the one that was recorded');
  if (!e.decision.items.some((i) => i.action === e.hash)) bad('the decision is about another action');
  const says = `${e.decision.by} ${e.decision.verdict} exactly this action at ${e.decision.at} on ${e.decision.surface}`;
  if (e.proof === null) return `${says}; no passkey was asked for`;
  checkProof(e.proof, challengeOf(e.decision.items.map((i) => i.action)));
  return `${says}, and signed it with a passkey`;
}

export function verifyVectors(v) {
  for (const { name, action, hash } of v.actions)
    if (hashOf('action', action) !== hash) bad(`the action "${name}" has the hash ${hashOf('action', action)}`);
  if (new Set(v.actions.map((a) => a.hash)).size !== v.actions.length) bad('two different actions have one hash');
  for (const { name, decision, hash } of v.decisions)
    if (hashOf('decision', decision) !== hash)
      bad(`the decision "${name}" has the hash ${hashOf('decision', decision)}`);
  for (const { name, actions, challenge } of v.challenges)
    if (challengeOf(actions) !== challenge) bad(`the challenge "${name}" is ${challengeOf(actions)}`);
  return `${v.actions.length} actions, ${v.decisions.length} decisions and ${v.challenges.length} challenges`;
}

function main(args) {
  const vectors = args[0] === '--vectors';
  const file = args[vectors ? 1 : 0];
  let input;
  try {
    input = JSON.parse(readFileSync(file ?? '', 'utf8'));
  } catch (e) {
    console.error(`unusable: ${file ? e.message : 'give a file'}`);
    return 2;
  }
  try {
    console.log(`ok: ${vectors ? verifyVectors(input) : verifyEvidence(input)}`);
    return 0;
  } catch (e) {
    console.error(e instanceof Bad ? `wrong: ${e.message}` : `unusable: ${e.message}`);
    return e instanceof Bad ? 1 : 2;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = main(process.argv.slice(2));
