import { z } from 'zod';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { segment } from '../../kit/vendor-path.ts';
import { draftMessage, envelopeOf } from './draft-message.ts';
import { bytesOf, composing, encodedWords, headerOf, labelling, ME, Message, parsed, Thread } from './gmail-api.ts';
import { GmailId } from './settings.ts';

const Address = z.email().max(254).describe('A plain address like ada@example.com');
const recipients = {
  to: z.array(Address).min(1).max(50).describe('Recipients'),
  cc: z.array(Address).max(50).default([]).describe('Recipients of a copy'),
  bcc: z.array(Address).max(50).default([]).describe('Recipients whom the others do not see'),
};
const projected = [
  { kind: 'recipient', at: '/to/*' },
  { kind: 'recipient', at: '/cc/*' },
  { kind: 'recipient', at: '/bcc/*' },
] as const;

const DraftAnswer = z.looseObject({ id: z.string(), message: Message });
/** Above it Gmail wants another kind of request. */
const MAX_RAW_BYTES = 5 * MiB;

export const createDraftTool = builtinTool({
  name: 'create_draft',
  title: 'Write a draft',
  description:
    'Writes a draft of plain text into the mailbox of the account; nothing is sent. With thread_id it answers the newest message of that thread. send_draft sends it.',
  input: z.strictObject({
    ...recipients,
    subject: z.string().max(500).describe('One line'),
    body: z.string().max(200_000).describe('Plain text, at most 200,000 characters'),
    thread_id: GmailId.optional().describe('Id of the thread that is answered'),
  }),
  class: 'write',
  projection: [...projected, { kind: 'text', at: '/subject' }, { kind: 'text', at: '/body' }],
  scopes: composing,
  brings: [],
  outward: false,
  async run(call, args) {
    const answers = args.thread_id === undefined ? undefined : await newestMessageId(call, args.thread_id);
    const raw = draftMessage({ ...args, answers });
    const answer = await call.vendor.send({
      method: 'POST',
      path: `${ME}/drafts`,
      json: {
        message: {
          raw: raw.toString('base64url'),
          ...(args.thread_id === undefined ? {} : { threadId: args.thread_id }),
        },
      },
    });
    const draft = parsed(DraftAnswer, answer.json());
    return textAnswer([`Draft written, id: ${draft.id}. Nothing was sent.`], {
      draft_id: draft.id,
      message_id: draft.message.id,
      thread_id: draft.message.threadId,
    });
  },
});

async function newestMessageId(call: BuiltinCall, thread: string): Promise<string | undefined> {
  const answer = await call.vendor.send({
    method: 'GET',
    path: `${ME}/threads/${segment(thread)}`,
    query: { format: 'metadata', metadataHeaders: ['Message-ID'] },
  });
  return headerOf(parsed(Thread, answer.json()).messages.at(-1)?.payload, 'message-id');
}

export const sendDraftTool = builtinTool({
  name: 'send_draft',
  title: 'Send a draft',
  description:
    'Sends a draft of the mailbox, as it is. Recipients and subject must be given exactly as the draft has them: they are what rules and approvers see, and a draft that differs from them is not sent.',
  input: z.strictObject({
    draft_id: GmailId.describe('Id of the draft, from create_draft'),
    ...recipients,
    subject: z.string().max(500).describe('The subject of the draft'),
  }),
  class: 'destructive',
  projection: [...projected, { kind: 'text', at: '/subject' }],
  scopes: composing,
  brings: [],
  outward: true,
  async run(call, args) {
    const path = `${ME}/drafts/${segment(args.draft_id)}`;
    const answer = await call.vendor.send({
      method: 'GET',
      path,
      query: { format: 'raw' },
      maxBytes: 2 * MAX_RAW_BYTES,
    });
    const { message } = parsed(DraftAnswer, answer.json());
    const raw = message.raw ?? '';
    const envelope = envelopeOf(bytesOf(raw));
    if (!envelope)
      throw new Problem('invalid', 'connectors/gmail-draft-unclear', {
        says: 'the draft does not say plainly to whom it goes (groups, comments, or a header that stands twice)',
        fix: 'write it anew with create_draft, or send it in Gmail',
      });
    const differs = (['to', 'cc', 'bcc'] as const).find((list) => !sameAddresses(envelope[list], args[list]));
    if (differs !== undefined)
      throw new Problem('conflict', 'connectors/gmail-recipients-differ', {
        says: `the draft has other recipients in ${differs} than this call says`,
        fix: 'look at the draft with read_thread and give its recipients exactly, so that rules and approvers see them',
      });
    if (encodedWords(envelope.subject).replace(/\s+/g, ' ').trim() !== args.subject.replace(/\s+/g, ' ').trim())
      throw new Problem('conflict', 'connectors/gmail-subject-differs', {
        says: 'the draft has another subject than this call says',
        fix: 'look at the draft with read_thread and give its subject exactly',
      });
    if (raw.length > MAX_RAW_BYTES)
      throw new Problem('too_large', 'connectors/gmail-draft-too-large', {
        says: `the draft has more than ${MAX_RAW_BYTES / MiB} MiB with its attachments`,
        fix: 'send it in Gmail',
      });
    // INVARIANT (what was compared is what is sent): these very bytes, whatever the draft has become meanwhile.
    const sent = await call.vendor.send({
      method: 'POST',
      path: `${ME}/drafts/send`,
      json: { id: args.draft_id, message: { raw, threadId: message.threadId } },
    });
    const done = parsed(Message, sent.json());
    return textAnswer([`Sent to ${[...args.to, ...args.cc, ...args.bcc].join(', ')}.`], {
      message_id: done.id,
      thread_id: done.threadId,
    });
  },
});

const sameAddresses = (a: readonly string[], b: readonly string[]): boolean => {
  const lower = b.map((x) => x.toLowerCase());
  return new Set([...a, ...lower]).size === new Set(a).size && new Set(a).size === new Set(lower).size;
};

/** Labels that are no labels: deeds with names of labels, and states that Gmail itself sets. */
const notLabels = new Set(['TRASH', 'SPAM', 'SENT', 'DRAFT', 'CHAT']);
const LabelId = GmailId.refine(
  (l) => !notLabels.has(l.toUpperCase()),
  'is nothing that this tool sets; do it in Gmail',
);

export const labelThreadTool = builtinTool({
  name: 'label_thread',
  title: 'Change labels of a thread',
  description:
    'Adds and removes labels of a thread: removing INBOX archives it, removing UNREAD marks it as read. Deletes nothing. At most 20 labels each.',
  input: z
    .strictObject({
      thread_id: GmailId.describe('Id of the thread'),
      add: z.array(LabelId).max(20).default([]).describe('Ids of labels, from list_labels'),
      remove: z.array(LabelId).max(20).default([]).describe('Ids of labels'),
    })
    .refine((a) => a.add.length + a.remove.length > 0, 'add or remove is needed'),
  class: 'write',
  projection: [],
  scopes: labelling,
  brings: [],
  outward: false,
  async run(call, args) {
    const answer = await call.vendor.send({
      method: 'POST',
      path: `${ME}/threads/${segment(args.thread_id)}/modify`,
      json: { addLabelIds: args.add, removeLabelIds: args.remove },
    });
    const thread = parsed(Thread, answer.json());
    const labels = [...new Set(thread.messages.flatMap((m) => m.labelIds ?? []))];
    return textAnswer([`Labels are now: ${labels.join(', ') || 'none'}`], { thread_id: thread.id, labels });
  },
});
