import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { actorId } from '../actor-id.ts';
import { noScanner } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { lockScanner, saveScannerRemoved } from './scanner.sql.ts';

/** From the next inspection on nobody asks it. Its secrets are gone with it. */
export async function removeScanner(ctx: OrgCtx, id: Id<'scn'>): Promise<void> {
  await change(ctx, async (tx) => {
    if (!(await lockScanner(tx, id))) throw noScanner(id);
    await saveScannerRemoved(tx, id, actorId(ctx.actor), ctx.now);
    return { value: undefined, events: [event(scannerEvents, 'dlp.scanner_removed', { scanner: id })] };
  });
}
