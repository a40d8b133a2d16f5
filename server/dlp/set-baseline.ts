import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { actorId } from './actor-id.ts';
import { classesOf } from './data-classes.ts';
import { dlpEvents } from './dlp.events.ts';
import { possible, type BaselineLine } from './dlp-policy.ts';
import { saveBaseline } from './dlp-policy.sql.ts';

/** Sets what happens, from the next call on, to content in which a detector finds something: for the phases that are named. */
export async function setBaseline(ctx: OrgCtx, data: string, lines: readonly BaselineLine[]): Promise<void> {
  const wrong = lines.find((l) => !possible(l.phase, l.action));
  if (wrong) throw notPossible(wrong.phase);
  await change(ctx, async (tx) => {
    const classes = await classesOf(tx);
    if (!classes.some((c) => c.id === data)) throw noData(data);
    const events: AuditEvent[] = [];
    for (const line of lines)
      if (await saveBaseline(tx, line, actorId(ctx.actor), ctx.now))
        events.push(event(dlpEvents, 'dlp.baseline_set', line));
    const [first, ...rest] = events;
    return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
  });
}

export const noData = (data: string): Problem =>
  new Problem('missing', 'dlp/no-data', {
    says: `there is no class of data ${JSON.stringify(data.slice(0, 60))}`,
    fix: 'the baseline lists the classes that there are',
  });

export const notPossible = (phase: string): Problem =>
  new Problem('invalid', 'dlp/nobody-to-ask', {
    says: `require_approval is for arguments; ${phase} is there already, so there is nothing to ask for`,
    fix: 'use quarantine, which keeps it until somebody has looked',
  });
