import type { Id } from '#kernel/id.ts';
import { findDirectory, listScimTokens } from '#directory/directory.sql.ts';
import type { ScimToken } from '#directory/directory.ts';
import { listCertificates, findSamlConnection } from '../saml/connection.sql.ts';
import { stageNames, type Stage } from '../sign-in-trace.ts';
import { findConnection } from '../sso-connection.sql.ts';
import type { DomainCard, DomainDesk } from './domain-desk.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { countEntries, countUnderWay, listSeenEntries, listTried, type SeenEntry, type Tried } from './seen.sql.ts';

/** The connection that was made through a link. */
export type MadeConnection = {
  id: Id<'sso'>;
  issuer: string;
  state: 'active' | 'disabled';
} & ({ protocol: 'oidc'; clientId: string } | { protocol: 'saml'; signInUrl: string; certificatesUntil: Date[] });

/** How an attempt ended, as far as it is the identity provider's business. */
export type ShownAttempt = {
  id: string;
  at: Date;
  ok: boolean;
  outcome: string;
  says: string;
  found?: string;
  expected?: string;
};

export type MadeDirectory = {
  id: Id<'dir'>;
  state: 'active' | 'paused';
  tokens: ScimToken[];
  lastUsed: Date | undefined;
  users: number;
  groups: number;
  entries: SeenEntry[];
};

/** Everything that a link's holder is shown beside our own values. Nothing of it was not made through this link. */
export type Looked = {
  connection: MadeConnection | undefined;
  attempts: ShownAttempt[];
  underWay: { n: number; last: Date | null };
  directory: MadeDirectory | undefined;
  domains: DomainCard[];
};

const MAX_SHOWN = 5;

/** Reads what was made through a link and what has arrived at it. */
export async function lookAtVisit({ ctx, link }: Visit, desk: DomainDesk | undefined): Promise<Looked> {
  const domains = desk ? await desk.list(ctx, link.domains) : [];
  return ctx.db.read({ parent: ctx.parent, org: ctx.org }, async (db): Promise<Looked> => {
    const oidc = link.connection && (await findConnection(db, link.connection));
    const saml = link.connection && !oidc ? await findSamlConnection(db, link.connection) : undefined;
    const connection: MadeConnection | undefined = oidc
      ? { protocol: 'oidc', id: oidc.id, issuer: oidc.issuer, state: oidc.state, clientId: oidc.clientId }
      : saml && {
          protocol: 'saml',
          id: saml.id,
          issuer: saml.issuer,
          state: saml.state,
          signInUrl: saml.signInUrl,
          certificatesUntil: (await listCertificates(db, saml.id)).map((c) => c.notAfter),
        };
    const found = link.directory && (await findDirectory(db, link.directory));
    const directory: MadeDirectory | undefined = found
      ? {
          id: found.id,
          state: found.state,
          ...(await tokensOf(found.id)),
          ...(await countEntries(db, found.id)),
          entries: await listSeenEntries(db, found.id, MAX_SHOWN),
        }
      : undefined;
    return {
      connection,
      attempts: connection ? (await listTried(db, connection.id, MAX_SHOWN)).map(shownAttempt) : [],
      underWay: connection ? await countUnderWay(db, connection.id, ctx.now) : { n: 0, last: null },
      directory,
      domains,
    };

    async function tokensOf(id: Id<'dir'>): Promise<{ tokens: ScimToken[]; lastUsed: Date | undefined }> {
      const tokens = await listScimTokens(db, id);
      const used = tokens.flatMap((t) => (t.lastUsed ? [t.lastUsed.getTime()] : []));
      return { tokens, lastUsed: used.length > 0 ? new Date(Math.max(...used)) : undefined };
    }
  });
}

/** Up to here a trace speaks of the protocol; from here on of people and rules of the organization, which are not the holder's business. */
const lastOfProtocol = stageNames.indexOf('domain');

export function shownAttempt(t: Tried): ShownAttempt {
  const failed = t.stages.findLast((s): s is Extract<Stage, { ok: false }> => !s.ok);
  const base = { id: t.id, at: t.at, outcome: t.outcome };
  if (!failed) return { ...base, ok: true, says: t.outcome === 'linked' ? 'linked' : 'signed in' };
  const ours = stageNames.indexOf(failed.stage) > lastOfProtocol;
  return {
    ...base,
    ok: false,
    says: ours ? 'your identity provider proved who it was; the organization here did not let them in' : failed.says,
    ...(!ours && failed.found !== undefined ? { found: failed.found } : {}),
    ...(!ours && failed.expected !== undefined ? { expected: failed.expected } : {}),
  };
}
