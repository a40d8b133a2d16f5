import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { specFrom } from './add-own-detector.ts';
import { dlpEvents } from './dlp.events.ts';
import { specOf, type OwnDraft } from './own-detector.ts';
import { scan } from './scan-off-loop.ts';
import { makeScanner } from './scanner.ts';
import { digestKey } from './scanner-of.ts';

/** Where a detector that is not kept yet would find something in a text. Neither is kept; that somebody tried is recorded. */
export async function tryDetector(
  ctx: OrgCtx,
  finds: OwnDraft,
  text: string,
): Promise<{ start: number; end: number; layers: readonly string[] }[]> {
  const id = newId('ddt', ctx.now.getTime());
  const spec = specOf(id, specFrom(id, finds, ctx.seal), () => digestKey(ctx.seal, id));
  const matches = await scan(text, makeScanner({ detectors: [], ...spec }));
  const found = matches.filter((m) => m.detector === id).map(({ start, end, layers }) => ({ start, end, layers }));
  return change(ctx, async () => ({
    value: found,
    events: [event(dlpEvents, 'dlp.detector_tried', { kind: finds.kind, findings: found.length })],
  }));
}
