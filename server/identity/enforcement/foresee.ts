import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { takesNew } from '#domains/home.ts';
import { findUser, findUserByEmail } from '#org/user.sql.ts';
import { decide, highest } from '#provisioning/decide.ts';
import { freshSituation } from '#provisioning/fresh-situation.ts';
import { listAttributeGroups } from '#provisioning/group.sql.ts';
import { listFacts } from '#provisioning/person.sql.ts';
import { seatsLeft } from '#provisioning/seat.ts';
import { listSeatLimits } from '#provisioning/seat.sql.ts';
import { mappedGroups, rulesOf, situationOf, type Rules } from '#provisioning/settle-people.ts';
import { findSettings, listMappings, listOrgIds } from '#provisioning/settings.sql.ts';
import {
  doorWords,
  judgeAddress,
  saidGroups,
  tracedVerdicts,
  type SaidAtSignIn,
  type Verdict,
} from '#provisioning/sign-in.ts';
import { findAccount, noAccount, type Proved } from '../admit-identity.ts';
import { SignInRefused, refusal } from '../sign-in-refusal.ts';
import { cut, type Stage } from '../sign-in-trace.ts';
import { enforce } from './enforce.ts';
import { notThisWay } from './enforcement.ts';
import { listOfSignIns } from './foresee.sql.ts';

export type Foreseen = {
  /** `would_sign_in`, or the code of the refusal. */
  outcome: string;
  stages: Stage[];
  user: Id<'usr'> | undefined;
  verdicts: Verdict[];
};

/** What would become of a proved identity now: what admitIdentity asks, in its order, and nothing is written. */
export async function foresee(ctx: Ctx, p: Proved): Promise<Foreseen> {
  const said: SaidAtSignIn = { ...p.claims.said, connection: p.connection.id };
  const key = { connection: p.connection.id, issuer: p.claims.issuer, subject: p.claims.subject };
  const known = await ctx.db.read(scopeOf(ctx), (db) => findAccount(db, p, key));
  const verdicts: Verdict[] = [];
  for (const org of await ctx.db.read({ parent: ctx.parent }, listOrgIds)) {
    const scope = { parent: ctx.parent, org };
    verdicts.push(await ctx.db.read(scope, (db) => judge(db, scope, known?.user, said)));
  }
  const stages: Stage[] = [];
  try {
    await ctx.db.read(scopeOf(ctx), (db) => walk(db, p, { known, said, verdicts, stages }));
    return { outcome: 'would_sign_in', stages, user: known?.user, verdicts };
  } catch (e) {
    if (!(e instanceof SignInRefused)) throw e;
    const { stage, code, says, ...more } = e.refusal;
    stages.push({ stage, ok: false, code, says, ...definite(more) });
    return { outcome: code, stages, user: known?.user, verdicts };
  }
}

/** Without the parts that are undefined, as a stage wants it. */
const definite = (r: { fix?: string | undefined; found?: string | undefined; expected?: string | undefined }) => ({
  ...(r.fix === undefined ? {} : { fix: r.fix }),
  ...(r.found === undefined ? {} : { found: r.found }),
  ...(r.expected === undefined ? {} : { expected: r.expected }),
});

type Seen = {
  known: { user: Id<'usr'>; fresh: boolean } | undefined;
  said: SaidAtSignIn;
  verdicts: Verdict[];
  stages: Stage[];
};

async function walk(db: Reader, p: Proved, { known, said, verdicts, stages }: Seen): Promise<void> {
  const admitted = verdicts.some((v) => v.decision.admit);
  if (!known) {
    if (said.email === undefined || !admitted) throw noAccount(p, verdicts, said);
    // As in welcomeStranger: an address that an account has already opens none.
    if (await findUserByEmail(db, said.email)) throw noAccount(p);
    stages.push({ stage: 'link', ok: true, found: `an account would be made for ${said.email}` });
  } else {
    const user = await findUser(db, known.user);
    if (user?.state !== 'active')
      throw refusal('link', 'identity/suspended', {
        says: 'your account is suspended',
        found: `${known.user} is ${user?.state ?? 'missing'}`,
        expected: 'an active user',
      });
    stages.push({
      stage: 'link',
      ok: true,
      found: known.fresh ? `directory user with this externalId: ${known.user}` : `link to ${known.user}`,
    });
    const words = admitted ? undefined : doorWords(verdicts, said);
    if (words) throw refusal('provisioning', words.code, words);
    if (!admitted)
      throw refusal('provisioning', 'identity/no-organization', {
        says: `${p.connection.name} let you through, but no organization here has given you access yet`,
        found: `${known.user}: ${tracedVerdicts(verdicts)}`,
        expected: 'a membership, by hand or through a mapped group',
      });
  }
  stages.push({ stage: 'provisioning', ok: true, found: cut(tracedVerdicts(verdicts)) });
  const via = { kind: 'sso', connection: p.connection.id } as const;
  const judged = known ? await enforce(db, { user: known.user, via }) : undefined;
  if (judged?.kind === 'refused') throw notThisWay(judged.by, via);
  stages.push({ stage: 'enforcement', ok: true });
}

/** What one organization would make of the sign-in, with the groups as they would be noted before it decides. */
async function judge(
  db: Reader,
  { parent, org }: { parent: Id<'par'>; org: Id<'org'> },
  user: Id<'usr'> | undefined,
  said: SaidAtSignIn,
): Promise<Verdict> {
  const { rules, groups } = await withSaid(db, await rulesOf(db, await findSettings(db)), said);
  const { settings, mappings } = rules;
  const [facts] = user ? await listFacts(db, [user], mappedGroups(mappings)) : [];
  const limits = await listSeatLimits(db);
  const kept = facts ? facts.groups.filter((g) => !groups.replaced.has(g)) : [];
  const decision = decide(
    facts
      ? situationOf(
          rules,
          'login',
          { ...facts, groups: [...kept, ...groups.said] },
          { lastOwner: false, seatsLeft: seatsLeft(limits, facts.tier) },
        )
      : {
          ...freshSituation(settings.mode, 'login'),
          account: user ? 'active' : 'none',
          groups: groups.said,
          mappings,
          seatsLeft: seatsLeft(limits, highest(groups.said, mappings)?.tier ?? null),
          address: judgeAddress(said.email, settings.domains, await takesNew(db, parent, said.email)),
        },
  );
  const wanted = settings.mode.endsWith('_advanced')
    ? (await listMappings(db, settings)).map((m) => ('name' in m.by ? m.by.name : m.by.group))
    : [];
  return { org, orgName: settings.name, mode: settings.mode, decision, wanted };
}

/** The groups that the sign-in names; a name that nobody has seen yet counts where a mapping means it, as it would after being noted. */
async function withSaid(db: Reader, rules: Rules, said: SaidAtSignIn) {
  const seen = await listAttributeGroups(db, saidGroups(said));
  const names = said.groups === 'too_many' ? [] : said.groups;
  const unseen = new Map<Id<'map'>, Id<'grp'>>();
  if (rules.mappings.length > 0)
    for (const m of await listMappings(db, rules.settings)) {
      const stand = 'name' in m.by && names.includes(m.by.name) ? parseId('grp', `grp_${m.id.slice(4)}`) : undefined;
      if (stand) unseen.set(m.id, stand);
    }
  const mappings = rules.mappings.map((m) => {
    const stand = unseen.get(m.id);
    return stand ? { ...m, groups: [...m.groups, stand] } : m;
  });
  return {
    rules: { ...rules, mappings },
    groups: {
      said: [...seen, ...unseen.values()],
      replaced: new Set(await listOfSignIns(db, mappedGroups(rules.mappings))),
    },
  };
}
