import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { identityEvents } from '../identity.events.ts';
import { someConnectionMatches } from '../sso-connection.sql.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import {
  refuseEndlessSha1,
  strict,
  type HeldCertificate,
  type IdpFacts,
  type SamlConnection,
  type SamlSettings,
} from './connection.ts';
import { insertCertificate, insertSamlConnection } from './connection.sql.ts';
import { fetchMetadata } from './fetch-metadata.ts';
import { browserUrl, readMetadata } from './metadata.ts';
import { ourKeys } from './our-keys.ts';
import { samlEvents } from './saml.events.ts';

/** Where the facts about an identity provider come from. */
export type Source =
  | { kind: 'metadata_url'; url: string; signedBy?: string | undefined }
  | { kind: 'metadata_xml'; xml: string; signedBy?: string | undefined }
  | ({ kind: 'by_hand'; issuer: string; certificates: readonly string[] } & IdpFacts);

export type WantedSamlConnection = {
  name: string;
  source: Source;
  allowPrivate: readonly string[];
  /** Undefined: yes for the first connection, no for further ones. */
  matchDirectory: boolean | undefined;
  settings: Partial<SamlSettings>;
  /** `disabled`: an owner switches it on later. */
  state?: SamlConnection['state'];
};

type Facts = IdpFacts & {
  issuer: string;
  certificates: readonly Certificate[];
  validUntil: Date | null;
  wantsSignedRequests: boolean;
};

/** Connects an identity provider over SAML: for this organization's address, for the people of its parent. */
export async function createSamlConnection(
  ctx: OrgCtx,
  wanted: WantedSamlConnection,
): Promise<{ connection: SamlConnection; certificates: readonly HeldCertificate[] }> {
  refuseEndlessSha1(wanted.settings.sha1Until, ctx.now);
  const { source, allowPrivate } = wanted;
  const facts = await factsOf(ctx, source, allowPrivate);
  // Our key is made now and not at the first sign-in, because it stands in the metadata that is handed over next.
  await ourKeys(ctx);
  const pinned =
    source.kind === 'by_hand' || source.signedBy === undefined
      ? null
      : readCertificate(source.signedBy).der.toString('base64');
  const id = newId('sso', ctx.now.getTime());
  const by = source.kind === 'by_hand' ? 'hand' : 'metadata';
  const certificates = facts.certificates.map((c): HeldCertificate => ({
    ...c,
    source: by,
    addedAt: ctx.now,
    warnedDays: null,
  }));
  return change({ ...ctx, org: undefined }, async (tx) => {
    // A second identity provider that could name itself any externalId could be everybody: its owner must say that it may.
    const matchDirectory = wanted.matchDirectory ?? (await someConnectionMatches(tx)).n === 0;
    const connection: SamlConnection = {
      ...strict,
      ...wanted.settings,
      id,
      org: ctx.org,
      name: wanted.name,
      issuer: facts.issuer,
      state: wanted.state ?? 'active',
      matchDirectory,
      allowPrivate: [...allowPrivate],
      signInUrl: facts.signInUrl,
      signInBinding: facts.signInBinding,
      logout: facts.logout,
      metadata:
        source.kind === 'metadata_url'
          ? { url: source.url, signedBy: pinned, checkedAt: ctx.now, problem: null, validUntil: facts.validUntil }
          : null,
      createdAt: ctx.now,
    };
    if ((await insertSamlConnection(tx, connection)) === 0)
      throw new Problem('conflict', 'identity/saml-connected-already', {
        says: `${facts.issuer} is connected to this organization already`,
        fix: 'change the connection that is there',
      });
    for (const c of certificates) await insertCertificate(tx, id, c);
    return {
      value: { connection, certificates },
      events: [
        event(identityEvents, 'sso.connection_created', {
          connection: id,
          kind: 'saml',
          issuer: facts.issuer.slice(0, 300),
          matchDirectory,
        }),
        ...certificates.map((c) =>
          event(samlEvents, 'sso.saml_certificate_added', {
            connection: id,
            fingerprint: c.fingerprint,
            notAfter: c.notAfter.toISOString(),
            by,
          }),
        ),
      ],
    };
  });
}

async function factsOf(ctx: OrgCtx, source: Source, allowPrivate: readonly string[]): Promise<Facts> {
  if (source.kind === 'by_hand') {
    const { logout } = source;
    const certificates = source.certificates.map(readCertificate);
    if (certificates.length === 0)
      throw new Problem('invalid', 'identity/saml-no-certificate', {
        says: 'a connection needs a certificate of the identity provider',
        fix: 'paste its signing certificate; two while it changes keys',
      });
    return {
      issuer: source.issuer,
      signInUrl: browserUrl(source.signInUrl, allowPrivate),
      signInBinding: source.signInBinding,
      logout: logout && {
        binding: logout.binding,
        url: browserUrl(logout.url, allowPrivate),
        responseUrl: logout.responseUrl === undefined ? undefined : browserUrl(logout.responseUrl, allowPrivate),
      },
      certificates,
      validUntil: null,
      wantsSignedRequests: true,
    };
  }
  const pinned = source.signedBy === undefined ? undefined : readCertificate(source.signedBy);
  const xml = source.kind === 'metadata_xml' ? source.xml : await fetchMetadata(ctx.egress, source.url, allowPrivate);
  return readMetadata(xml, { now: ctx.now, allowPrivate, pinned, known: [] });
}
