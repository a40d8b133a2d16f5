import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import type { Reader, Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { notify } from '#notify/notify.ts';
import { listActiveOfRoles } from '#org/member.sql.ts';
import { rolesWith } from '#org/roles.ts';
import type { Connection } from '#vault/connection.ts';
import type { Place } from '#vault/renewal.ts';
import type { Vault } from '#vault/vault.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import { AHEAD_MS, endsOf, failed, stepOf, wantsRenewal, type Check, type Clock } from './connection-health.ts';
import { connectionEvents } from './connections.events.ts';
import { MANY_WITHIN_MS } from './connection-words.ts';
import { checkAccounts } from './check-accounts.ts';
import {
  countFailed,
  endTrouble,
  insertAlert,
  listChecks,
  listWatched,
  listWatchedApps,
  type Alert,
  type Listed,
} from './connections.sql.ts';

export type Watching = {
  vault: Pick<Vault, 'keepAlive'>;
  siteOf: SiteOf;
  /** Looks at an account with one call; throws what is wrong with it. Undefined: nobody can look (its connector is off). */
  look(at: Place, connection: Connection): Promise<'seen' | undefined>;
  /** Between a look that failed and the one after it. */
  pauseMs?: number;
};

/** One round of an organization: renews what would end unused, looks at its accounts once a day, and tells people what needs them. */
export async function watchConnections(world: World, w: Watching, at: Place): Promise<void> {
  await keepAlive(world, w, at);
  await checkAccounts(world, w, at);
  await tellTroubles(world, w, at);
}

/** Whether the vendor gives a new end with each renewal; asked once per connector. */
const rotating = (siteOf: SiteOf) => {
  const known = new Map<Id<'con'>, Promise<boolean>>();
  return (db: Reader, connector: Id<'con'>): Promise<boolean> => {
    const asked =
      known.get(connector) ??
      siteOf(db, connector).then((s) => (s?.auth.oauth?.lifetimes.rotation ?? 'same') !== 'same');
    known.set(connector, asked);
    return asked;
  };
};

async function keepAlive(world: World, { vault, siteOf }: Watching, at: Place): Promise<void> {
  const now = world.now();
  const due = await world.db.read(at, async (db) => {
    const rotates = rotating(siteOf);
    const wanted: Id<'cnn'>[] = [];
    for (const { connection } of await listWatched(db, now, new Date(now.getTime() + AHEAD_MS)))
      if (wantsRenewal({ connection, rotates: await rotates(db, connection.connector) }, now))
        wanted.push(connection.id);
    return wanted;
  });
  for (const id of due)
    await vault.keepAlive(at, id).catch((err: unknown) => {
      // The vault has written down how it stands; people are told below.
      world.log.warn({ err, connection: id }, 'a connection could not be renewed ahead of its end');
    });
}

/** So many of a connector at once, and so large a part of them, are not each person's own trouble. */
const MANY = 5;
const MANY_PART = 0.2;

type Found = Alert & { connector: Id<'con'>; person?: Id<'usr'> | undefined };

async function tellTroubles(world: World, { siteOf }: Watching, at: Place): Promise<void> {
  const ctx: OrgCtx = { ...systemCtx(world, 'connections.watch', at), org: at.org };
  const { now } = ctx;
  const by = new Date(now.getTime() + AHEAD_MS);
  await change(ctx, async (tx) => {
    const digest = newId('msg', now.getTime());
    const events: AuditEvent[] = [];
    const rotates = rotating(siteOf);
    const watched = await listWatched(tx, now, by);
    const checks = await listChecks(
      tx,
      watched.map((l) => l.connection.id),
    );
    const over = async (about: Alert['about'], connector: Id<'con'>, clock: 'failed' | 'check'): Promise<void> => {
      if ((await endTrouble(tx, about, clock, now, digest)) > 0)
        events.push(event(connectionEvents, 'connection.trouble_over', { about, connector, clock }));
    };
    const tell = async (f: Found): Promise<boolean> => {
      const { about, clock, ends, step, connector, person } = f;
      if ((await insertAlert(tx, { about, clock, ends, step }, now, digest)) === 0) return false;
      if (person && about.startsWith('cnn_')) await tellPerson(tx, ctx, f, person);
      const data = { about, connector, clock, step, ends: ends.toISOString(), person: person !== undefined };
      events.push(event(connectionEvents, 'connection.alerted', data));
      return true;
    };
    const broke = new Set<Id<'con'>>();
    for (const l of watched) {
      const { connection: c } = l;
      const check = checks.get(c.id)?.check;
      for (const f of troublesOf(l, check, await rotates(tx, c.connector), now))
        if ((await tell(f)) && f.clock === 'failed') broke.add(c.connector);
      if (!failed(c)) await over(c.id, c.connector, 'failed');
      if (check && !check.trouble) await over(c.id, c.connector, 'check');
    }
    for (const a of await listWatchedApps(tx, by)) {
      const step = a.ends ? stepOf(a.ends, now) : undefined;
      const about = { about: a.connector, connector: a.connector };
      if (a.ends && step !== undefined) await tell({ ...about, clock: 'app', ends: a.ends, step });
      if (a.failingSince) await tell({ ...about, clock: 'failed', ends: a.failingSince, step: 0 });
      else await over(a.connector, a.connector, 'failed');
    }
    for (const connector of broke) {
      const n = await countFailed(tx, connector, new Date(now.getTime() - MANY_WITHIN_MS));
      if (n.failed < MANY || n.failed < MANY_PART * n.live) continue;
      // At most once a day: it goes on for as long as people come to it.
      const ends = new Date(`${now.toISOString().slice(0, 10)}T23:59:59Z`);
      await tell({ about: connector, connector, clock: 'many', ends, step: 0 });
    }
    const [first, ...rest] = events;
    if (!first) return { value: undefined, unchanged: true };
    const admins = await listActiveOfRoles(tx, rolesWith('connector.manage'));
    await notify(tx, ctx, { to: admins.map((a) => a.user), about: { kind: 'connections_digest', digest } });
    return { value: undefined, events: [first, ...rest] };
  });
}

/** What is to be told of one connection now; `insertAlert` keeps it from being told twice. */
function troublesOf(l: Listed, check: Check | undefined, rotates: boolean, now: Date): Found[] {
  const { connection: c } = l;
  const of = { about: c.id, connector: c.connector, person: l.person?.user };
  if (failed(c)) return [{ ...of, clock: 'failed', ends: now, step: 0 }];
  if (check?.trouble) return [{ ...of, clock: 'check', ends: now, step: 0 }];
  return endsOf({ connection: c, rotates }, now).flatMap((e): Found[] => {
    const step = stepOf(e.at, now);
    return step === undefined ? [] : [{ ...of, clock: e.clock, ends: e.at, step }];
  });
}

async function tellPerson(tx: Tx, ctx: OrgCtx, f: Found, person: Id<'usr'>): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- told by its prefix
  const connection = f.about as Id<'cnn'>;
  const ending = (clock: Found['clock']): clock is Exclude<Clock, 'app'> =>
    clock === 'refresh' || clock === 'idle' || clock === 'given';
  const about = ending(f.clock)
    ? ({ kind: 'connection_ending', connection, clock: f.clock, days: f.step } as const)
    : ({ kind: 'connection_failed', connection } as const);
  await notify(tx, ctx, { to: [person], about });
}
