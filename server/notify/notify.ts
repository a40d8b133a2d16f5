import type { OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enqueue } from '#kernel/job.ts';
import { MAX_MAILS_PER_HOUR } from './message.ts';
import { insertMessages } from './message.sql.ts';
import { kinds, type Message } from './messages.ts';

const HOUR_MS = 3_600_000;

/** Name of the job that sends one message; stored in rows, so it is for ever. */
export const SEND_JOB = 'notify.send';

/**
 * Tells members of the transaction's organization something by mail, inside the caller's change: the message exists exactly if the change
 * does, and the caller's event tells of it. Whoever is not a member of this organization gets nothing. Never fails for want of a mail server.
 */
export async function notify(
  tx: Tx,
  ctx: OrgCtx,
  message: { to: readonly Id<'usr'>[]; about: Message },
): Promise<{ queued: number; kept: number }> {
  const to = [...new Set(message.to)];
  if (to.length === 0) return { queued: 0, kept: 0 };
  const { kind, ...data } = message.about;
  const made = await insertMessages(tx, {
    ids: to.map(() => newId('msg', ctx.now.getTime())),
    to,
    kind,
    data: kinds[kind].data.parse(data),
    at: ctx.now,
    hourAgo: new Date(ctx.now.getTime() - HOUR_MS),
    most: MAX_MAILS_PER_HOUR,
  });
  const queued = made.filter((m) => m.state === 'queued');
  // Only ids: which parent the organization is under is looked up when the mail is sent, because a merge may move it meanwhile.
  for (const { id } of queued) await enqueue(tx, SEND_JOB, { message: id, org: ctx.org }, { key: id });
  return { queued: queued.length, kept: made.length - queued.length };
}
