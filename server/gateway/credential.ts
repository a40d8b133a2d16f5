import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import { askMoreScope } from '#connectors/discovery/ask-more-scope.ts';
import { readChallenge } from '#connectors/discovery/challenge.ts';
import type { Unlock } from '#connectors/kit/vendor-client.ts';
import { findLiveConnection } from '#vault/connection.sql.ts';
import { noCredential, type Credentials } from '#vault/credentials.ts';
import type { Caller } from './caller.ts';
import type { ConnectorView } from './org-view.ts';
import type { Failure } from './tool-call.ts';
import { Broken, sendUpstream, type Sender, type Sending, type UpstreamRequest } from './upstream.ts';

/** Whose account a call uses, and how it is opened. */
export type Opening = {
  ctx: Pick<OrgCtx, 'db'>;
  caller: Caller;
  connector: Pick<ConnectorView, 'id' | 'name' | 'actAs'>;
  credentials: Credentials;
  /** Whether the call changes something. */
  writes: boolean;
};

/**
 * Opens the credential of this call. INVARIANT (whose account): it follows from the connector and from who calls, as Gatehouse knows him, and from
 * nothing that he sends; where there is none, none of another person takes its place. What a person connected for reading changes nothing, also where
 * the vendor's scopes do not tell the two apart. Nothing of it is remembered here.
 */
export const unlockFor =
  ({ ctx, caller, connector, credentials, writes }: Opening): Unlock =>
  async (refused, narrow) => {
    // A system that asks for nobody is given nothing.
    if (connector.actAs === 'none') return noCredential;
    const place = { parent: caller.parent, org: caller.org };
    const owner = connector.actAs === 'person' ? caller.member : 'organization';
    const found = await ctx.db.read(place, (db) => findLiveConnection(db, connector.id, owner));
    if (!found) throw none();
    if (writes && found.owner.kind === 'person' && found.access === 'read_only')
      throw new Problem('forbidden', 'connectors/missing-scope', {
        says: `your account at ${connector.name} is connected for reading only, and this tool changes something there`,
        fix: 'connect again and let it write, too',
      });
    return credentials.unlock(place, {
      connection: found.id,
      refused,
      narrow,
      ...(connector.actAs === 'organization_as_person' ? { subject: caller.email } : {}),
    });
  };

const none = (): Problem => new Problem('missing', 'vault/no-connection', { says: 'there is no connection' });

/** Where a person connects an account of theirs. */
export const connectUrl = (origin: string, connector: ConnectorView['id']): string =>
  `${origin}/connections/start/${connector}`;

const failures: Readonly<Record<string, Failure>> = {
  'vault/no-connection': 'not_connected',
  'vault/reconnect': 'reconnect',
  'connectors/missing-scope': 'reconnect',
  'vault/app': 'app',
  'vault/later': 'later',
};

/** Why there is no credential, with where to get one; undefined: it is something else that went wrong. */
export function asNoCredential(
  e: unknown,
  connector: Pick<ConnectorView, 'id' | 'name' | 'actAs'>,
  origin: string,
): Broken | undefined {
  const why = e instanceof Problem ? failures[e.code] : undefined;
  if (!(e instanceof Problem) || why === undefined) return undefined;
  const { name, actAs } = connector;
  const link = connectUrl(origin, connector.id);
  if (why === 'not_connected')
    return actAs === 'person'
      ? new Broken(why, `you have not connected your account at ${name}; connect it at ${link}`, e)
      : new Broken(why, `${name} has no account of this organization yet; an administrator must give it one`, e);
  if (why === 'reconnect')
    return new Broken(
      why,
      actAs === 'person'
        ? `${e.says}; connect your account again at ${link}`
        : `${e.says}; an administrator must renew the account of this organization`,
      e,
    );
  return new Broken(why, e.fix === undefined ? e.says : `${e.says}; ${e.fix}`, e);
}

/** Marks an answer of 401 that nobody else is to see. */
class TurnedAway extends Error {}

/** A server that takes the credential and wants more of it for this (RFC 6750 §3.1). */
class TooSmall extends Error {
  readonly scopes: readonly string[];
  constructor(scopes: readonly string[]) {
    super('insufficient_scope');
    this.scopes = scopes;
  }
}

/** What comes of a server that asks for more than the credential may do. */
export type AskMore = (scopes: readonly string[]) => Promise<Broken>;

/**
 * Writes down what a server asks for beyond the caller's connection, so that the next consent asks the person for it, and tells where that is. INVARIANT
 * (whose account): it is the caller's own connection that may grow, by a yes of its owner and by nothing that the server says.
 */
export const askMoreFor =
  ({ ctx, caller, connector }: Pick<Opening, 'caller' | 'connector'> & { ctx: OrgCtx }, origin: string): AskMore =>
  async (scopes) => {
    const { name, actAs } = connector;
    const wanted = visible(scopes.join(' ')).slice(0, 300);
    const connection =
      actAs === 'person'
        ? await ctx.db.read({ parent: caller.parent, org: caller.org }, (db) =>
            findLiveConnection(db, connector.id, caller.member),
          )
        : undefined;
    if (!connection)
      return new Broken(
        'app',
        `${name} asks for more than the organization's account may do there (${wanted}); an administrator must give it an account with that`,
      );
    const more = await askMoreScope(ctx, connection.id, scopes);
    return more.kind === 'consent'
      ? new Broken(
          'reconnect',
          `${name} asks for more than you agreed to (${wanted}); agree to it at ${connectUrl(origin, connector.id)}, then call again`,
        )
      : new Broken(
          'credential_refused',
          `${name} refuses this although your account there has what it asks for (${wanted}), or it was asked for in vain`,
        );
  };

/**
 * Sends with a credential of the vault. INVARIANT (a 401 was not acted on): an upstream that turns the credential away has done nothing, so the
 * request goes once more, with a credential that was renewed for it; after any other answer, and after half of one, nothing is sent again.
 */
export function withCredential(
  unlock: Unlock,
  connector: Pick<ConnectorView, 'id' | 'name' | 'actAs'>,
  origin: string,
  more?: AskMore,
  via: Sender = sendUpstream,
): Sender {
  const { actAs } = connector;
  return (request, sink) => {
    let current: Sending | undefined;
    let stopped: Error | undefined;
    const send = async (bearer: UpstreamRequest['bearer'], last: boolean): Promise<boolean> => {
      if (stopped) throw stopped;
      let away = false;
      current = via(
        { ...request, bearer },
        {
          head(status, headers) {
            if (status === 401 && !last) {
              away = true;
              throw new TurnedAway();
            }
            if (status === 401) throw refusedAnew(actAs);
            const challenge = status === 403 && more ? readChallenge(headers['www-authenticate']) : undefined;
            if (challenge?.error === 'insufficient_scope' && challenge.scopes && challenge.scopes.length > 0)
              throw new TooSmall(challenge.scopes);
            sink.head(status, headers);
          },
          data: (chunk) => sink.data(chunk),
        },
      );
      await current.done.catch((e: unknown) => {
        if (!away) throw e;
      });
      return !away;
    };
    const done = (async (): Promise<void> => {
      const first = (await unlock()).token;
      if (await send(first, false)) return;
      const next = (await unlock(first)).token;
      if (next.reveal() === first.reveal()) throw refusedAnew(actAs);
      await send(next, true);
    })().catch(async (e: unknown) => {
      if (e instanceof TooSmall && more) throw await more(e.scopes);
      throw asNoCredential(e, connector, origin) ?? e;
    });
    return {
      done,
      resume: () => current?.resume(),
      abort(why) {
        stopped ??= why;
        current?.abort(why);
      },
    };
  };
}

const refusedAnew = (actAs: ConnectorView['actAs']): Broken =>
  new Broken(
    'credential_refused',
    actAs === 'person'
      ? 'the connector refused your credential, also after it was renewed; connect your account again'
      : "the connector refused the organization's credential, also after it was renewed; an administrator must renew it",
  );
