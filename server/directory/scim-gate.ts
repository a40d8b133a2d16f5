import type { Admission } from './admission.ts';
import type { Gate } from '#kernel/operation.ts';
import type { World } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { scimTokenHash, type ScimCtx } from './directory.ts';
import { resourcesOf } from './directory-settings.ts';
import { lookupScimToken } from './directory.sql.ts';
import { callNotes, type CallNotes } from './note-calls.ts';
import { newCall } from './scim-journal.ts';
import { rateLimit } from './scim-limit.ts';

const refused = (says: string, because: string): Problem =>
  new Problem('unauthenticated', 'directory/token', {
    says,
    fix: 'send "Authorization: Bearer ghs_…" with a token of this directory; an administrator makes one',
    because,
  });

const unknown = (because: string): Problem => refused('the bearer token is not one of this directory', because);

/** The scope of somebody who is nowhere: the form of an id, and no row has it. */
const nowhere = parseId('par', `par_${'0'.repeat(32)}`);

/** Who a request turned out to be of, for the dialect, which notes its refusal. Gone with the request. */
const callers = new WeakMap<Request, ScimCtx>();
export const callerOf = (raw: Request): ScimCtx | undefined => callers.get(raw);

/** What of an address lies below the directory, with the query. */
const below = (url: string): string => {
  const { pathname, search } = new URL(url);
  return `/${pathname.split('/').slice(4).join('/')}${search}`;
};

/**
 * Lets in who has a live token of the directory in the path. The token says which directory it is; the path must agree. The token endpoint
 * lets anybody in: who they are is what it asks.
 */
export function scimGate(world: World, admission: Admission, notes: CallNotes = callNotes(world)): Gate {
  const limit = rateLimit();
  return async (c, op, request) => {
    const now = world.now();
    const { now: _clock, ...rest } = world;
    if (op.can === 'public' && nowhere)
      return { ...rest, actor: { kind: 'nobody' }, parent: nowhere, org: undefined, now, request };
    const header = c.req.header('authorization');
    if (header === undefined) throw refused('there is no Authorization header', 'no header');
    const token = /^bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) throw refused('the Authorization header is not "Bearer" and a token', 'not bearer');
    if (!/^ghs_[\w-]{43}$/.test(token)) throw unknown('form');
    const found = await lookupScimToken(world.db, scimTokenHash(token), now);
    // The same words for a token that nobody has and one of another directory: neither says whether the directory exists.
    if (!found) throw unknown('no such token');
    const { directory, parent, org, settings } = found;
    if (directory !== c.req.param('directory')) throw unknown('another directory');
    // From here on the caller has proved to own the token, so the truth helps and harms nobody.
    limit(directory, settings.rate, now);
    const ctx: ScimCtx = {
      ...rest,
      actor: { kind: 'scim', id: found.id, directory },
      parent,
      org,
      now,
      request,
      directory,
      admission,
      settings,
      resources: resourcesOf(settings.extensions),
      call: newCall({
        method: c.req.method,
        path: below(c.req.url),
        bytes: Number(c.req.header('content-length') ?? 0),
        note: (entry) => notes.note({ parent, org, directory }, entry),
      }),
    };
    callers.set(c.req.raw, ctx);
    if (found.revoked) throw refused(`this token was revoked at ${found.revoked.toISOString()}`, 'revoked');
    if (found.expires <= now) throw refused(`this token expired at ${found.expires.toISOString()}`, 'expired');
    if (found.state === 'paused')
      throw new Problem('forbidden', 'directory/paused', {
        says: 'this directory is paused; nothing was changed',
        fix: 'an administrator can resume it',
      });
    return ctx;
  };
}
