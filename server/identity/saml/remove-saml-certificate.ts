import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { deleteCertificate, listCertificates, lockSamlConnection } from './connection.sql.ts';
import { samlEvents } from './saml.events.ts';

/** Stops trusting a certificate at once. The last one stays: without any, nobody could sign in and nothing would say why. */
export const removeSamlCertificate = (ctx: Ctx, id: Id<'sso'>, fingerprint: string): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    if (!(await lockSamlConnection(tx, id))) throw noSuchConnection();
    const there = await listCertificates(tx, id);
    if (!there.some((c) => c.fingerprint === fingerprint))
      throw new Problem('missing', 'identity/saml-no-such-certificate', {
        says: 'this connection has no such certificate',
      });
    if (there.length === 1)
      throw new Problem('conflict', 'identity/saml-last-certificate', {
        says: 'this is the last certificate of the connection',
        fix: 'add the next one first, or switch the connection off',
      });
    await deleteCertificate(tx, id, fingerprint);
    return {
      value: undefined,
      events: [event(samlEvents, 'sso.saml_certificate_removed', { connection: id, fingerprint, by: 'hand' })],
    };
  });
