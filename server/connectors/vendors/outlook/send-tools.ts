import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { segment } from '../../kit/vendor-path.ts';
import { ownRoot, readAs, said } from '../microsoft/graph.ts';
import { checkRecipients, composed, composedProjection, graphMessage, type Composed } from './compose.ts';
import { messageArgument } from './mail-tools.ts';
import { addressesOf, asText, Message, shownMessage } from './message.ts';
import { sendsMail, writesMail } from './scopes.ts';

const replyArgument = messageArgument
  .optional()
  .describe(
    'Id of the message that it answers, so that it stands in the same conversation; recipients are still those given',
  );

/** `IdType` alone: what is written has no body to convert. */
const headers = { prefer: asText[0] };

export const createDraft = builtinTool({
  name: 'create_draft',
  title: 'Write a draft',
  description: 'Writes a message into the drafts of the person, who can look at it and send it. Nothing is sent.',
  input: z.strictObject({ ...composed, reply_to: replyArgument }),
  class: 'write',
  projection: composedProjection,
  scopes: writesMail,
  brings: [],
  outward: false,
  async run(call, args) {
    const draft = await drafted(call, args, args.reply_to);
    return said(
      [`The draft "${draft.subject ?? ''}" is in the drafts (message ${draft.id}).`, draft.webLink ?? undefined],
      { ...shownMessage(draft), web_url: draft.webLink ?? null },
    );
  },
});

export const sendMessage = builtinTool({
  name: 'send_message',
  title: 'Send a message',
  description:
    'Sends a message from the mailbox of the person, as plain text, to exactly the recipients given. It cannot be taken back. With `reply_to` it stands in the conversation of the message that it answers.',
  input: z.strictObject({ ...composed, reply_to: replyArgument }),
  class: 'destructive',
  projection: composedProjection,
  scopes: sendsMail,
  brings: [],
  outward: true,
  async run(call, args) {
    const all = everybody(args);
    checkRecipients(call, all);
    if (args.reply_to === undefined)
      await call.vendor.send({
        method: 'POST',
        path: `/v1.0${ownRoot(call)}/sendMail`,
        json: { message: graphMessage(args), saveToSentItems: true },
      });
    else {
      const draft = await drafted(call, args, args.reply_to);
      // INVARIANT (what was approved is what is sent): a reply begins with recipients that Exchange has chosen.
      const got = [draft.toRecipients, draft.ccRecipients, draft.bccRecipients].flatMap(addressesOf);
      if (new Set(got).symmetricDifference(new Set(all.map((a) => a.toLowerCase()))).size > 0)
        throw new Problem('upstream', 'connectors/outlook-reply', {
          says: `Exchange addresses the reply to others than those given (${got.join(', ')}); it was not sent and is in the drafts`,
          fix: 'look at the draft in Outlook, or send a message of its own',
        });
      await call.vendor.send({
        method: 'POST',
        path: `/v1.0${ownRoot(call)}/messages/${segment(draft.id)}/send`,
        headers,
      });
    }
    return said([`Sent to ${all.join(', ')}: "${args.subject}".`], { sent_to: all, subject: args.subject });
  },
});

const everybody = (m: Composed): string[] => [...m.to, ...(m.cc ?? []), ...(m.bcc ?? [])];

/**
 * A draft of its own, or one that answers a message, with exactly the recipients, subject and text that are given: what Exchange quotes of the
 * other message is left out, so that nothing goes along that was not in the call.
 */
async function drafted(call: BuiltinCall, m: Composed, replyTo: string | undefined): Promise<Message> {
  const root = `/v1.0${ownRoot(call)}/messages`;
  if (replyTo === undefined)
    return readAs(
      Message,
      (await call.vendor.send({ method: 'POST', path: root, headers, json: graphMessage(m) })).json(),
    );
  const begun = readAs(
    Message,
    (
      await call.vendor.send({ method: 'POST', path: `${root}/${segment(replyTo)}/createReply`, headers, json: {} })
    ).json(),
  );
  const changed = await call.vendor.send({
    method: 'PATCH',
    path: `${root}/${segment(begun.id)}`,
    headers,
    json: graphMessage(m),
  });
  return readAs(Message, changed.json());
}
