import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { enforcementStates } from './enforcement.ts';

const id = z.string().max(40);
const code = z.string().max(60);
const via = z.enum(['sso', 'setup_link', 'passkey', 'mail_link']);

/** What the log tells about enforcing single sign-on, dry sign-ins and looking at failed ones. */
export const enforcementEvents = {
  'sso.enforcement_changed': declare({
    data: z.object({
      from: z.enum(enforcementStates),
      to: z.enum(enforcementStates),
      percent: z.number().int(),
      groups: z.array(id).max(50),
      connections: z.array(id).max(50),
      preview: z.string().max(80).nullable(),
      sessionsEnded: z.number().int(),
    }),
    says: (d) =>
      `set single sign-on from ${d.from} to ${d.to}${d.to === 'staged' ? ` (${d.percent} %, ${d.groups.length} groups)` : ''}; ${d.sessionsEnded} sessions ended`,
    ocsf: 5019,
    about: (d) => ({ resource: d.preview ?? undefined }),
  }),
  'sso.enforcement_returned': declare({
    data: z.object({ from: z.enum(enforcementStates), code, refusals: z.number().int() }),
    says: (d) =>
      `stopped enforcing single sign-on (${d.from}) and went back to report-only, because ${d.refusals} sign-ins failed with ${d.code}`,
    ocsf: 5019,
  }),
  'sso.enforcement_simulated': declare({
    data: z.object({
      preview: z.string().max(80),
      people: z.number().int(),
      atRisk: z.number().int(),
      lockedOut: z.number().int(),
    }),
    says: (d) =>
      `looked at what enforcing single sign-on would do to ${d.people} people: ${d.atRisk} at risk, ${d.lockedOut} locked out`,
    ocsf: 6003,
    about: (d) => ({ resource: d.preview }),
  }),
  'sso.not_single_sign_on': declare({
    data: z.object({ user: id, via, connection: id.nullable(), refused: z.boolean() }),
    says: (d) =>
      `${d.refused ? 'was refused' : 'would have been refused'} a session by ${d.via.replace('_', ' ')}, because single sign-on is ${d.refused ? '' : 'to be '}enforced`,
    ocsf: 3002,
    about: (d) => ({ resource: d.user }),
  }),
  'sso.test_begun': declare({
    data: z.object({ test: id, connection: id }),
    says: (d) => `made a test of ${d.connection}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sso.test_finished': declare({
    data: z.object({ test: id, connection: id, outcome: code }),
    says: (d) => `tested ${d.connection}: ${d.outcome}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.connection }),
  }),
  'sign_in.explained': declare({
    data: z.object({ trace: id, replayed: z.boolean(), outcome: code }),
    says: (d) => `${d.replayed ? 'replayed' : 'asked why of'} the sign-in ${d.trace}: ${d.outcome}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.trace }),
  }),
} as const;
