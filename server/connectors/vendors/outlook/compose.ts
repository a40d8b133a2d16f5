import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import { OutlookSettings } from './settings.ts';

/** Recipients of one message; Exchange takes more, a person who approves does not read more. */
const people = (what: string) => z.array(z.email().max(320)).max(50).describe(what);

export const composed = {
  to: people('Addresses of the recipients').min(1),
  cc: people('Addresses that get a copy').optional(),
  bcc: people('Addresses that get a copy without the others seeing it').optional(),
  subject: z.string().min(1).max(255),
  text: z.string().min(1).max(200_000).describe('The body as plain text'),
};
export type Composed = {
  to: readonly string[];
  cc?: readonly string[] | undefined;
  bcc?: readonly string[] | undefined;
  subject: string;
  text: string;
};

export const composedProjection = [
  { kind: 'recipient', at: '/to/*' },
  { kind: 'recipient', at: '/cc/*' },
  { kind: 'recipient', at: '/bcc/*' },
  { kind: 'text', at: '/subject' },
  { kind: 'text', at: '/text' },
] as const;

const asRecipients = (list: readonly string[] | undefined): { emailAddress: { address: string } }[] =>
  (list ?? []).map((address) => ({ emailAddress: { address } }));

/**
 * A message as Graph takes it. Text only: HTML can carry pictures that are fetched when somebody looks, and words over an address that leads
 * elsewhere, and whoever approves would see neither.
 */
export const graphMessage = (m: Composed): Record<string, unknown> => ({
  subject: m.subject,
  body: { contentType: 'text', content: m.text },
  toRecipients: asRecipients(m.to),
  ccRecipients: asRecipients(m.cc),
  bccRecipients: asRecipients(m.bcc),
});

/** Refuses addresses outside the domains that the settings allow. */
export function checkRecipients(call: Pick<BuiltinCall, 'settings'>, all: readonly string[]): void {
  const { send_domains: domains } = OutlookSettings.parse(call.settings);
  const elsewhere = all.filter((a) => domains && !domains.includes(a.slice(a.lastIndexOf('@') + 1).toLowerCase()));
  if (elsewhere.length === 0) return;
  throw new Problem('forbidden', 'connectors/outlook-recipient', {
    says: `${elsewhere.join(', ')}: this connector sends only to addresses in ${domains?.join(', ')}`,
    fix: 'leave them out, or ask an administrator to add the domain to the settings of the connector',
  });
}
