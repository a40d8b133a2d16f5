import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { MemberRole } from '#org/member.ts';
import { decide } from '#provisioning/decide.ts';
import { listActiveOwners, listFacts } from '#provisioning/person.sql.ts';
import { seatsLeft } from '#provisioning/seat.ts';
import { listSeatLimits } from '#provisioning/seat.sql.ts';
import { mappedGroups, rulesOf, situationOf } from '#provisioning/settle-people.ts';
import { findSettings } from '#provisioning/settings.sql.ts';
import type { Enforcement } from './enforcement.ts';
import {
  countVerdicts,
  failingCode,
  predict,
  previewHash,
  PROOF_MS,
  type Counts,
  type Prediction,
  type WayIn,
} from './simulation.ts';
import { listEvidence, listStage, listWays } from './simulation.sql.ts';

const DAY_MS = 86_400_000;
const PAGE = 500;

export type PersonPrediction = Prediction & {
  user: Id<'usr'>;
  email: string;
  displayName: string;
  role: MemberRole;
  breakGlass: boolean;
  /** The stage would take the person in; the others stay as they are until it does. */
  touched: boolean;
  provedAt: Date | null;
  otherwiseAt: Date | null;
};

export type Simulation = { hash: string; counts: Counts; ways: WayIn[]; people: PersonPrediction[] };

/**
 * What would become of every active member if the organization enforced so now, from the last 30 days. The answer is for all of them, also
 * those whom a stage does not take in yet, because a stage is on its way to all. Reads only; in a transaction it sees that transaction.
 */
export async function simulate(db: Reader, ctx: Pick<OrgCtx, 'org' | 'now'>, wanted: Enforcement): Promise<Simulation> {
  const { now } = ctx;
  const since = new Date(now.getTime() - PROOF_MS);
  const found = await listWays(db, wanted.connections, new Date(now.getTime() - DAY_MS));
  const ways = found.map(({ outcomes, ...w }): WayIn => ({ ...w, failing: failingCode(outcomes) }));
  const counting = ways.map((w) => w.id);
  const rules = await rulesOf(db, await findSettings(db));
  const mapped = mappedGroups(rules.mappings);
  const limits = await listSeatLimits(db);
  const owners = await listActiveOwners(db);
  const people: PersonPrediction[] = [];
  for (let after = ''; ;) {
    const page = await listStage(db, wanted, { after, limit: PAGE });
    const last = page.at(-1);
    if (!last) break;
    after = last.user;
    const users = page.map((p) => p.user);
    const evidence = new Map((await listEvidence(db, users, counting, since)).map((e) => [e.user, e]));
    const staged = new Map(page.map((p) => [p.user, p]));
    for (const f of await listFacts(db, users, mapped)) {
      const e = evidence.get(f.user);
      const stage = staged.get(f.user);
      if (!e || !stage || f.role === null) continue;
      const { touched, breakGlass } = stage;
      const left = seatsLeft(limits, f.tier);
      const waiting = limits
        .filter((l) => l.tier === '*' || l.tier === f.tier)
        .some((l) => l.waiting > l.seats - l.taken);
      const decision = decide(
        situationOf(rules, 'login', f, { lastOwner: owners.length === 1 && owners[0] === f.user, seatsLeft: left }),
      );
      const facts = {
        ...e,
        email: f.email,
        displayName: f.displayName,
        role: f.role,
        breakGlass,
        mode: rules.settings.mode,
        decision,
        seatsShort:
          f.activatedAt === null && left !== 'no_limit' && waiting && f.role !== 'primary_owner' && !f.breakGlass,
        touched,
      };
      people.push({
        ...predict(facts, ways, now),
        user: f.user,
        email: f.email,
        displayName: f.displayName,
        role: f.role,
        breakGlass,
        touched,
        provedAt: e.provedAt,
        otherwiseAt: e.otherwiseAt,
      });
    }
    if (page.length < PAGE) break;
  }
  return { hash: previewHash(ctx.org, wanted, people), counts: countVerdicts(people), ways, people };
}
