import type { IncomingMessage } from 'node:http';
import { audiencesOf, resourceMetadataUrl, type Scope } from '#authorization/resource.ts';
import { checkDpop } from '#authorization/check-dpop.ts';
import { lookupLiveGrant } from '#authorization/live-grant.sql.ts';
import type { Verifier } from '#authorization/live-grant.ts';
import { verifyAccessToken, type AccessToken } from '#authorization/verify-access-token.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { elsewhere, letsIn } from '#identity/access/org-access.ts';
import { findOrgAccess } from '#identity/access/org-access.sql.ts';
import { clientAddress } from '#kernel/client-address.ts';
import type { Actor, World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Versions } from '#kernel/versions.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { cached } from './view-cache.ts';

/** Somebody for whom an agent calls, as of now. */
export type Caller = {
  parent: Id<'par'>;
  org: Id<'org'>;
  member: Id<'mem'>;
  user: Id<'usr'>;
  email: string | undefined;
  /** For people to read. */
  name: string;
  client: string;
  groups: readonly Id<'grp'>[];
  actor: Actor;
  /** CIDRs from which the organization lets people in; empty: from everywhere. */
  addresses: readonly string[];
};
/** `address`: where the request came from, as far as it is known. */
export type Known = { token: AccessToken; caller: Caller; address: string | undefined };

export type Callers = {
  /** Who sends this request; refuses everybody whose token, consent, membership or account is not in order now. */
  admitted(req: IncomingMessage, path: string): Promise<Known>;
  /** The same person again, later: undefined when he is let in no more. */
  still(token: AccessToken): Promise<Caller | undefined> | Caller | undefined;
};

/** Knows callers by their tokens. What it remembers is bound to the versions of parent and org (kernel/versions.ts). */
export function openCallers(world: World, versions: Versions, verifier: Verifier): Callers {
  // An organization never changes its parent.
  const parents = new Map<Id<'org'>, Id<'par'>>();
  const parentOf = async (org: Id<'org'>): Promise<Id<'par'> | undefined> => {
    const known = parents.get(org);
    if (known) return known;
    const parent = (await world.db.lookup(lookupOrgParent(org)))?.parent ?? undefined;
    if (parent) parents.set(org, parent);
    return parent;
  };

  const live = cached<AccessToken & { parent: Id<'par'> }, Caller | undefined>(
    versions,
    (t) => t.grant,
    (t) => [t.parent, t.org],
    async (t) => {
      const person = await world.db.lookup(lookupLiveGrant(t.grant, world.now()));
      if (!person || person.member !== t.member || person.org !== t.org || person.client !== t.client) return undefined;
      const { parent, org, member, user, client } = person;
      const { groups, access, account } = await world.db.read({ parent, org }, async (db) => ({
        groups: await groupsOfUser(db, user),
        access: await findOrgAccess(db),
        account: await findUser(db, user),
      }));
      return {
        parent,
        org,
        member,
        user,
        email: account?.email,
        name: account?.displayName ?? '',
        client,
        groups,
        addresses: access?.addresses ?? [],
        actor: { kind: 'agent', id: user, member, client, grant: t.grant },
      };
    },
  );

  const still = (token: AccessToken): Promise<Caller | undefined> | Caller | undefined => {
    const parent = parents.get(token.org);
    if (parent) return live({ ...token, parent });
    return parentOf(token.org).then((p) => (p ? live({ ...token, parent: p }) : undefined));
  };

  return {
    still,
    async admitted(req, path) {
      const { scheme, token: text } = credentialOf(req);
      const token = await verifyAccessToken(text, {
        issuer: world.origin,
        audiences: audiencesOf(world.origin, path),
        keys: verifier.keys,
      });
      if (token.jkt !== undefined || scheme !== 'bearer') {
        const proof = req.headers['dpop'];
        await checkDpop(world, token, {
          scheme,
          token: text,
          proof: typeof proof === 'string' ? proof : undefined,
          method: req.method ?? 'POST',
          url: world.origin + path,
        });
      }
      const caller = await still(token);
      if (!caller)
        throw new Problem('unauthenticated', 'gateway/not-let-in', {
          says: 'the consent behind this token was withdrawn, or the account is suspended or no longer a member',
          fix: 'sign in again; if that is refused, ask an administrator',
        });
      const forwarded = req.headers['x-forwarded-for'];
      const address = clientAddress(
        req.socket.remoteAddress,
        Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
        world.trustedProxies ?? [],
      );
      if (!letsIn(caller.addresses, address)) throw elsewhere(address);
      return { token, caller, address };
    },
  };
}

function credentialOf(req: IncomingMessage): { scheme: string; token: string } {
  const header = req.headers.authorization;
  if (header === undefined)
    throw new Problem('unauthenticated', 'gateway/no-token', {
      says: 'the request has no access token',
      fix: 'sign in: the protected-resource metadata says where',
    });
  const [, scheme, token] = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header) ?? [];
  // INVARIANT (no second way in): what is not a token of ours is refused; there is no anonymous and no pass-through mode.
  if (scheme === undefined || token === undefined)
    throw new Problem('unauthenticated', 'gateway/not-bearer', {
      says: 'the Authorization header is not a bearer token',
      fix: 'send "Authorization: Bearer <access token>"',
    });
  return { scheme: scheme.toLowerCase(), token };
}

const all = 'mcp:read mcp:write';
/** RFC 9728 §5.1: where a client that was refused learns how to be let in. */
export function challenge(origin: string, path: string, p: Problem): string {
  const metadata = resourceMetadataUrl(origin, path);
  const where = metadata === undefined ? '' : `resource_metadata="${metadata}", `;
  if (p.code === 'gateway/no-token') return `Bearer ${where}scope="${all}"`;
  if (p.kind === 'forbidden') return `Bearer error="insufficient_scope", ${where}scope="${all}"`;
  return `Bearer error="invalid_token", error_description="${p.says.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')}", ${where}scope="${all}"`;
}

export const needsScope = (cls: string): Scope => (cls === 'read' ? 'mcp:read' : 'mcp:write');
