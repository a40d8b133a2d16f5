import type { Reader } from '#kernel/db.ts';
import type { DataClass } from './dlp-policy.ts';
import { detectors } from './detectors.ts';
import type { OwnDetector } from './own-detector.ts';
import { listOwnDetectors } from './own-detector.sql.ts';

/** What our detectors find, and what an organization itself calls confidential. */
export const classesWith = (own: readonly OwnDetector[]): DataClass[] => [
  ...detectors.map(({ id, says, severity }) => ({ id, says, severity })),
  ...own.map((d) => ({ id: d.id, says: d.name, severity: d.severity })),
];

/** What can be found in this organization. */
export const classesOf = async (db: Reader): Promise<DataClass[]> =>
  classesWith(await listOwnDetectors(db, { limit: 'all' }));
