import type { Reader } from '#kernel/db.ts';
import type { DataClass } from './dlp-policy.ts';
import { detectors } from './detectors.ts';
import { listOwnDetectors } from './own-detector.sql.ts';

/** What can be found in this organization: what our detectors find, and what it itself calls confidential. */
export async function classesOf(db: Reader): Promise<DataClass[]> {
  const own = await listOwnDetectors(db, { limit: 'all' });
  return [...detectors, ...own.map((d) => ({ id: d.id, says: d.name, severity: d.severity }))].map(
    ({ id, says, severity }) => ({ id, says, severity }),
  );
}
