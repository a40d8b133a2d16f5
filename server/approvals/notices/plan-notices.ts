import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Approval } from '../approval.ts';
import { NOTICE_WINDOW_MS, noticeOf, type Notice } from './notice.ts';
import { countRecent, insertNotice } from './notice.sql.ts';
import { usualSettings } from '../settings.ts';
import { findSettings } from '../settings.sql.ts';

/** Decides once per person and request whether they are told at once or in the next summary, and writes that down for whoever sends. */
export async function planNotices(
  tx: Tx,
  a: Approval,
  people: readonly Id<'usr'>[],
  now: Date,
): Promise<{ person: Id<'usr'>; how: Notice }[]> {
  const { noticesAnHour } = (await findSettings(tx)) ?? usualSettings;
  const recent = await countRecent(tx, people, new Date(now.getTime() - NOTICE_WINDOW_MS));
  const planned: { person: Id<'usr'>; how: Notice }[] = [];
  for (const person of new Set(people)) {
    const told = recent.find((r) => r.person === person)?.n ?? 0;
    const how = noticeOf(a.class, told, noticesAnHour);
    if ((await insertNotice(tx, { person, approval: a.id, how, at: now })) > 0) planned.push({ person, how });
  }
  return planned;
}
