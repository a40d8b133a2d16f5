import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { passes, type Fault, type FaultCode, type Finding } from './fault.ts';
import type { Verdict } from './judge-challenge.ts';

/** A domain of the parent, and how it stands. Each state has only what is true in it. */
export type Domain = {
  id: Id<'dom'>;
  name: string;
  shown: string;
  token: string;
  /** Whose id the record has: the parent that added the domain. A merge moves domains, and their records stay as they are. */
  issuedTo: Id<'par'>;
  includeSubdomains: boolean;
  /** Where people with an address in it are led at sign-in; set when a capture comes into force. */
  homeOrg: Id<'org'> | null;
  addedAt: Date;
  checks: number;
  checkedAt: Date | null;
  nextCheckAt: Date;
  standing: Standing;
};

export type Standing =
  | { state: 'pending'; since: Date; fault: Fault | null }
  /** `doubt`: the last checks could not see the record for a reason that may pass by itself. */
  | { state: 'verified'; since: Date; lastSuccess: Date; doubt: Fault | null }
  /** Still counts as verified, for a time of grace. `since`: when the record went missing. */
  | { state: 'failing'; since: Date; verifiedAt: Date; lastSuccess: Date; fault: Fault; notices: number }
  /** New people are not taken in by it any more; whoever signed in before still can. */
  | { state: 'lapsed'; since: Date; lastSuccess: Date; fault: Fault }
  /** The record is there, and another parent has the domain. */
  | { state: 'conflict'; since: Date };

export const domainStates = ['pending', 'verified', 'failing', 'lapsed', 'conflict'] as const;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** How long a domain that lost its record goes on counting as verified: long enough for a change freeze and a holiday. */
export const GRACE_MS = 14 * DAY;
/** Days after the record went missing on which the owners are told. */
export const NOTICE_DAYS = [0, 1, 3, 7, 13] as const;
/** For this long somebody is waiting for a new domain. */
const EAGER_MS = 72 * HOUR;
const FIRST_MS = 10 * SECOND;
const SLOWEST_EAGER_MS = 10 * MINUTE;
/** Verified domains are spread over the last two hours of their day, so that they do not all come at once. */
const JITTER_MS = 2 * HOUR;
/** A failure of the network is believed when it has lasted this long. */
const DOUBT_MS = HOUR;
const DOUBT_CHECK_MS = 10 * MINUTE;
/** A check may cost a hundred questions to strangers' servers; a finger on a button must not send more. */
export const CHECK_PAUSE_MS = SECOND;
/** Checks of one parent in a minute that people may ask for, for the same reason. */
export const MAX_CHECKS_PER_MINUTE = 30;

/** When a domain that was just added is looked at first. */
export const firstCheck = (now: Date): Date => new Date(now.getTime() + FIRST_MS);

export const lapsesAt = (s: Extract<Standing, { state: 'failing' }>): Date => new Date(s.since.getTime() + GRACE_MS);

/** What a check changed, for the log and for the people who must know. */
export type Happening =
  | { kind: 'verified' }
  | { kind: 'failing'; code: FaultCode; day: number; lapsesAt: Date }
  | { kind: 'recovered'; after: FaultCode }
  | { kind: 'lapsed'; code: FaultCode };

export type After = { standing: Standing; nextCheckAt: Date; happened: Happening | undefined };

const withHistory = (f: Finding, since: Date, now: Date, lastSuccess: Date | null): Fault => ({
  ...f,
  since,
  at: now,
  lastSuccess,
});

/**
 * How a domain stands after a check. Pure; `random` is in [0, 1).
 * INVARIANT (no lock-out by DNS): nothing here takes anything from anybody. Failing changes nothing but who is told; lapsing stops new
 * people from being taken in, and leaves those who are in.
 */
export function afterCheck(d: Pick<Domain, 'standing' | 'checks'>, v: Verdict, now: Date, random: number): After {
  const s = d.standing;
  const daily = new Date(now.getTime() + DAY - random * JITTER_MS);
  const inMs = (ms: number): Date => new Date(now.getTime() + ms);
  // The zone's own servers have it: that others do not see it yet says nothing against a domain that was verified. Broken signatures do.
  const stands = v.proved || (v.atSource && v.finding.code !== 'dnssec_bogus');

  switch (s.state) {
    case 'pending':
    case 'lapsed':
    case 'conflict': {
      if (v.proved)
        return {
          standing: { state: 'verified', since: now, lastSuccess: now, doubt: null },
          nextCheckAt: daily,
          happened: { kind: 'verified' },
        };
      if (s.state === 'lapsed')
        return {
          standing: { ...s, fault: withHistory(v.finding, s.fault.since, now, s.lastSuccess) },
          nextCheckAt: daily,
          happened: undefined,
        };
      const before = s.state === 'pending' ? s.fault : null;
      const since = before?.code === v.finding.code ? before.since : now;
      const eager = s.state === 'pending' && now.getTime() - s.since.getTime() < EAGER_MS;
      return {
        standing: { state: 'pending', since: s.since, fault: withHistory(v.finding, since, now, null) },
        nextCheckAt: eager ? inMs(Math.min(SLOWEST_EAGER_MS, FIRST_MS * 2 ** Math.min(d.checks, 10))) : daily,
        happened: undefined,
      };
    }
    case 'verified': {
      if (stands || v.proved)
        return { standing: { ...s, lastSuccess: now, doubt: null }, nextCheckAt: daily, happened: undefined };
      const since = s.doubt?.since ?? now;
      if (passes(v.finding.code) && now.getTime() - since.getTime() < DOUBT_MS)
        return {
          standing: { ...s, doubt: withHistory(v.finding, since, now, s.lastSuccess) },
          nextCheckAt: inMs(DOUBT_CHECK_MS),
          happened: undefined,
        };
      return failing({ since, verifiedAt: s.since, lastSuccess: s.lastSuccess, notices: 0 }, v.finding);
    }
    case 'failing': {
      if (stands || v.proved)
        return {
          standing: { state: 'verified', since: s.verifiedAt, lastSuccess: now, doubt: null },
          nextCheckAt: daily,
          happened: { kind: 'recovered', after: s.fault.code },
        };
      return failing(s, v.finding);
    }
  }

  function failing(was: { since: Date; verifiedAt: Date; lastSuccess: Date; notices: number }, f: Finding): After {
    const gone = now.getTime() - was.since.getTime();
    const fault = withHistory(f, was.since, now, was.lastSuccess);
    if (gone >= GRACE_MS)
      return {
        standing: { state: 'lapsed', since: now, lastSuccess: was.lastSuccess, fault },
        nextCheckAt: daily,
        happened: { kind: 'lapsed', code: f.code },
      };
    const due = NOTICE_DAYS.filter((day) => gone >= day * DAY);
    const lapses = new Date(was.since.getTime() + GRACE_MS);
    return {
      standing: { ...was, state: 'failing', fault, notices: due.length },
      nextCheckAt: new Date(Math.min(now.getTime() + HOUR, lapses.getTime())),
      // Notices that a node slept through are not sent in a row: the newest says it all.
      happened:
        due.length > was.notices
          ? { kind: 'failing', code: f.code, day: due.at(-1) ?? 0, lapsesAt: lapses }
          : undefined,
    };
  }
}

/** What a state means for people, in one sentence. */
export function effectOf(s: Standing): string {
  switch (s.state) {
    case 'pending':
      return 'Nothing depends on this domain yet.';
    case 'verified':
      return 'Sign-in works.';
    case 'failing':
      return `Sign-in goes on working; nothing changes until ${lapsesAt(s).toISOString().slice(0, 10)}.`;
    case 'lapsed':
      return 'Whoever has signed in before still can; new people are not taken in by this domain.';
    case 'conflict':
      return 'Nothing depends on this domain.';
  }
}

export const noSuchDomain = (): Problem =>
  new Problem('missing', 'domains/no-such-domain', { says: 'there is no such domain in this organization' });
