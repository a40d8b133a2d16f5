import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { decide, type Decision } from './decide.ts';
import { noPerson } from './exempt-person.ts';
import { listGroupNamesOf } from './group.sql.ts';
import { listActiveOwners, listFacts, type Facts } from './person.sql.ts';
import { seatsLeft } from './seat.ts';
import { listSeatLimits } from './seat.sql.ts';
import { mappedGroups, rulesOf, situationOf } from './settle-people.ts';
import { findSettings } from './settings.sql.ts';
import type { Mode } from './mode.ts';

export type Explanation = { facts: Facts; mode: Mode; groups: string[]; signIn: Decision; sync: Decision };

/** Why a person is in or out: what is known, and what the next sign-in and the next sync would do. Changes nothing. */
export const explainPerson = (ctx: OrgCtx, user: Id<'usr'>): Promise<Explanation> =>
  ctx.db.read(scopeOf(ctx), async (db) => {
    const rules = await rulesOf(db, await findSettings(db));
    const [facts] = await listFacts(db, [user], mappedGroups(rules.mappings));
    // Whom the organization has nothing to do with is another organization's business.
    if (!facts || (facts.member === null && facts.tombstone === null && !facts.ours && facts.groups.length === 0))
      throw noPerson();
    const owners = facts.role === 'owner' ? await listActiveOwners(db) : [];
    const more = {
      lastOwner: owners.length === 1 && owners[0] === user,
      seatsLeft: seatsLeft(await listSeatLimits(db), facts.tier),
    };
    return {
      facts,
      mode: rules.settings.mode,
      groups: await listGroupNamesOf(db, user, 50),
      signIn: decide(situationOf(rules, 'login', facts, more)),
      sync: decide(situationOf(rules, 'resync', facts, more)),
    };
  });
