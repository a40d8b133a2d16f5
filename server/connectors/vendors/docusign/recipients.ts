import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import { segment } from '../../kit/vendor-path.ts';
import { docusign } from './docusign-api.ts';
import { docusignSettings } from './settings.ts';

const Recipient = z.looseObject({
  recipientId: z.string().optional(),
  name: z.string().optional(),
  email: z.string().optional(),
  status: z.string().optional(),
  roleName: z.string().optional(),
  routingOrder: z.string().optional(),
  signedDateTime: z.string().optional(),
  deliveredDateTime: z.string().optional(),
  declinedReason: z.string().optional(),
});
export type Recipient = z.output<typeof Recipient> & { kind: string };

/** The kinds are lists of their own, and Docusign adds kinds: every list counts. */
const Recipients = z.looseObject({ currentRoutingOrder: z.string().optional() });

export async function recipientsOf(
  call: Pick<BuiltinCall, 'vendor' | 'settings'>,
  envelope: string,
): Promise<{ recipients: Recipient[]; current: string | undefined }> {
  const found = await docusign(call, { method: 'GET', path: `/envelopes/${segment(envelope)}/recipients` }, Recipients);
  const recipients: Recipient[] = [];
  for (const [kind, list] of Object.entries(found))
    if (Array.isArray(list)) for (const one of list) recipients.push({ ...Recipient.parse(one), kind });
  return { recipients, current: found.currentRoutingOrder };
}

const keyOf = (address: string): string => address.trim().toLowerCase();

/** Refuses addresses outside of the domains that an administrator named. */
export function checkDomains(call: Pick<BuiltinCall, 'settings'>, addresses: readonly string[]): void {
  const { recipient_domains: domains } = docusignSettings(call.settings);
  const outside = domains && addresses.find((a) => !domains.includes(keyOf(a).split('@').at(-1) ?? ''));
  if (outside !== undefined)
    throw new Problem('forbidden', 'connectors/docusign-recipient', {
      says: `${outside} is not of a domain to which this connector makes out envelopes`,
      fix: 'name another recipient; an administrator can change recipient_domains of the connector',
    });
}

/**
 * INVARIANT (as approved): rules and approvers saw the addresses of the call, so the envelope goes to these and to nobody else. Somebody who edits
 * the draft in Docusign between this look and the sending is a person of the account, and is not kept out by it.
 */
export function checkSame(named: readonly string[], found: readonly Recipient[]): void {
  const open = found.filter((r) => r.email === undefined || r.email === '');
  const wanted = new Set(named.map(keyOf));
  const has = new Set(found.flatMap((r) => (r.email ? [keyOf(r.email)] : [])));
  const missing = [...wanted].filter((a) => !has.has(a));
  const more = [...has].filter((a) => !wanted.has(a));
  if (open.length === 0 && missing.length === 0 && more.length === 0) return;
  throw new Problem('conflict', 'connectors/docusign-other-recipients', {
    says: [
      'the envelope has other recipients than the call names',
      ...(more.length > 0 ? [`it also has ${more.join(', ')}`] : []),
      ...(missing.length > 0 ? [`it does not have ${missing.join(', ')}`] : []),
      ...(open.length > 0 ? [`${open.length} recipients have no address yet`] : []),
    ].join('; '),
    fix: 'look at list_recipients, and name all of the addresses that it shows',
  });
}
