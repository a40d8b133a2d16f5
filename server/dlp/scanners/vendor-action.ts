import type { DlpAction } from '../verdict.ts';
import { ScanFailure } from './exchange.ts';

/** Vendors write `Remove attachments`, `REMOVE_ATTACHMENTS` and `removeAttachments`. */
const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();

/**
 * What a vendor's action means here: as the administrator has mapped it, else as known. INVARIANT (unknown is not allow): an action that
 * nobody has mapped leaves us without a verdict.
 */
export function vendorAction(
  name: string,
  mapped: Record<string, DlpAction>,
  known: Record<string, DlpAction>,
): DlpAction {
  const wanted = plain(name);
  for (const table of [mapped, known])
    for (const [theirs, ours] of Object.entries(table)) if (plain(theirs) === wanted) return ours;
  throw new ScanFailure(
    'malformed',
    'it asks for an action that is not mapped to one of ours (set `actions` of the scanner)',
  );
}
