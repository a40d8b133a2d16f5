import { z } from 'zod';
import type { OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import type { Operation } from '#kernel/operation.ts';
import type { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { revokeScimToken } from '#directory/revoke-scim-token.ts';
import { replaceClientSecret } from '../replace-client-secret.ts';
import { addSetupDomain } from './add-setup-domain.ts';
import { beginSignInAgain } from './begin-sign-in-again.ts';
import { chooseProvider } from './choose-provider.ts';
import { connectSignIn, secretField } from './connect-sign-in.ts';
import { directoryPage } from './directory-page.ts';
import type { DomainDesk } from './domain-desk.ts';
import { domainPage } from './domain-page.ts';
import { notATaskOfLink, type Protocol, type Task } from './link.ts';
import { lookAtVisit } from './look-at-visit.ts';
import { makeSetupToken } from './make-setup-token.ts';
import type { Visit } from './open-idp-setup-link.ts';
import { findProvider, type Provider } from './providers.ts';
import { seenPage, WATCH_TIMES } from './seen-page.ts';
import { signInPage, type Entered } from './sign-in-page.ts';
import { startPage } from './start-page.ts';
import { goTo, Token, visitForm, visitShow } from './visit-operation.ts';

/** What is wired in this deployment. A part that is not there is not shown. */
export type IdpSetupUpstairs = {
  /** The step that proves domains. */
  domains?: DomainDesk;
  /** Protocols that sign-in can be connected over. */
  protocols: readonly Protocol[];
  /** Makes a dry sign-in through a connection and gives the address, on this server, of the page that begins it. */
  beginTest?: (ctx: OrgCtx, connection: Id<'sso'>) => Promise<string>;
};

/** The pages of a set-up link. Its token is in every path, so no other site can make a browser act here; the gate looks at the origin, too. */
export function idpSetupPages(up: IdpSetupUpstairs): Operation[] {
  const tasksOf = (v: Visit): Task[] => v.link.tasks.filter((t) => t !== 'domain' || up.domains !== undefined);

  const looked = (v: Visit) => lookAtVisit(v, up.domains);
  const start = async (v: Visit, problem?: Problem): Promise<Response> =>
    startPage(v, { looked: await looked(v), tasks: tasksOf(v), protocols: up.protocols, problem });

  /** A step needs to know the identity provider; without one the first page asks. */
  const withProvider = (v: Visit, next: (p: Provider) => Promise<Response>): Promise<Response> => {
    const provider = findProvider(v.link.provider);
    return provider ? next(provider) : Promise.resolve(goTo(`/idp-setup/${v.token}`));
  };
  const signIn = (v: Visit, problem?: Problem, entered: Entered = {}): Promise<Response> =>
    withProvider(v, async (provider) => {
      const { protocol } = v.link;
      if (!protocol || !up.protocols.includes(protocol)) return goTo(`/idp-setup/${v.token}`);
      const test = up.beginTest !== undefined;
      return signInPage(v, { provider, protocol, looked: await looked(v), tasks: tasksOf(v), test, problem, entered });
    });
  const directory = (
    v: Visit,
    p: { problem?: Problem; fresh?: { token: string; expires: Date } } = {},
  ): Promise<Response> =>
    withProvider(v, async (provider) =>
      directoryPage(v, { provider, looked: await looked(v), tasks: tasksOf(v), ...p }),
    );
  const domain = async (v: Visit, problem?: Problem, entered?: string): Promise<Response> => {
    desk();
    return domainPage(v, { looked: await looked(v), tasks: tasksOf(v), problem, entered });
  };
  const desk = (): DomainDesk => {
    if (!up.domains) throw notATaskOfLink();
    return up.domains;
  };

  return [
    visitShow({
      id: 'identity.idp_setup_page',
      at: 'GET /idp-setup/:token',
      task: undefined,
      says: 'Shows what a set-up link is for and asks for the identity provider.',
      shown: (v) => start(v),
    }),
    visitForm({
      id: 'identity.idp_setup_choose',
      at: 'POST /idp-setup/:token/provider',
      task: undefined,
      says: 'Chooses the identity provider and the protocol of a set-up link.',
      params: Token,
      async work(v, f) {
        await chooseProvider(v, { provider: f['provider'], protocol: f['protocol'] }, up.protocols);
        return '';
      },
      again: (v, problem) => start(v, problem),
    }),
    visitShow({
      id: 'identity.idp_setup_domain_page',
      at: 'GET /idp-setup/:token/domain',
      task: 'domain',
      says: 'Shows the records that prove the domains of a set-up link.',
      shown: (v) => domain(v),
    }),
    visitForm({
      id: 'identity.idp_setup_add_domain',
      at: 'POST /idp-setup/:token/domain',
      task: 'domain',
      says: 'Adds a domain through a set-up link.',
      params: Token,
      async work(v, f) {
        await addSetupDomain(v, desk(), f['domain'] ?? '');
        return '/domain';
      },
      again: (v, problem, f) => domain(v, problem, f['domain']),
    }),
    visitForm({
      id: 'identity.idp_setup_check_domain',
      at: 'POST /idp-setup/:token/domain/:domain/check',
      task: 'domain',
      says: 'Looks the record of a domain up now.',
      params: Token.extend({ domain: z.string().max(40) }),
      async work(v, _f, params) {
        const id = parseId('dom', params.domain);
        if (!id || !v.link.domains.includes(id)) throw notATaskOfLink();
        await desk().check(v.ctx, id);
        return '/domain';
      },
      again: (v, problem) => domain(v, problem),
    }),
    visitShow({
      id: 'identity.idp_setup_sign_in_page',
      at: 'GET /idp-setup/:token/sign-in',
      task: 'sign_in',
      says: 'Shows what to paste at the identity provider and asks for what it gives back.',
      shown: (v) => signIn(v),
    }),
    visitForm({
      id: 'identity.idp_setup_connect',
      at: 'POST /idp-setup/:token/sign-in',
      task: 'sign_in',
      says: 'Connects sign-in from what was brought back from the identity provider.',
      params: Token,
      async work(v, f) {
        if (!v.link.protocol || !up.protocols.includes(v.link.protocol)) return '';
        await connectSignIn(
          v,
          v.link.protocol === 'saml'
            ? { protocol: 'saml', metadata: f['metadata'] ?? '' }
            : {
                protocol: 'oidc',
                issuer: f['issuer'] ?? '',
                clientId: f['client_id'] ?? '',
                clientSecret: f['client_secret'] ?? '',
                hostedDomains: f['hosted_domains'] ?? '',
                tenant: f['tenant'] ?? '',
              },
        );
        return '/sign-in';
      },
      again: (v, problem, f) =>
        signIn(v, problem, {
          issuer: f['issuer'],
          client_id: f['client_id'],
          hosted_domains: f['hosted_domains'],
          tenant: f['tenant'],
          metadata: f['metadata'],
        }),
    }),
    visitForm({
      id: 'identity.idp_setup_secret',
      at: 'POST /idp-setup/:token/sign-in/secret',
      task: 'sign_in',
      says: 'Replaces the client secret of the connection that was made through the link.',
      params: Token,
      async work(v, f) {
        const secret = new Secret(secretField(f['client_secret'] ?? ''));
        if (v.link.connection && v.link.protocol === 'oidc')
          await replaceClientSecret(v.ctx, v.link.connection, secret);
        return '/sign-in';
      },
      again: (v, problem) => signIn(v, problem),
    }),
    visitForm({
      id: 'identity.idp_setup_again',
      at: 'POST /idp-setup/:token/sign-in/again',
      task: 'sign_in',
      says: 'Switches the connection that was made off and lets another be made in its place.',
      params: Token,
      async work(v) {
        if (v.link.protocol === 'oidc') await beginSignInAgain(v);
        return '/sign-in';
      },
      again: (v, problem) => signIn(v, problem),
    }),
    visitForm({
      id: 'identity.idp_setup_test',
      at: 'POST /idp-setup/:token/sign-in/test',
      task: 'sign_in',
      says: 'Makes a dry sign-in through the connection that was made.',
      params: Token,
      async work(v) {
        if (!up.beginTest || !v.link.connection) return '/sign-in';
        return goTo(await up.beginTest(v.ctx, v.link.connection));
      },
      again: (v, problem) => signIn(v, problem),
    }),
    visitShow({
      id: 'identity.idp_setup_directory_page',
      at: 'GET /idp-setup/:token/directory',
      task: 'directory',
      says: 'Shows what to paste at the identity provider for people and groups.',
      shown: (v) => directory(v),
    }),
    visitForm({
      id: 'identity.idp_setup_make_token',
      at: 'POST /idp-setup/:token/directory',
      task: 'directory',
      says: 'Makes a SCIM token, and the directory if there is none; the token is shown this once.',
      params: Token,
      async work(v) {
        const provider = findProvider(v.link.provider);
        if (!provider || 'none' in provider.scim) return '/directory';
        const { directory: id, ...fresh } = await makeSetupToken(v);
        return directory({ ...v, link: { ...v.link, directory: id } }, { fresh });
      },
      again: (v, problem) => directory(v, { problem }),
    }),
    visitForm({
      id: 'identity.idp_setup_end_token',
      at: 'POST /idp-setup/:token/directory/tokens/:scim/end',
      task: 'directory',
      says: 'Ends a SCIM token of the directory that was made through the link.',
      params: Token.extend({ scim: z.string().max(40) }),
      async work(v, _f, params) {
        const id = parseId('sct', params.scim);
        if (!id || !v.link.directory) throw notATaskOfLink();
        await revokeScimToken(v.ctx, v.link.directory, id);
        return '/directory';
      },
      again: (v, problem) => directory(v, { problem }),
    }),
    visitShow({
      id: 'identity.idp_setup_seen_page',
      at: 'GET /idp-setup/:token/seen',
      task: undefined,
      says: 'Shows what has arrived from the identity provider; with watch it looks again by itself.',
      async shown(v, query) {
        const left = z.coerce
          .number()
          .int()
          .min(0)
          .max(WATCH_TIMES)
          .catch(0)
          .parse(query['watch'] ?? 0);
        return seenPage(v, { looked: await looked(v), tasks: tasksOf(v), left });
      },
    }),
  ];
}
