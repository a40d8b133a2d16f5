import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { covers, readDestination, shownDestination, type Destination } from '@gatehouse/contract/tunnel/destination.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

/** A way into a network of the organization. */
export type Tunnel = {
  id: Id<'tun'>;
  name: string;
  /** What its agents may be asked to reach; the agents keep a list of their own. */
  destinations: readonly string[];
  /** Counts its secrets. */
  generation: number;
  rotated: Date;
  /** Until when the secret before the last one is good. */
  olderUntil: Date | undefined;
  /** How it stands as the log tells it. */
  told: 'online' | 'offline';
  lastSeen: Date | undefined;
  created: Date;
  revoked: Date | undefined;
};

/** An agent that is connected now, to a node that lives. What it says of itself is what it says. */
export type TunnelAgent = {
  id: Id<'tag'>;
  tunnel: Id<'tun'>;
  node: string;
  name: string;
  version: string;
  address: string;
  allow: readonly string[];
  generation: number;
  joined: Date;
};

/** More make nothing safer, and each is a connection that a node holds. */
export const MAX_AGENTS = 20;

/** A new secret: which tunnel it is of, and 32 random bytes behind a prefix that secret scanners can look for. */
export const newSecret = (id: Id<'tun'>): string => `ght_${id.slice(4)}_${randomBytes(32).toString('base64url')}`;

/** SHA-256; fast is enough, because nobody can guess 256 random bits. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Which tunnel a secret says that it is of; undefined: it has not the form of one. */
export function tunnelOf(secret: string): Id<'tun'> | undefined {
  const found = /^ght_([0-9a-f]{32})_[A-Za-z0-9_-]{43}$/.exec(secret);
  return found ? parseId('tun', `tun_${found[1]}`) : undefined;
}

export type Hashes = { generation: number; hash: Buffer; olderHash: Buffer | undefined; olderUntil: Date | undefined };

/** The generation of a secret that is good now; undefined: it is none of this tunnel, or its time is over. Takes as long for one as for another. */
export function generationOf(secret: string, t: Hashes, now: Date): number | undefined {
  const given = hashSecret(secret);
  const newest = timingSafeEqual(given, t.hash);
  const older = timingSafeEqual(given, t.olderHash ?? t.hash) && t.olderUntil !== undefined && t.olderUntil > now;
  return newest ? t.generation : older ? t.generation - 1 : undefined;
}

/** Whether who showed a secret of this generation may stay, and until when; undefined: for good. False: no more. */
export function staysUntil(
  t: Pick<Tunnel, 'generation' | 'olderUntil' | 'revoked'>,
  generation: number,
  now: Date,
): Date | undefined | false {
  if (t.revoked) return false;
  if (generation === t.generation) return undefined;
  return generation === t.generation - 1 && t.olderUntil !== undefined && t.olderUntil > now ? t.olderUntil : false;
}

/** Destinations as an administrator gave them, each written in the one way, each once. */
export function readDestinations(given: readonly string[]): string[] {
  const read = given.map((text) => {
    const d = readDestination(text);
    if ('wrong' in d)
      throw new Problem('invalid', 'tunnels/destination', {
        says: `${JSON.stringify(text.slice(0, 200))} is no destination: ${d.wrong}`,
        fix: 'give an address such as http://crm.internal:8080, with the beginning of a path if only that may be reached',
      });
    return shownDestination(d);
  });
  return [...new Set(read)];
}

/** Whether one of these destinations has the address in it. What does not read as one has nothing in it. */
export const reaches = (destinations: readonly string[], url: URL): boolean =>
  destinations.map(readDestination).some((d): d is Destination => !('wrong' in d) && covers(d, url));

export const noTunnel = (id: string): Problem =>
  new Problem('missing', 'tunnels/no-tunnel', { says: `there is no tunnel ${id} in this organization` });

/** Nothing more is done with a tunnel that was revoked. */
export const isRevoked = (t: Pick<Tunnel, 'name'>): Problem =>
  new Problem('conflict', 'tunnels/revoked', {
    says: `the tunnel “${t.name}” was revoked, and that is for good`,
    fix: 'make a new tunnel, start its agents with the new secret, and move the connectors to it',
  });

/** Refuses an address that the tunnel is not for. */
export function checkReaches(t: Pick<Tunnel, 'name' | 'destinations' | 'revoked'>, url: URL): void {
  if (t.revoked) throw isRevoked(t);
  if (!reaches(t.destinations, url))
    throw new Problem('conflict', 'tunnels/not-a-destination', {
      says: `${url.origin}${url.pathname} is no destination of the tunnel “${t.name}”; it has: ${t.destinations.join(', ')}`,
      fix: `add ${url.origin} to the destinations of the tunnel, and start its agents with --allow ${url.origin}`,
    });
}
