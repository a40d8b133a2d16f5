import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { detectors } from './detectors.ts';
import { makeScanner, type Scanner } from './scanner.ts';

/** The scanner of an organization: what our detectors find and what it itself calls confidential. */
export async function scannerOf(_db: Reader, _org: Id<'org'>): Promise<Scanner> {
  return makeScanner({ detectors: detectors.map((d) => d.id) });
}
