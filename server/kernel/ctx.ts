import type { Db, Scope } from './db.ts';
import type { Dns } from './dns.ts';
import type { Egress } from './egress.ts';
import type { Id } from './id.ts';
import type { Log } from './log.ts';
import type { Seal } from './seal.ts';
import type { Versions } from './versions.ts';

/** Who acts. Written into every audit event, so it has ids only. */
export type Actor =
  | { kind: 'user'; id: Id<'usr'>; session: Id<'ses'> }
  /** An agent that acts for a member with a token of ours; `client` is the OAuth client id, `grant` the consent it stands on. */
  | { kind: 'agent'; id: Id<'usr'>; member: Id<'mem'>; client: string; grant: string }
  | { kind: 'api_key'; id: Id<'key'> }
  | { kind: 'scim'; id: Id<'sct'>; directory: Id<'dir'> }
  | { kind: 'system'; id: string }
  | { kind: 'nobody' };

/** What a process has one of: everything that an operation may use beside who and where it is. Tests replace the clock and the far ends, nothing else. */
export type World = {
  readonly db: Db;
  readonly log: Log;
  readonly seal: Seal;
  readonly egress: Egress;
  readonly dns: Dns;
  /** Says when something of a parent or an org changed. Absent where nobody listens (jobs, most tests): who waits for a change looks for it. */
  readonly versions?: Versions | undefined;
  /** Public origin without trailing slash, e.g. `https://gatehouse.example`. */
  readonly origin: string;
  /** Addresses (CIDRs) of proxies whose X-Forwarded-For is believed; none where it is absent. */
  readonly trustedProxies?: readonly string[] | undefined;
  now(): Date;
};

/** Everything one operation may use. Pure code takes the one field it needs, never the Ctx. */
export type Ctx = Omit<World, 'now'> & {
  readonly actor: Actor;
  readonly parent: Id<'par'>;
  readonly org: Id<'org'> | undefined;
  /** Where the request came from, as far as we believe it (client-address.ts); absent for what is no request. */
  readonly address?: string | undefined;
  /** One instant for the whole operation. */
  readonly now: Date;
  /** Correlates log lines, events and the answer's `request-id` header. */
  readonly request: string;
};

/** A Ctx of an operation inside one organization. */
export type OrgCtx = Ctx & { readonly org: Id<'org'> };

/** The part of a Ctx that row-level security compares with. */
export const scopeOf = (ctx: Ctx): Scope => ({ parent: ctx.parent, org: ctx.org });

/** A Ctx for work that nobody asked for: jobs, reactions, start-up. */
export function systemCtx(world: World, job: string, scope: { parent: Id<'par'>; org?: Id<'org'> | undefined }): Ctx {
  const { now, ...rest } = world;
  return {
    ...rest,
    actor: { kind: 'system', id: job },
    parent: scope.parent,
    org: scope.org,
    now: now(),
    request: job,
  };
}
