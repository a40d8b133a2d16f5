import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { loadDlpView } from './dlp-view.ts';
import { dlpEvents } from './dlp.events.ts';
import type { Standing, Way } from './dlp-policy.ts';
import { inspect } from './inspect.ts';
import { redactJson } from './redact-json.ts';
import type { DlpAction, Finding } from './verdict.ts';

export type Tried = {
  action: DlpAction;
  findings: readonly (Finding & Pick<Standing, 'action' | 'by'>)[];
  /** As it would go on, where something would be taken out. */
  redacted: string | undefined;
};

/**
 * What our own detectors and the policies would do with a text on this way. Nothing is sent, kept or asked; outside scanners are not shown it.
 */
export async function tryContent(ctx: OrgCtx, text: string, way: Way): Promise<Tried> {
  const view = await ctx.db.read(scopeOf(ctx), (db) => loadDlpView(db, { seal: ctx.seal, org: ctx.org }));
  const looking = view.looking(way);
  const v = await inspect(looking, text);
  const tried: Tried = {
    action: v.action,
    findings: v.findings.map((f) => {
      const standing = looking.standings.get(f.detector);
      return { ...f, action: standing?.action ?? 'block', by: standing?.by ?? 'default' };
    }),
    redacted:
      v.redactions.length > 0 ? String(JSON.parse(redactJson(JSON.stringify(text), [], v.redactions))) : undefined,
  };
  // Whoever may try texts may find out what passes; that he did is recorded, the text is not.
  return change(ctx, async () => ({
    value: tried,
    events: [event(dlpEvents, 'dlp.tried', { phase: way.phase, action: v.action, findings: v.findings.length })],
  }));
}
