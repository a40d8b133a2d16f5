import { z } from 'zod';
import { oneLine } from '../../kit/one-line.ts';

export const Address = z.object({
  emailAddress: z.object({ name: z.string().nullish(), address: z.string().nullish() }).nullish(),
});
const Addresses = z.array(Address).nullish();

export const Message = z.object({
  id: z.string(),
  subject: z.string().nullish(),
  bodyPreview: z.string().nullish(),
  body: z.object({ contentType: z.string().nullish(), content: z.string().nullish() }).nullish(),
  from: Address.nullish(),
  toRecipients: Addresses,
  ccRecipients: Addresses,
  bccRecipients: Addresses,
  receivedDateTime: z.string().nullish(),
  isRead: z.boolean().nullish(),
  isDraft: z.boolean().nullish(),
  hasAttachments: z.boolean().nullish(),
  conversationId: z.string().nullish(),
  webLink: z.string().nullish(),
});
export type Message = z.output<typeof Message>;
export const Messages = z.object({ value: z.array(Message), '@odata.nextLink': z.string().nullish() });

export const listFields =
  'id,subject,bodyPreview,from,toRecipients,receivedDateTime,isRead,isDraft,hasAttachments,conversationId';
export const wholeFields = `${listFields},body,ccRecipients,bccRecipients,webLink`;

/** Ids that stay when a message is moved, and bodies as text. */
export const asText = ['IdType="ImmutableId"', 'outlook.body-content-type="text"'] as const;

/** `Ada Lovelace <ada@example.com>`. */
export function addressLine(a: z.output<typeof Address> | null | undefined): string {
  const { name, address } = a?.emailAddress ?? {};
  if (!address) return oneLine(name ?? '(unknown)');
  return oneLine(name && name !== address ? `${name} <${address}>` : address);
}
export const addressesOf = (list: readonly z.output<typeof Address>[] | null | undefined): string[] =>
  (list ?? []).flatMap((a) => (a.emailAddress?.address ? [a.emailAddress.address.toLowerCase()] : []));

export type ShownMessage = {
  message: string;
  subject: string;
  from: string;
  to: string[];
  received: string | null;
  read: boolean;
  draft: boolean;
  has_attachments: boolean;
  conversation: string | null;
};

export const shownMessage = (m: Message): ShownMessage => ({
  message: m.id,
  subject: oneLine(m.subject ?? ''),
  from: addressLine(m.from),
  to: addressesOf(m.toRecipients),
  received: m.receivedDateTime ?? null,
  read: m.isRead ?? false,
  draft: m.isDraft ?? false,
  has_attachments: m.hasAttachments ?? false,
  conversation: m.conversationId ?? null,
});
