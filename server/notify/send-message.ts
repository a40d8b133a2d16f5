import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findOrg } from '#org/org.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { composeMail } from './compose-mail.ts';
import type { Kind, Letter } from './letter.ts';
import type { Delivery, Mail, Mailer } from './mailer.ts';
import { mailable, MAX_ATTEMPTS, type NotSent, type StoredMessage } from './message.ts';
import { findMessage, saveAttempt } from './message.sql.ts';
import { kinds } from './messages.ts';
import { notifyEvents } from './notify.events.ts';
import type { Words } from './words.ts';

/** What came of one attempt. `later`: ask again. */
export type Attempt = 'settled' | { later: unknown };

const byName: Record<string, Kind | undefined> = kinds;

/**
 * Sends one message of the outbox: makes its words from what is true now, and writes down what the mail server said. A node that dies
 * between the two sends it again; the Message-ID is the same, so that the two are known as one.
 */
export async function sendMessage(
  ctx: OrgCtx,
  id: Id<'msg'>,
  mailer: Mailer | undefined,
  words: Words,
): Promise<Attempt> {
  const ready = await prepare(ctx, id, mailer && words);
  if (!ready) return 'settled';
  const { message } = ready;
  if ('why' in ready || !mailer) {
    await settle(ctx, message, { why: 'why' in ready ? ready.why : 'no_smtp', attempts: message.attempts });
    return 'settled';
  }
  return conclude(ctx, message, await mailer.send(ready.mail));
}

type Ready = { message: StoredMessage; mail: Mail } | { message: StoredMessage; why: NotSent };

const prepare = (ctx: OrgCtx, id: Id<'msg'>, words: Words | undefined): Promise<Ready | undefined> =>
  ctx.db.read(scopeOf(ctx), async (db) => {
    const message = await findMessage(db, id);
    if (message?.state !== 'queued') return undefined;
    const member = await findMemberByUser(db, message.user);
    const user = member && (await findUser(db, message.user));
    const org = await findOrg(db, ctx.org);
    if (!user || !org) return { message, why: 'gone' };
    if (user.state !== 'active') return { message, why: 'suspended' };
    const to = mailable(user.email);
    if (to === undefined) return { message, why: 'no_address' };
    if (!words) return { message, why: 'no_smtp' };
    const kind = byName[message.kind];
    const data = kind?.data.safeParse(message.data);
    const letter: Letter | undefined = data?.success
      ? await kind?.write(db, data.data, ctx.org, words, ctx)
      : undefined;
    if (!letter) return { message, why: 'outdated' };
    return {
      message,
      mail: composeMail(letter, { id, to, name: user.displayName, orgName: org.name, origin: ctx.origin }),
    };
  });

async function conclude(ctx: OrgCtx, message: StoredMessage, d: Delivery): Promise<Attempt> {
  const attempts = message.attempts + 1;
  switch (d.is) {
    case 'taken':
      await settle(ctx, message, { why: undefined, attempts });
      return 'settled';
    case 'refused':
      await settle(ctx, message, { why: 'refused', attempts });
      return 'settled';
    case 'later':
      if (attempts >= MAX_ATTEMPTS) {
        await settle(ctx, message, { why: 'given_up', attempts });
        return 'settled';
      }
      await change(ctx, async (tx) => {
        if ((await saveAttempt(tx, message.id, { state: 'queued', why: null, attempts, settledAt: null })) === 0)
          return { value: undefined, unchanged: true };
        const deferred = event(notifyEvents, 'notify.deferred', { ...about(message), attempts, because: d.because });
        return { value: undefined, events: [deferred] };
      });
      return { later: d.error };
  }
}

const about = (m: StoredMessage): { message: string; user: string; kind: string } => ({
  message: m.id,
  user: m.user,
  kind: m.kind,
});

const settle = (ctx: OrgCtx, m: StoredMessage, r: { why: NotSent | undefined; attempts: number }): Promise<void> =>
  change(ctx, async (tx) => {
    const { why, attempts } = r;
    const state = why === undefined ? 'sent' : 'not_sent';
    if ((await saveAttempt(tx, m.id, { state, why: why ?? null, attempts, settledAt: ctx.now })) === 0)
      return { value: undefined, unchanged: true };
    return {
      value: undefined,
      events: [
        why === undefined
          ? event(notifyEvents, 'notify.sent', { ...about(m), attempts })
          : event(notifyEvents, 'notify.not_sent', { ...about(m), attempts, why }),
      ],
    };
  });
