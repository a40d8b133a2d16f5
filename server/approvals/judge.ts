import { project, type ArgumentFacts, type Projection } from '#policy/argument.ts';
import { because } from '#policy/because.ts';
import { decideApproval, decideCall, type CallDecision, type PolicySet } from '#policy/decide.ts';
import { nowIn } from '#policy/now.ts';
import { devices, freshSession, type AskedTool, type Device, type SessionFacts, type Surface } from '#policy/schema.ts';
import { newId, type Id } from '#kernel/id.ts';
import type { Approval } from './approval.ts';

/** Somebody who might decide, as of now. */
export type Decider = {
  user: Id<'usr'>;
  groups: readonly Id<'grp'>[];
  /** Whether his role has `approval.decide`. */
  mayDecide: boolean;
  /** Whether he is the manager of the one who asked. */
  isManager: boolean;
};

/** From where and how somebody decides; `fresh`: he has shown just now, with a passkey and for this very action, that it is he. */
export type Manner = { surface: Surface; device: Device; fresh: boolean };

/** Why somebody may not say yes as he stands: the one condition that fails, where it is one. */
export type Missing = 'fresh' | 'surface' | 'manager' | 'own_request' | 'role' | 'person';

export type Judgement =
  | { may: true; policies: readonly string[] }
  /** `elsewhere`: he may in another manner, so he sees it and may say no. */
  | { may: false; missing: Missing; says: string; fix: string; elsewhere: boolean };

/** Surfaces on which people decide. */
export const decidingSurfaces = ['portal', 'desk', 'dispatch'] as const satisfies Surface[];

const placeName = (s: Surface): string => (s === 'dispatch' ? 'phone' : s);

export type Case = {
  set: PolicySet;
  approval: Approval;
  /** The tool as reviewed now; of what is no tool, its class alone. */
  tool: AskedTool;
  projection: Projection;
  /** The groups of the one who asked. */
  requesterGroups: readonly Id<'grp'>[];
  now: Date;
};

function factsOf(c: Case): readonly ArgumentFacts[] | undefined {
  const p = project(c.projection, c.approval.action.args);
  return p.kind === 'facts' ? p.combinations : undefined;
}

/** One question to the policies. Everything that `judge` tells apart is this, asked in another way. */
function allows(c: Case, who: Decider, how: Manner): { allowed: boolean; says: string; policies: readonly string[] } {
  const { set, approval: a, now } = c;
  // What was asked for the session alone is asked of whom a rule names, once a rule asks as well.
  if (a.askedFor === 'content' || (a.askedFor === 'session' && outcomeOf(c, freshSession) === 'allowed')) {
    // No rule asked for this yes, so none says who gives it: people whose role decides approvals, and never about their own.
    const allowed = who.mayDecide && who.user !== a.asker.user;
    return { allowed, says: 'your role does not decide approvals', policies: [] };
  }
  const combinations = factsOf(c);
  if (!combinations) return { allowed: false, says: 'the arguments cannot be read any more', policies: [] };
  const decision = decideApproval(
    set,
    {
      user: who.user,
      groups: who.groups,
      tool: c.tool,
      context: {
        ...how,
        now: nowIn(set.zone, now),
        mayDecide: who.mayDecide,
        isManager: who.isManager,
        requester: { user: a.asker.user, groups: c.requesterGroups },
        asked: { surface: a.surface, device: deviceOf(a.device), now: nowIn(set.zone, a.asked) },
      },
    },
    combinations,
  );
  return { allowed: decision.allowed, says: because(decision, set), policies: decision.reasons };
}

const deviceOf = (text: string): Device => devices.find((d) => d === text) ?? 'unknown';

/** Whether the one who asked may still call this, and need still ask. */
export const stillAsks = (c: Case): CallDecision['outcome'] =>
  outcomeOf(c, {
    readUntrusted: c.approval.hasRead?.some((s) => s.untrusted) ?? false,
    readPrivate: c.approval.hasRead?.some((s) => s.private) ?? false,
  });

/** What becomes of the call now, if its session has read this. */
function outcomeOf(c: Case, session: SessionFacts): CallDecision['outcome'] {
  const combinations = factsOf(c);
  if (!combinations) return 'denied';
  const { approval: a, set } = c;
  return decideCall(
    set,
    {
      user: a.asker.user,
      groups: c.requesterGroups,
      tool: c.tool,
      context: { surface: a.surface, device: deviceOf(a.device), now: nowIn(set.zone, c.now), session },
    },
    combinations,
  ).outcome;
}

/**
 * Whether this person may say yes in this manner; if not, what fails. Found by asking again with one thing otherwise, so that the answer
 * cannot differ from the decision.
 */
export function judge(c: Case, who: Decider, how: Manner): Judgement {
  const straight = allows(c, who, how);
  if (straight.allowed) return { may: true, policies: straight.policies };
  const no = (missing: Missing, says: string, fix: string, elsewhere = false): Judgement => ({
    may: false,
    missing,
    says,
    fix,
    elsewhere,
  });
  if (!how.fresh && allows(c, who, { ...how, fresh: true }).allowed)
    return no(
      'fresh',
      'the rules want you to show with a passkey that it is you, for exactly this call',
      'ask for the options of a proof, use your passkey, and send its answer with the decision',
      true,
    );
  const places = decidingSurfaces.filter((surface) => allows(c, who, { ...how, surface, fresh: true }).allowed);
  if (places.length > 0)
    return no(
      'surface',
      `the rules do not let this be approved from the ${placeName(how.surface)}, only from the ${places.map(placeName).join(' or the ')}`,
      `open it on the ${places.map(placeName).join(' or the ')}; you may deny it here`,
      true,
    );
  const fresh = { ...how, fresh: true };
  const anywhere = (as: Decider, of: Case): boolean =>
    decidingSurfaces.some((surface) => allows(of, as, { ...fresh, surface }).allowed);
  if (who.user === c.approval.asker.user) {
    // What would be if it were not his own.
    const other: Case = { ...c, approval: { ...c.approval, asker: { ...c.approval.asker, user: newId('usr') } } };
    const utmost = { ...who, mayDecide: true, isManager: true };
    if (!anywhere(utmost, c) && anywhere(utmost, other))
      return no(
        'own_request',
        'the call that waits is your own; another person decides',
        'ask somebody who may decide; you can only take the request back',
      );
  }
  if (!who.isManager && anywhere({ ...who, isManager: true }, c))
    return no('manager', 'the manager of the one who asked decides this', 'let their manager decide');
  if (!who.mayDecide && anywhere({ ...who, mayDecide: true }, c))
    return no('role', 'people whose role decides approvals decide this, and yours does not', 'ask an administrator');
  return no('person', straight.says, 'ask somebody whom the rules name, or an administrator');
}
