import type { Gate } from '#kernel/operation.ts';
import type { World } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { scimTokenHash } from './directory.ts';
import { lookupScimToken } from './directory.sql.ts';

const refused = (says: string, because: string): Problem =>
  new Problem('unauthenticated', 'directory/token', {
    says,
    fix: 'send "Authorization: Bearer ghs_…" with a token of this directory; an administrator makes one',
    because,
  });

const unknown = (because: string): Problem => refused('the bearer token is not one of this directory', because);

/** Lets in who has a live token of the directory in the path. The token says which directory it is; the path must agree. */
export function scimGate(world: World): Gate {
  return async (c, _op, request) => {
    const header = c.req.header('authorization');
    if (header === undefined) throw refused('there is no Authorization header', 'no header');
    const token = /^bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) throw refused('the Authorization header is not "Bearer" and a token', 'not bearer');
    if (!/^ghs_[\w-]{43}$/.test(token)) throw unknown('form');
    const now = world.now();
    const found = await lookupScimToken(world.db, scimTokenHash(token), now);
    // The same words for a token that nobody has and one of another directory: neither says whether the directory exists.
    if (!found) throw unknown('no such token');
    if (found.directory !== c.req.param('directory')) throw unknown('another directory');
    // From here on the caller has proved to own the token, so the truth helps and harms nobody.
    if (found.revoked) throw refused(`this token was revoked at ${found.revoked.toISOString()}`, 'revoked');
    if (found.expires <= now) throw refused(`this token expired at ${found.expires.toISOString()}`, 'expired');
    if (found.state === 'paused')
      throw new Problem('forbidden', 'directory/paused', {
        says: 'this directory is paused; nothing was changed',
        fix: 'an administrator can resume it',
      });
    const { now: _clock, ...rest } = world;
    return {
      ...rest,
      actor: { kind: 'scim', id: found.id, directory: found.directory },
      parent: found.parent,
      org: found.org,
      now,
      request,
    };
  };
}
