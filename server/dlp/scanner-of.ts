import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Seal } from '#kernel/seal.ts';
import { detectors } from './detectors.ts';
import { specOf, type OwnDetector } from './own-detector.ts';
import { listOwnSpecs } from './own-detector.sql.ts';
import { makeScanner, type Scanner, type ScannerSpec } from './scanner.ts';

const all = detectors.map((d) => d.id);
let ours: Scanner | undefined;
/** What our own detectors find. One scanner for every organization that calls nothing else confidential; made at the first use. */
export const ourScanner = (): Scanner => (ours ??= makeScanner({ detectors: all }));

/** Scanners of organizations with detectors of their own, by what they are made of: rows that never change. */
const made = new Map<string, Scanner>();
/** Each may hold some megabytes of dictionaries and digests. */
const MAX_MADE = 50;

/** The key of a detector's digests: nowhere stored, the same on every node. */
export const digestKey = (seal: Seal, id: Id<'ddt'>): string => seal.derive(`exact data of ${id}`).toString('base64');

/** The scanner of an organization: what our detectors find and what it itself calls confidential. */
export async function scannerOf(db: Reader, seal: Seal, own: readonly OwnDetector[]): Promise<Scanner> {
  if (own.length === 0) return ourScanner();
  const ids = own.map((d) => d.id);
  const name = ids.join();
  const known = made.get(name);
  const scanner = known ?? makeScanner(together(await listOwnSpecs(db, ids), seal));
  made.delete(name);
  made.set(name, scanner);
  const [oldest] = made;
  if (oldest && made.size > MAX_MADE) made.delete(oldest[0]);
  return scanner;
}

/** One specification of all of them and ours. */
export function together(specs: Awaited<ReturnType<typeof listOwnSpecs>>, seal: Seal): ScannerSpec {
  const parts = specs.map(({ id, spec }) => specOf(id, spec, () => digestKey(seal, id)));
  return {
    detectors: all,
    terms: parts.flatMap((p) => p.terms ?? []),
    patterns: parts.flatMap((p) => p.patterns ?? []),
    dictionaries: parts.flatMap((p) => p.dictionaries ?? []),
    exactData: parts.flatMap((p) => p.exactData ?? []),
  };
}
