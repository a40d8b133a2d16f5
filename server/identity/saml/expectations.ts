import type { OrgCtx } from '#kernel/ctx.ts';
import { connectionHintFor, standingOfEmail } from '#domains/home.ts';
import { listDomains } from '#domains/domain.sql.ts';
import { cut, type Stage } from '../sign-in-trace.ts';
import { domainOf } from './attributes.ts';
import { MAX_SKEW_MS } from './conditions.ts';
import { acsUrl, entityId, trusted, type SamlConnection } from './connection.ts';
import { listCertificates } from './connection.sql.ts';
import type { Expectations } from './judge-response.ts';
import { openOurKeys, ourKeys } from './our-keys.ts';
import { refuse } from './refuse.ts';

/** What a response to a connection is held against. `encrypted`: our keys are needed, and opened. */
export async function expectationsOf(
  ctx: OrgCtx,
  c: SamlConnection,
  m: { now: Date; request: string | undefined; encrypted: boolean },
): Promise<Expectations> {
  const certificates = await ctx.db.read({ parent: ctx.parent }, (db) => listCertificates(db, c.id));
  return {
    now: m.now.getTime(),
    skew: Math.min(c.clockSkewSeconds * 1000, MAX_SKEW_MS),
    idp: c.issuer,
    acs: acsUrl(ctx.origin, c.org),
    audience: entityId(ctx.origin, c.org),
    request: m.request,
    certificates: certificates.map(trusted),
    sha1: c.sha1Until !== null && m.now < c.sha1Until,
    expiredCertificate: c.expiredCertificate,
    decryptionKeys: m.encrypted ? await openOurKeys(ctx, await ourKeys(ctx)) : [],
    mustEncrypt: c.mustEncrypt,
    nameIdFormat: c.nameIdFormat ?? undefined,
    attributes: c.attributeMap,
    groupsOverage: c.groupsOverage,
  };
}

/**
 * The last check of a response: may this identity provider speak for this address? Domains that the parent has verified, and those that the
 * connection's owner listed. A parent that has neither is not held to it; a domain that another parent has verified is refused always.
 */
export async function domainStage(ctx: OrgCtx, c: SamlConnection, email: string): Promise<Stage> {
  const domain = domainOf(email);
  const holder = await connectionHintFor(ctx.db, email);
  const verified = await ctx.db.read({ parent: ctx.parent }, async (db) => ({
    standing: await standingOfEmail(db, ctx.parent, email),
    some: (await listDomains(db, { state: 'verified', limit: 5 })).map((d) => d.name),
  }));
  const elsewhere = holder !== undefined && holder.parent !== ctx.parent;
  const listed = c.emailDomains.includes(domain);
  const free = c.emailDomains.length === 0 && verified.some.length === 0;
  if (!elsewhere && (listed || verified.standing !== 'not_ours' || free))
    return {
      stage: 'domain',
      ok: true,
      found: cut(
        `${domain}: ${listed ? 'listed by the connection' : free ? 'no domain is verified, so none is required' : 'verified'}`,
      ),
    };
  throw refuse('identity/saml-domain', 'the identity provider does not speak for addresses of this domain', {
    // Whose it is instead is nobody's business here.
    found: domain,
    expected: [...c.emailDomains, ...verified.some].join(', ') || 'a domain that is verified here',
    fix: 'whoever manages sign-in verifies the domain, adds it to the connection, or corrects the address at the identity provider',
  });
}
