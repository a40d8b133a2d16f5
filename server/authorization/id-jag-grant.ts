import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import { event } from '#audit/events.ts';
import { nobodyCtx } from '#identity/gate.ts';
import { admitIdJag, type Vouched } from '#identity/oidc/admit-id-jag.ts';
import { refusal } from '#identity/sign-in-refusal.ts';
import type { Unit, Units } from './adapter-transaction.ts';
import { authorizationEvents } from './authorization.events.ts';
import { provenKey } from './check-dpop.ts';
import { findMembership, type Membership } from './membership.sql.ts';
import { ACCESS_TOKEN_SECONDS, canonicalResource, isScope, resourceServer, SCOPES, type Scope } from './resource.ts';

export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';

type Terms = { resource: string; scopes: Scope[] };
type Params = { assertion?: unknown; scope?: unknown; resource?: unknown };

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);
const words = (v: string | undefined): string[] | undefined => v?.split(' ').filter((w) => w !== '');

/**
 * What a token may be for: what the assertion says, cut down to what was asked for and to what the connection may give. INVARIANT (never
 * more): neither of the three adds to another. An assertion without scopes gives what a silent client gets: reading.
 */
export function termsOf(
  origin: string,
  asked: { resource: string | undefined; scope: string | undefined },
  said: { resource: string | undefined; scope: string | undefined },
  most: 'read' | 'write',
): Terms {
  const named = said.resource ?? asked.resource ?? `${origin}/mcp`;
  const resource = canonicalResource(origin, named);
  if (
    resource === undefined ||
    (asked.resource !== undefined && canonicalResource(origin, asked.resource) !== resource)
  )
    throw refusal('access', 'authorization/id-jag-resource', {
      says: 'the assertion is not for this place',
      fix: `ask for one whose resource is ${origin}/mcp or ${origin}/mcp/{connector}, and ask for a token for the same`,
      found: `resource ${said.resource ?? 'missing'}; asked for ${asked.resource ?? 'nothing'}`,
      expected: `${origin}/mcp or ${origin}/mcp/{connector}`,
    });
  const given = words(said.scope) ?? [SCOPES[0]];
  const wanted = words(asked.scope);
  const scopes = SCOPES.filter(
    (s) => given.includes(s) && (wanted?.includes(s) ?? true) && (s === 'mcp:read' || most === 'write'),
  ).filter(isScope);
  if (scopes.length === 0)
    throw refusal('access', 'authorization/id-jag-scope', {
      says: 'nothing is left of the scopes after cutting them down to what is allowed here',
      fix: `ask for ${SCOPES.join(' or ')}; whoever manages sign-in says how far assertions go (idJag)`,
      found: `assertion ${said.scope ?? 'none'}; asked for ${asked.scope ?? 'none'}; the connection gives ${most}`,
      expected: SCOPES.join(' '),
    });
  return { resource, scopes };
}

/** OAuth's words for our refusals (RFC 6749 §5.2, RFC 8707 §2). */
const errorOf = (code: string): string =>
  code === 'authorization/id-jag-scope'
    ? 'invalid_scope'
    : code === 'authorization/id-jag-resource'
      ? 'invalid_target'
      : code.startsWith('authorization/dpop-')
        ? 'invalid_dpop_proof'
        : 'invalid_grant';

/**
 * The grant of RFC 7523 with an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.4): an access token and never a refresh token,
 * because the identity provider is asked again each time. The assertion is judged and spent, with its trace, before the token's own
 * transaction begins: a failure after that costs the client one assertion and gives nobody two tokens.
 */
export const idJagGrant =
  (kit: { world: World; units: Units }) =>
  async (ctx: TokenEndpointGrantContext<Params>): Promise<void> => {
    const { world, units } = kit;
    const { client, params } = ctx.oidc;
    const assertion = text(params.assertion);
    if (assertion === undefined) throw new errors.InvalidRequest("missing required parameter 'assertion'");
    const asked = { resource: text(params.resource), scope: text(params.scope) };
    let vouched: Vouched<Terms>;
    let jkt: string | undefined;
    try {
      const proof = text(ctx.get('dpop'));
      if (proof === undefined && client.dpopBoundAccessTokens)
        throw new Problem('invalid', 'authorization/dpop-missing', {
          says: 'this client said that its tokens are bound to a key, and there is no proof of one',
          fix: 'send a DPoP header',
        });
      if (proof !== undefined)
        jkt = await provenKey(world, { proof, method: 'POST', url: `${world.origin}/oauth/token` });
      const anybody = nobodyCtx(world, { request: newId('req'), address: text(ctx.ip) });
      vouched = await admitIdJag(anybody, {
        assertion,
        client: client.clientId,
        jkt,
        terms: (said, most) => {
          const value = termsOf(world.origin, asked, said, most);
          return { value, found: `${value.resource} with ${value.scopes.join(' ')}` };
        },
      });
    } catch (e) {
      const p = asProblem(e);
      if (p.kind === 'bug' || p.kind === 'unavailable') throw e;
      ctx.status = 400;
      ctx.set('cache-control', 'no-store');
      ctx.body = {
        error: errorOf(p.code),
        error_description: p.fix === undefined ? p.says : `${p.says}; ${p.fix}`,
        code: p.code,
        ...p.more,
      };
      return;
    }
    const of = vouched;
    ctx.body = await units.using((unit) => issue(ctx, unit, of, jkt));
  };

/** The consent that the identity provider gave, and a token that stands on it; both end together. */
async function issue(
  ctx: TokenEndpointGrantContext<Params>,
  unit: Unit,
  v: Vouched<Terms>,
  jkt: string | undefined,
): Promise<Record<string, unknown>> {
  const { client, provider } = ctx.oidc;
  const { resource, scopes } = v.terms;
  const member: Membership | undefined = await unit.read((db) => findMembership(db, v.member));
  // They were a member a moment ago.
  if (member?.state !== 'active') throw new errors.InvalidGrant('the person is no longer a member');
  unit.member = member;
  unit.vouchedBy = v.connection;
  unit.clientName = client.clientName?.slice(0, 200);
  const grant = new provider.Grant({ accountId: v.member, clientId: client.clientId });
  grant.addResourceScope(resource, scopes.join(' '));
  // It ends with its token: the next assertion makes the next one, so that ending one ends exactly what stood on it.
  Object.assign(grant, { expiresIn: ACCESS_TOKEN_SECONDS });
  const grantId = await grant.save();
  const token = new provider.AccessToken({
    client,
    accountId: v.member,
    grantId,
    gty: 'id_jag',
    scope: scopes.join(' '),
    resourceServer: new provider.ResourceServer(resource, resourceServer(resource)),
    ...(jkt === undefined ? {} : { jkt }),
  });
  ctx.oidc.entity('AccessToken', token);
  const access = await token.save();
  unit.tell({
    parent: member.parent,
    org: member.org,
    actor: { kind: 'agent', id: member.user, member: member.member, client: client.clientId, grant: grantId },
    event: event(authorizationEvents, 'authorization.vouched_for', {
      member: member.member,
      client: client.clientId,
      grant: grantId,
      connection: v.connection,
      trace: v.trace,
      resources: [resource],
      scopes,
    }),
  });
  return {
    access_token: access,
    expires_in: token.expiration,
    scope: token.scope,
    token_type: token.tokenType,
  };
}
