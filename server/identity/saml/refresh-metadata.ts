import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { noSuchConnection } from '../sso-connection.ts';
import { readCertificate } from './certificate.ts';
import type { SamlConnection } from './connection.ts';
import {
  deleteCertificate,
  findSamlConnection,
  insertCertificate,
  listCertificates,
  lockSamlConnection,
  saveSamlConnection,
} from './connection.sql.ts';
import { fetchMetadata } from './fetch-metadata.ts';
import { readMetadata, type IdpMetadata } from './metadata.ts';
import { samlEvents } from './saml.events.ts';

/**
 * Asks the identity provider for its metadata again. INVARIANT (no lock-out by refresh): what cannot be fetched, read or believed changes
 * nothing but the note that it was so; certificates from metadata go when the metadata drops them, those added by hand stay.
 */
export async function refreshMetadata(ctx: Ctx, id: Id<'sso'>): Promise<SamlConnection> {
  const { connection, known } = await ctx.db.read({ parent: ctx.parent }, async (db) => ({
    connection: await findSamlConnection(db, id),
    known: await listCertificates(db, id),
  }));
  if (!connection) throw noSuchConnection();
  const source = connection.metadata;
  if (!source)
    throw new Problem('conflict', 'identity/saml-no-metadata-url', {
      says: 'this connection was not made from a metadata address',
      fix: 'change its certificates by hand, or make another connection from the address',
    });
  let found: IdpMetadata;
  try {
    const xml = await fetchMetadata(ctx.egress, source.url, connection.allowPrivate);
    const pinned = source.signedBy === null ? undefined : readCertificate(source.signedBy);
    found = readMetadata(xml, { now: ctx.now, allowPrivate: connection.allowPrivate, pinned, known });
    if (found.issuer !== connection.issuer)
      throw new Problem('conflict', 'identity/saml-metadata-entity', {
        says: `the metadata is now of ${found.issuer}, and this connection is with ${connection.issuer}`,
        fix: 'if the identity provider was renamed, make a new connection: identities are bound to its name',
      });
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    await noteFailure(ctx, id, e.code);
    throw e;
  }
  return change({ ...ctx, org: undefined }, (tx) => adopt(tx, ctx, id, found));
}

const noteFailure = (ctx: Ctx, id: Id<'sso'>, code: string): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    const c = await lockSamlConnection(tx, id);
    if (!c?.metadata) return { value: undefined, unchanged: true };
    await saveSamlConnection(tx, { ...c, metadata: { ...c.metadata, checkedAt: ctx.now, problem: code } });
    // Told once and not each time that it is tried.
    return c.metadata.problem === code
      ? { value: undefined, unchanged: true }
      : { value: undefined, events: [event(samlEvents, 'sso.saml_metadata_failed', { connection: id, code })] };
  });

async function adopt(
  tx: Tx,
  ctx: Ctx,
  id: Id<'sso'>,
  found: IdpMetadata,
): Promise<
  { value: SamlConnection; events: [AuditEvent, ...AuditEvent[]] } | { value: SamlConnection; unchanged: true }
> {
  const before = await lockSamlConnection(tx, id);
  if (!before?.metadata) throw noSuchConnection();
  const { signInUrl, signInBinding, logout } = found;
  const after: SamlConnection = {
    ...before,
    signInUrl,
    signInBinding,
    logout,
    metadata: { ...before.metadata, checkedAt: ctx.now, problem: null, validUntil: found.validUntil },
  };
  await saveSamlConnection(tx, after);
  const there = await listCertificates(tx, id);
  const events: AuditEvent[] = [];
  for (const c of found.certificates)
    if ((await insertCertificate(tx, id, { ...c, source: 'metadata', addedAt: ctx.now, warnedDays: null })) === 1)
      events.push(
        event(samlEvents, 'sso.saml_certificate_added', {
          connection: id,
          fingerprint: c.fingerprint,
          notAfter: c.notAfter.toISOString(),
          by: 'metadata',
        }),
      );
  for (const c of there)
    if (c.source === 'metadata' && !found.certificates.some((f) => f.fingerprint === c.fingerprint)) {
      await deleteCertificate(tx, id, c.fingerprint);
      events.push(
        event(samlEvents, 'sso.saml_certificate_removed', {
          connection: id,
          fingerprint: c.fingerprint,
          by: 'metadata',
        }),
      );
    }
  const changed = (['signInUrl', 'signInBinding', 'logout'] as const).filter(
    (k) => JSON.stringify(before[k]) !== JSON.stringify(after[k]),
  );
  if (changed.length > 0) events.push(event(samlEvents, 'sso.saml_metadata_changed', { connection: id, changed }));
  const [first, ...rest] = events;
  return first ? { value: after, events: [first, ...rest] } : { value: after, unchanged: true };
}
