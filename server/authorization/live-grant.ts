import type { World } from '#kernel/ctx.ts';
import type { Versions } from '#kernel/versions.ts';
import { lookupLiveGrant, type LiveGrant } from './live-grant.sql.ts';
import { listPublicKeys } from './signing-key.sql.ts';
import { TokenKeys, type AccessToken } from './verify-access-token.ts';

export type { LiveGrant };

/** Consents kept as alive; one is half a KiB. */
const MAX_KEPT = 20_000;

/** What a process keeps to judge access tokens. */
export type Verifier = {
  keys: TokenKeys;
  /** The person behind a token, as they are now; undefined: consent, membership or account is gone, or not the token's. */
  liveGrant(token: AccessToken): Promise<LiveGrant | undefined>;
};

/** One per process. The ordinary role `gatehouse_app` is enough: public keys and one lookup are all it reads. */
export function openVerifier(world: Pick<World, 'db' | 'now'>, versions: Pick<Versions, 'stamp'>): Verifier {
  const { db } = world;
  const kept = new Map<string, { stamp: string; live: LiveGrant }>();

  const stampOf = (live: LiveGrant): string | undefined => {
    const [org, parent] = [versions.stamp(live.org), versions.stamp(live.parent)];
    return org === undefined || parent === undefined ? undefined : `${org}.${parent}`;
  };
  const look = (token: AccessToken): Promise<LiveGrant | undefined> =>
    db.lookup(lookupLiveGrant(token.grant, world.now()));

  return {
    keys: new TokenKeys(
      () => db.read({}, listPublicKeys),
      () => world.now(),
    ),
    async liveGrant(token) {
      const known = kept.get(token.grant);
      if (known && stampOf(known.live) === known.stamp) return matches(known.live, token);
      kept.delete(token.grant);
      const about = known?.live ?? (await look(token));
      if (!about) return undefined;
      // The stamp is taken before the row is read, or a change between the two would be missed for good.
      const stamp = stampOf(about);
      const live = await look(token);
      if (live && stamp !== undefined) {
        if (kept.size >= MAX_KEPT) for (const oldest of kept.keys().take(MAX_KEPT / 10)) kept.delete(oldest);
        kept.set(token.grant, { stamp, live });
      }
      return live && matches(live, token);
    },
  };
}

const matches = (live: LiveGrant, token: AccessToken): LiveGrant | undefined =>
  live.member === token.member && live.org === token.org && live.client === token.client ? live : undefined;

/** Whether the consent behind a token lives, its person is still a member, and the account is not suspended. Late by at most a second. */
export async function grantIsLive(verifier: Verifier, token: AccessToken): Promise<boolean> {
  return (await verifier.liveGrant(token)) !== undefined;
}
