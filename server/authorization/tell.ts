import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Actor } from '#kernel/ctx.ts';
import { event } from '#audit/events.ts';
import type { Unit } from './adapter-transaction.ts';
import { authorizationEvents } from './authorization.events.ts';
import { findMembership, type Membership } from './membership.sql.ts';
import { listParents } from './oauth-event.sql.ts';

const words = (scope: string | undefined): string[] => (scope ? scope.split(' ') : []);

const agent = (m: Membership, client: string, grant: string): Actor => ({
  kind: 'agent',
  id: m.user,
  member: m.member,
  client,
  grant,
});

const reusedName = {
  RefreshToken: 'refresh_token',
  AuthorizationCode: 'authorization_code',
  DeviceCode: 'device_code',
} as const;

/** Reads from a finished request of the library what the log must say, and leaves it with the unit, to be written before the commit. */
export async function tellWhatHappened(
  ctx: { status: number; oidc?: Pick<KoaContextWithOIDC['oidc'], 'route' | 'entities'> },
  unit: Unit,
): Promise<void> {
  // The library gives a context only to paths that it knows.
  if (!ctx.oidc) return;
  const { route, entities } = ctx.oidc;
  const { owner, revoked, reused } = unit;
  const ok = ctx.status >= 200 && ctx.status < 300;

  if (route === 'token' && revoked !== undefined && reused !== undefined && owner) {
    const { parent, org, member, client } = owner;
    unit.tell({
      parent,
      org,
      // Whoever presented it is not known; that is the point.
      actor: { kind: 'nobody' },
      event: event(authorizationEvents, 'authorization.reuse_detected', {
        member,
        client,
        grant: revoked,
        what: reusedName[reused],
      }),
      bump: true,
    });
  } else if (route === 'revocation' && revoked !== undefined && owner) {
    const { parent, org, member, client } = owner;
    const still = await unit.read((db) => findMembership(db, member));
    unit.tell({
      parent,
      org,
      actor: still ? agent(still, client, revoked) : { kind: 'nobody' },
      event: event(authorizationEvents, 'authorization.grant_revoked', {
        member,
        client,
        grant: revoked,
        by: 'client',
      }),
      bump: true,
    });
  } else if (route === 'token' && ok && entities.AccessToken?.grantId && unit.member) {
    const { AccessToken: token, RotatedRefreshToken: rotated } = entities;
    const { member } = unit;
    const grant = token.grantId ?? '';
    const client = token.clientId ?? '';
    const data = {
      member: member.member,
      client,
      grant,
      resource: [token.aud].flat().join(' '),
      scopes: words(token.scope),
    };
    unit.tell({
      parent: member.parent,
      org: member.org,
      actor: agent(member, client, grant),
      event: rotated
        ? event(authorizationEvents, 'authorization.token_refreshed', data)
        : event(authorizationEvents, 'authorization.token_issued', { ...data, by: token.gty ?? 'unknown' }),
    });
  } else if (route === 'registration' && ok && entities.Client) {
    const { Client: client } = entities;
    const registered = event(authorizationEvents, 'authorization.client_registered', {
      client: client.clientId,
      hosts: [...new Set((client.redirectUris ?? []).map((u) => hostOf(u)))].slice(0, 20),
      method: client.clientAuthMethod ?? 'none',
    });
    for (const parent of await unit.read(listParents))
      unit.tell({ parent, org: undefined, actor: { kind: 'nobody' }, event: registered });
  }
}

/** Where a redirect URI goes, short enough to compare by eye: host and port, or the scheme of a program. */
export function hostOf(uri: string): string {
  const url = URL.parse(uri);
  if (!url) return uri.slice(0, 300);
  return (url.host === '' ? url.protocol : url.host).slice(0, 300);
}
