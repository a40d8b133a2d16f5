import { sha256 } from '@gatehouse/contract/sha256.ts';
import { z } from 'zod';
import type { Params } from '../message.ts';
import type { Place } from '../org-view.ts';
import type { Carried } from './carried.ts';

/** A session at a server of an older revision, held for one person's agent and used by whichever node serves it. */
const OlderSession = z.object({
  /** Undefined: the server keeps none. */
  id: z.string().optional(),
  version: z.string(),
  capabilities: z.record(z.string(), z.unknown()),
  serverInfo: z.unknown(),
  instructions: z.string().optional(),
  /** What the client can do, as the server was told: another client needs another session. */
  client: z.string(),
});
export type OlderSession = z.infer<typeof OlderSession>;

/** Whose session it is. INVARIANT: no two people, and no two agents of one person, share one. */
export type SessionOwner = { place: Place; member: string; client: string; connector: string };

/** As long as a client's own session would live here. */
const SESSION_MS = 12 * 60 * 60_000;
/** Known here without asking; a lost one is noticed by its 404. */
const KNOWN_MS = 60_000;
const MAX_KNOWN = 10_000;

export type OlderSessions = {
  /** The session of this owner, made by `greet` where there is none. `lost` is one that the server does not know any more. */
  get(
    owner: SessionOwner,
    capabilities: Params,
    greet: () => Promise<OlderSession>,
    lost?: OlderSession,
  ): Promise<OlderSession>;
};

export function olderSessions(carried: Carried): OlderSessions {
  const known = new Map<string, { at: number; session: Promise<OlderSession> }>();
  return {
    async get(owner, capabilities, greet, lost) {
      const client = sha256(JSON.stringify(capabilities)).toString('hex').slice(0, 16);
      const key = `session/${sha256(JSON.stringify([owner.member, owner.client, owner.connector, client])).toString('hex')}`;
      const here = known.get(`${owner.place.org}/${key}`);
      if (here && performance.now() - here.at < KNOWN_MS) {
        const session = await here.session.catch(() => undefined);
        if (session && session.id !== lost?.id) return session;
        if (session && !lost) return session;
      }
      const making = (async (): Promise<OlderSession> => {
        const found = OlderSession.safeParse(await carried.find(owner.place, key));
        if (found.success && (!lost || found.data.id !== lost.id)) return found.data;
        const made = { ...(await greet()), client };
        if (lost || found.success) {
          await carried.replace(owner.place, key, made, SESSION_MS);
          return made;
        }
        if (await carried.leave(owner.place, key, made, SESSION_MS)) return made;
        // Another node was first: one session is enough.
        const theirs = OlderSession.safeParse(await carried.find(owner.place, key));
        return theirs.success ? theirs.data : made;
      })();
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(`${owner.place.org}/${key}`, { at: performance.now(), session: making });
      making.catch(() => known.delete(`${owner.place.org}/${key}`));
      return making;
    },
  };
}
