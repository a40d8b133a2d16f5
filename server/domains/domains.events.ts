import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { faultCodes } from './fault.ts';

const id = z.string().max(40);
const name = z.string().max(253);
const code = z.enum(faultCodes);
const choice = z.enum(['merge', 'fresh']);
const of = { domain: id, name };
const about = (d: { domain: string }) => ({ resource: d.domain });
const days = (n: number): string => (n === 0 ? 'today' : n === 1 ? 'for a day' : `for ${n} days`);

/** What the log tells about domains and the people in them. It is the parent's log. */
export const domainEvents = {
  'domain.added': declare({
    data: z.object({ ...of, includeSubdomains: z.boolean() }),
    says: (d) => `added the domain ${d.name}${d.includeSubdomains ? ' with its subdomains' : ''}, to be verified`,
    ocsf: 5019,
    about,
  }),
  'domain.checked': declare({
    data: z.object({ ...of, code: code.nullable() }),
    says: (d) => `had ${d.name} checked: ${d.code ?? 'the record is there'}`,
    ocsf: 5019,
    about,
  }),
  'domain.verified': declare({
    data: z.object({ ...of, servers: z.number().int(), resolvers: z.number().int() }),
    says: (d) =>
      `saw the record of ${d.name} at ${d.servers} of its name servers and ${d.resolvers} resolvers: it is verified`,
    ocsf: 5019,
    about,
  }),
  'domain.failing': declare({
    data: z.object({ ...of, code, day: z.number().int(), lapses: z.iso.datetime() }),
    says: (d) =>
      `missed the record of ${d.name} (${d.code}) ${days(d.day)}; sign-in goes on, until ${d.lapses.slice(0, 10)} nothing changes`,
    ocsf: 5019,
    about,
  }),
  'domain.recovered': declare({
    data: z.object({ ...of, after: code }),
    says: (d) => `saw the record of ${d.name} again (it was ${d.after})`,
    ocsf: 5019,
    about,
  }),
  'domain.lapsed': declare({
    data: z.object({ ...of, code }),
    says: (d) => `let ${d.name} lapse (${d.code}): new people are not taken in by it any more`,
    ocsf: 5019,
    about,
  }),
  'domain.conflicted': declare({
    data: z.object(of),
    says: (d) => `could not verify ${d.name}: another parent has it`,
    ocsf: 5019,
    about,
  }),
  'domain.subdomains_set': declare({
    data: z.object({ ...of, includeSubdomains: z.boolean() }),
    says: (d) => `let ${d.name} ${d.includeSubdomains ? 'speak for its subdomains, too' : 'speak for itself only'}`,
    ocsf: 5019,
    about,
  }),
  'domain.removed': declare({
    data: z.object({ ...of, state: z.string().max(20) }),
    says: (d) => `removed the domain ${d.name}, which was ${d.state}`,
    ocsf: 5019,
    about,
  }),
  'domain.memberships_exported': declare({
    data: z.object({ format: z.enum(['csv', 'json']), accounts: z.number().int() }),
    says: (d) => `exported ${d.accounts} accounts under the verified domains as ${d.format}`,
    ocsf: 6003,
  }),
  'domain.capture_announced': declare({
    data: z.object({ ...of, capture: id, org: id, people: z.number().int(), ends: z.iso.datetime() }),
    says: (d) =>
      `announced to ${d.people} people of ${d.name} that they belong to ${d.org} from ${d.ends.slice(0, 10)} on`,
    ocsf: 3001,
    about,
  }),
  'domain.capture_reminded': declare({
    data: z.object({ ...of, capture: id, people: z.number().int(), daysLeft: z.number().int() }),
    says: (d) => `reminded ${d.people} people of ${d.name} with ${d.daysLeft} days left`,
    ocsf: 3001,
    about,
  }),
  'domain.capture_answered': declare({
    data: z.object({ ...of, capture: id, user: id, choice }),
    says: (d) =>
      `chose to ${d.choice === 'merge' ? 'bring the account along' : 'start fresh'} when ${d.name} was captured`,
    ocsf: 3001,
    about,
  }),
  'domain.capture_applied': declare({
    data: z.object({ ...of, capture: id, user: id, choice, left: z.number().int() }),
    says: (d) => `took ${d.user} in by ${d.name}${d.left ? `, out of ${d.left} other organizations` : ''}`,
    ocsf: 3001,
    about,
  }),
  'domain.capture_in_force': declare({
    data: z.object({ ...of, capture: id, org: id, unanswered: z.number().int() }),
    says: (d) =>
      `leads people of ${d.name} to ${d.org} from now on; ${d.unanswered} have not answered and keep what they have`,
    ocsf: 5019,
    about,
  }),
  'domain.capture_cancelled': declare({
    data: z.object({ ...of, capture: id }),
    says: (d) => `called off the capture of ${d.name}`,
    ocsf: 5019,
    about,
  }),
} as const;
