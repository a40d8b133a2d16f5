import type { DomainNews, Herald } from '#domains/herald.ts';
import { challengeHost, challengeValue } from '#domains/challenge.ts';
import { checkDomain } from '#domains/check-domain.ts';
import type { Domain } from '#domains/domain.ts';
import { findDomain } from '#domains/domain.sql.ts';
import { stoppedClock } from '#kernel/clock.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { makeDns } from '#kernel/dns.ts';
import { newId, type Id } from '#kernel/id.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { DnsLab, type DnsZone } from './dns.ts';
import { testDb, type TestDb } from './test-db.ts';

/** A database, a clock that stands still, a name system of our own, and two parents that do not know of each other. */
export type DomainHouse = {
  t: TestDb;
  lab: DnsLab;
  zone: DnsZone;
  world: World;
  clock: ReturnType<typeof stoppedClock>;
  ours: Founded;
  theirs: Founded;
  /** What the herald was told, oldest first. */
  news: DomainNews[];
  herald: Herald;
  ctx(of?: Founded): OrgCtx;
  check(id: Id<'dom'>, of?: Founded): Promise<Domain>;
  read(id: Id<'dom'>, of?: Founded): Promise<Domain>;
  /** Puts the record of a domain into its zone. */
  prove(d: Domain, of?: Founded): void;
  /** Another organization of a parent. */
  org(name: string, of?: Founded): Promise<Id<'org'>>;
  /** An account, with roles in organizations. */
  person(email: string, places?: Record<Id<'org'>, string>, of?: Founded): Promise<Id<'usr'>>;
  events(type: string): Promise<{ log: string; data: Record<string, unknown> }[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function domainHouse(): Promise<DomainHouse> {
  const t = await testDb();
  const lab = await DnsLab.start();
  await lab.zone('example');
  const { zone } = await lab.zone('lamps.example');
  const clock = stoppedClock('2026-03-02T09:00:00Z');
  const world = await t.world({ clock, dns: makeDns(lab.options) });
  const found = (name: string): Promise<Founded> =>
    foundOrg(world, {
      parentName: name,
      orgName: `${name} HQ`,
      owner: { email: `o@${name}.example`, displayName: name },
    });
  const ours = await found('ours');
  const theirs = await found('theirs');
  const news: DomainNews[] = [];
  const herald: Herald = {
    tell(_tx, _ctx, n) {
      news.push(n);
      return Promise.resolve();
    },
  };
  const ctx = (of = ours): OrgCtx => ({ ...systemCtx(world, 'test', of), org: of.org });
  return {
    t,
    lab,
    zone,
    world,
    clock,
    ours,
    theirs,
    news,
    herald,
    ctx,
    check: async (id, of) => (await checkDomain(ctx(of), herald, id, false)).domain,
    async read(id, of = ours) {
      const d = await t.db.read({ parent: of.parent }, (db) => findDomain(db, id));
      if (!d) throw new Error(`no domain ${id}`);
      return d;
    },
    prove(d, of = ours) {
      zone.txt(challengeHost(d.name), challengeValue({ parent: of.parent, token: d.token }));
    },
    async org(name, of = ours) {
      const id = newId('org');
      await t.super(
        `insert into org (parent, id, name, surface, created_at) values ($1, $2, $3, 'workspace', now())`,
        of.parent,
        id,
        name,
      );
      return id;
    },
    async person(email, places = {}, of = ours) {
      const id = newId('usr');
      await t.super(
        `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $3, 'active', 'local', now())`,
        of.parent,
        id,
        email,
      );
      for (const [org, role] of Object.entries(places))
        await t.super(
          `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, $4, now())`,
          org,
          newId('mem'),
          id,
          role,
        );
      return id;
    },
    events: (type) => t.super(`select log, data from audit_inbox where header->>'type' = $1 order by arrived`, type),
    async [Symbol.asyncDispose]() {
      await lab.close();
      await t.close();
    },
  };
}
