import type { OrgCtx, World } from '#kernel/ctx.ts';
import type { EnginesOf } from '../dlp-view.ts';
import { scannerEngines } from './scanner-engine.ts';
import type { Place } from './scanner-runtime.ts';
import { listActiveScanners } from './scanner.sql.ts';

/** The outside scanners of an organization, for `loadDlpView`. */
export const scannersOf =
  (world: World, place: Place): EnginesOf =>
  async (db) =>
    scannerEngines(world, place, await listActiveScanners(db));

/** The same for one operation, whose clock goes on from its one instant. */
export function scannersOfOperation(ctx: OrgCtx): EnginesOf {
  const began = performance.now();
  return scannersOf({ ...ctx, now: () => new Date(ctx.now.getTime() + (performance.now() - began)) }, ctx);
}
