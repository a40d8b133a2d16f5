import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { readCertificate } from './certificate.ts';
import type { HeldCertificate } from './connection.ts';
import { insertCertificate, listCertificates, lockSamlConnection } from './connection.sql.ts';
import { samlEvents } from './saml.events.ts';

/** Two are the rule while keys change; more than this is somebody's mistake, and each costs a check per response. */
export const MAX_CERTIFICATES = 8;

/** Trusts a further certificate of the identity provider: the next one, before it signs. */
export async function addSamlCertificate(ctx: Ctx, id: Id<'sso'>, text: string): Promise<HeldCertificate> {
  const held: HeldCertificate = { ...readCertificate(text), source: 'hand', addedAt: ctx.now, warnedDays: null };
  return change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await lockSamlConnection(tx, id))) throw noSuchConnection();
    const there = await listCertificates(tx, id);
    const same = there.find((c) => c.fingerprint === held.fingerprint);
    if (same) return { value: same, unchanged: true };
    if (there.length >= MAX_CERTIFICATES)
      throw new Problem('conflict', 'identity/saml-too-many-certificates', {
        says: `this connection has ${there.length} certificates already`,
        fix: 'remove those that the identity provider does not use any more',
      });
    await insertCertificate(tx, id, held);
    return {
      value: held,
      events: [
        event(samlEvents, 'sso.saml_certificate_added', {
          connection: id,
          fingerprint: held.fingerprint,
          notAfter: held.notAfter.toISOString(),
          by: 'hand',
        }),
      ],
    };
  });
}
