import { z } from 'zod';
import { challengeHost, challengeValue } from './challenge.ts';
import { domainStates, effectOf, lapsesAt, type Domain } from './domain.ts';
import { faultCodes, faultFix, faultSays, type Fault } from './fault.ts';

const Time = z.iso.datetime({ offset: true });

const ShownFault = z.object({
  code: z.enum(faultCodes),
  domain: z.string(),
  record: z.string().describe('The name that was asked for.'),
  where: z.string().describe('Which servers said so.'),
  expected: z.string(),
  found: z.string(),
  since: Time,
  at: Time,
  lastSuccess: Time.nullable(),
  says: z.string().describe('The whole story in a sentence or two.'),
  fix: z.string(),
});

/** A domain as people see it: the record to set, how it stands, and why. */
export const ShownDomain = z.object({
  id: z.string(),
  name: z.string().describe('As DNS is asked: A-labels.'),
  shown: z.string().describe('As people read it.'),
  includeSubdomains: z.boolean(),
  homeOrg: z.string().nullable(),
  record: z.object({
    type: z.literal('TXT'),
    host: z.string(),
    orHost: z.string().describe('The domain itself does as well.'),
    value: z.string(),
  }),
  state: z.enum(domainStates),
  since: Time,
  says: z.string(),
  lastSuccess: Time.nullable(),
  lapsesAt: Time.nullable(),
  fault: ShownFault.nullable(),
  checkedAt: Time.nullable(),
  nextCheckAt: Time,
  addedAt: Time,
});

const TAKEN = 'Another parent of this deployment has verified this domain; a domain belongs to one.';

export function shownDomain(d: Domain): z.infer<typeof ShownDomain> {
  const s = d.standing;
  const fault = s.state === 'verified' ? s.doubt : s.state === 'conflict' ? null : s.fault;
  const effect = effectOf(s);
  return {
    id: d.id,
    name: d.name,
    shown: d.shown,
    includeSubdomains: d.includeSubdomains,
    homeOrg: d.homeOrg,
    record: {
      type: 'TXT',
      host: challengeHost(d.name),
      orHost: d.name,
      value: challengeValue({ parent: d.issuedTo, token: d.token }),
    },
    state: s.state,
    since: s.since.toISOString(),
    says: s.state === 'conflict' ? `${TAKEN} ${effect}` : fault ? faultSays(fault, d.shown, effect) : effect,
    lastSuccess: s.state === 'pending' || s.state === 'conflict' ? null : s.lastSuccess.toISOString(),
    lapsesAt: s.state === 'failing' ? lapsesAt(s).toISOString() : null,
    fault: fault && shownFault(fault, d.shown, effect),
    checkedAt: d.checkedAt?.toISOString() ?? null,
    nextCheckAt: d.nextCheckAt.toISOString(),
    addedAt: d.addedAt.toISOString(),
  };
}

const shownFault = (f: Fault, domain: string, effect: string): z.infer<typeof ShownFault> => ({
  code: f.code,
  domain,
  record: f.record,
  where: f.where,
  expected: f.expected,
  found: f.found,
  since: f.since.toISOString(),
  at: f.at.toISOString(),
  lastSuccess: f.lastSuccess?.toISOString() ?? null,
  says: faultSays(f, domain, effect),
  fix: faultFix(f, domain),
});
