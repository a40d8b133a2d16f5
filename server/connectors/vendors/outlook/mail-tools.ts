import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { MAX_CONTENT_BYTES } from '../../content/content.ts';
import { toText } from '../../content/to-text.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { segment } from '../../kit/vendor-path.ts';
import { atCursor, Cursor, cursorOf, getGraph, MAX_TEXT, moreLine, ownRoot, said } from '../microsoft/graph.ts';
import { mailQuery } from './mail-query.ts';
import {
  addressesOf,
  addressLine,
  asText,
  listFields,
  Message,
  Messages,
  shownMessage,
  wholeFields,
} from './message.ts';
import { readsMail } from './scopes.ts';

/** An id of Exchange: base64 in one of its two alphabets. */
export const ExchangeId = z.string().regex(/^[A-Za-z0-9+/=_-]{1,400}$/, 'expected an id as another tool shows it');
export const messageArgument = ExchangeId.describe('Id of the message, as search_messages shows it');

const day = (what: string) => z.iso.date().optional().describe(`${what}, e.g. 2026-01-31 (UTC)`);
const words = (what: string) => z.string().min(1).max(300).optional().describe(what);
const PAGE = 25;

export const searchMessages = builtinTool({
  name: 'search_messages',
  title: 'Search mail',
  description: `Finds messages in the person's own mailbox by words, sender, recipient, subject, days or folder; without any of them, the newest. At most ${PAGE} messages, then a cursor; a search by words ends after 1,000. Operators and prefixes of search languages are taken as words.`,
  input: z.strictObject({
    text: words('Words in subject, body or addresses, all of which must occur'),
    from: words('Name or address of the sender'),
    to: words('Name or address of a recipient'),
    subject: words('Words in the subject, as they stand there'),
    after: day('Received on this day or later'),
    before: day('Received before this day'),
    unread: z.boolean().optional().describe('Only unread, or only read ones; not together with words'),
    has_attachments: z.boolean().optional(),
    folder: z
      .enum(['inbox', 'sentitems', 'drafts', 'archive', 'deleteditems', 'junkemail'])
      .optional()
      .describe('Left out: all folders'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [
    { kind: 'text', at: '/text' },
    { kind: 'text', at: '/subject' },
  ],
  scopes: readsMail,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const folder = args.folder === undefined ? '' : `/mailFolders/${segment(args.folder)}`;
    const list = await getGraph(
      call,
      Messages,
      `${ownRoot(call)}${folder}/messages`,
      { ...mailQuery(args), $select: listFields, $top: PAGE, ...atCursor(args.cursor) },
      asText,
    );
    const cursor = cursorOf(list);
    const shown = list.value.map((m) => ({ ...shownMessage(m), preview: m.bodyPreview ?? '' }));
    return said(
      [
        shown.length === 0 ? 'No messages.' : undefined,
        ...shown.map(
          (m) =>
            `- ${m.received ?? ''} ${m.from}: ${m.subject}${m.read ? '' : ' (unread)'}${m.draft ? ' (draft)' : ''}${m.has_attachments ? ' (attachments)' : ''}\n  ${oneLine(m.preview)}\n  message ${m.message}`,
        ),
        moreLine(cursor),
      ],
      { messages: shown, ...(cursor === undefined ? {} : { cursor }) },
    );
  },
});

const Attachment = z.object({
  '@odata.type': z.string().nullish(),
  id: z.string(),
  name: z.string().nullish(),
  contentType: z.string().nullish(),
  size: z.number().nullish(),
  isInline: z.boolean().nullish(),
});
const Attachments = z.object({ value: z.array(Attachment), '@odata.nextLink': z.string().nullish() });
const attachmentFields = 'id,name,contentType,size,isInline';

const kindOf = (a: z.output<typeof Attachment>): 'file' | 'item' | 'reference' =>
  a['@odata.type']?.endsWith('itemAttachment')
    ? 'item'
    : a['@odata.type']?.endsWith('referenceAttachment')
      ? 'reference'
      : 'file';

export const readMessage = builtinTool({
  name: 'read_message',
  title: 'Read a message',
  description: `Gives a message as text with its people and its list of attachments. At most ${MAX_TEXT} characters at once; \`offset\` reads on.`,
  input: z.strictObject({
    message: messageArgument,
    offset: z.int().min(0).max(1e9).optional().describe('Characters to pass over, as the answer before said'),
  }),
  class: 'read',
  projection: [],
  scopes: readsMail,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const at = `${ownRoot(call)}/messages/${segment(args.message)}`;
    const m = await getGraph(call, Message, at, { $select: wholeFields }, asText);
    const attachments = m.hasAttachments
      ? (await getGraph(call, Attachments, `${at}/attachments`, { $select: attachmentFields }, asText)).value
      : [];
    const whole = m.body?.content ?? '';
    const offset = args.offset ?? 0;
    const text = whole.slice(offset, offset + MAX_TEXT);
    const next = offset + text.length < whole.length ? offset + text.length : undefined;
    const shown = {
      ...shownMessage(m),
      cc: addressesOf(m.ccRecipients),
      bcc: addressesOf(m.bccRecipients),
      web_url: m.webLink ?? null,
      attachments: attachments.map((a) => ({
        attachment: a.id,
        name: oneLine(a.name ?? ''),
        kind: kindOf(a),
        mime_type: a.contentType ?? null,
        size: a.size ?? null,
      })),
    };
    return said(
      [
        `Subject: ${shown.subject}`,
        `From: ${shown.from}`,
        `To: ${(m.toRecipients ?? []).map(addressLine).join(', ')}`,
        shown.cc.length > 0 ? `Cc: ${(m.ccRecipients ?? []).map(addressLine).join(', ')}` : undefined,
        `Received: ${shown.received ?? ''}`,
        ...shown.attachments.map(
          (a) => `Attachment: ${a.name} (${a.kind}, ${a.size ?? '?'} bytes; attachment ${a.attachment})`,
        ),
        next === undefined ? undefined : `The text goes on: ask again with offset ${next}.`,
        '',
        text,
      ],
      { ...shown, ...(next === undefined ? {} : { next }) },
    );
  },
});

const ItemAttachment = Attachment.extend({
  item: z
    .object({
      '@odata.type': z.string().nullish(),
      subject: z.string().nullish(),
      body: z.object({ contentType: z.string().nullish(), content: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

export const getAttachment = builtinTool({
  name: 'get_attachment',
  title: 'Read an attachment',
  description: `Gives the text of an attachment (Word, Excel, PowerPoint, PDF, HTML, plain text) of at most ${MAX_CONTENT_BYTES / 1024 / 1024} MiB, or of an attached message. At most ${MAX_TEXT} characters at once; \`offset\` reads on.`,
  input: z.strictObject({
    message: messageArgument,
    attachment: ExchangeId.describe('Id of the attachment, as read_message shows it'),
    offset: z.int().min(0).max(1e9).optional().describe('Characters to pass over, as the answer before said'),
    page: z.int().min(1).max(1e6).optional().describe('Page, sheet or slide to begin with, from 1'),
  }),
  class: 'read',
  projection: [],
  scopes: readsMail,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const at = `${ownRoot(call)}/messages/${segment(args.message)}/attachments/${segment(args.attachment)}`;
    const a = await getGraph(call, Attachment, at, { $select: attachmentFields }, asText);
    const kind = kindOf(a);
    const name = oneLine(a.name ?? '');
    if (kind === 'reference')
      throw new Problem('invalid', 'connectors/outlook-reference', {
        says: `${name} is a link to a file in OneDrive or SharePoint, and its content is not in the message`,
        fix: 'look for it with the connector for OneDrive and SharePoint',
      });
    if ((a.size ?? 0) > MAX_CONTENT_BYTES)
      throw new Problem('too_large', 'connectors/outlook-too-large', {
        says: `the attachment has ${a.size} bytes, and at most ${MAX_CONTENT_BYTES} are read`,
        fix: 'open the message in Outlook',
      });
    let content: Parameters<typeof toText>[0];
    if (kind === 'item') {
      const { item } = await getGraph(
        call,
        ItemAttachment,
        at,
        { $expand: 'microsoft.graph.itemAttachment/item' },
        asText,
      );
      const html = item?.body?.contentType?.toLowerCase() === 'html';
      const head = `${item?.subject ?? name}\n\n`;
      content = {
        bytes: Buffer.from((html ? '' : head) + (item?.body?.content ?? '')),
        mimeType: html ? 'text/html' : 'text/plain',
      };
    } else {
      const { bytes } = await call.vendor.send({
        method: 'GET',
        path: `/v1.0${at}/$value`,
        headers: { accept: '*/*', prefer: asText[0] },
        maxBytes: MAX_CONTENT_BYTES,
      });
      content = { bytes, name, mimeType: a.contentType ?? undefined };
    }
    const text = await toText(
      content,
      { maxChars: MAX_TEXT, offset: args.offset, page: args.page },
      { signal: call.signal },
    );
    return said(
      [
        `${name} (${kind === 'item' ? 'attached message or event' : text.kind}, ${content.bytes.length} bytes)`,
        ...text.notes,
        text.truncated ? `The text goes on: ask again with offset ${text.next}.` : undefined,
        '',
        text.text,
      ],
      {
        attachment: a.id,
        name,
        kind,
        truncated: text.truncated,
        ...(text.next === undefined ? {} : { next: text.next }),
      },
    );
  },
});
