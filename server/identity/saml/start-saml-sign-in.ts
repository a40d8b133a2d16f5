import { change } from '#audit/change.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { hashSecret } from '../cookies.ts';
import { deleteOldAttempts, insertAttempt, type Intent } from '../sign-in-attempt.sql.ts';
import { ATTEMPT_MS } from '../start-sign-in.ts';
import { cut } from '../sign-in-trace.ts';
import { acsUrl, entityId, type SamlConnection } from './connection.ts';
import { authnRequest, newMessageId, send, type Sent } from './message.ts';
import { signingKey } from './our-keys.ts';

export const connectionDisabled = (name: string): Problem =>
  new Problem('forbidden', 'identity/connection-disabled', {
    says: `signing in through ${name} is switched off`,
    fix: 'whoever manages sign-in in your organization can switch it on again',
  });

/** Begins a sign-in over SAML for the browser that has the secret `browser`, and returns where to send it. */
export async function startSamlSignIn(
  anybody: Ctx,
  c: SamlConnection,
  a: { browser: string; returnTo: string; intent: Intent },
): Promise<Sent> {
  if (c.state !== 'active' && a.intent.kind !== 'test') throw connectionDisabled(c.name);
  const ctx: OrgCtx = { ...anybody, org: c.org };
  const id = newMessageId();
  const request = authnRequest({
    id,
    at: ctx.now,
    to: c.signInUrl,
    issuer: entityId(ctx.origin, c.org),
    acs: acsUrl(ctx.origin, c.org),
    nameIdFormat: c.nameIdFormat,
  });
  const sent = send(request, {
    parameter: 'SAMLRequest',
    binding: c.signInBinding,
    to: c.signInUrl,
    // Nothing but the request's own ID: where the person goes afterwards stays with us.
    relayState: id,
    key: c.signRequests ? await signingKey(ctx) : undefined,
  });
  await change({ ...ctx, org: undefined }, async (tx) => {
    await deleteOldAttempts(tx, ctx.now);
    await insertAttempt(
      tx,
      hashSecret(id),
      {
        connection: c.id,
        nonce: id,
        // PKCE has no counterpart in SAML.
        verifierSealed: Buffer.alloc(0),
        browserHash: hashSecret(a.browser),
        returnTo: a.returnTo,
        intent: a.intent,
        discovery: {
          stage: 'connection',
          ok: true,
          found: cut(`${c.issuer} by ${c.signInBinding}${c.signRequests ? ', signed' : ''}`),
        },
        expiresAt: new Date(ctx.now.getTime() + ATTEMPT_MS),
      },
      ctx.now,
    );
    // No event: anybody may begin, and nothing has happened yet.
    return { value: undefined, unchanged: true };
  });
  return sent;
}
