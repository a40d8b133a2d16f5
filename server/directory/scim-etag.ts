import { Problem } from '#kernel/problem.ts';

/** Versions that a request says it knows; undefined: it does not say. `any`: the header was `*`. */
export type Precondition = readonly number[] | 'any' | undefined;

/** Weak, because the bytes of one version may differ (attributes=…). */
export const etag = (version: number): string => `W/"${version}"`;

/** If-Match or If-None-Match. An ETag that is not of our form fits no version. */
export function parseEtags(header: string | null): Precondition {
  if (header === null) return undefined;
  if (header.trim() === '*') return 'any';
  return header.split(',').map((each) => Number(/^\s*(?:W\/)?"(\d{1,9})"\s*$/.exec(each)?.[1] ?? -1));
}

export const fits = (known: Precondition, version: number): boolean =>
  known !== undefined && (known === 'any' || known.includes(version));

/** Refuses a change that was made from another version than the present one. */
export function refuseStale(ifMatch: Precondition, version: number): void {
  if (ifMatch === undefined || fits(ifMatch, version)) return;
  throw new Problem('stale', 'directory/version', {
    says: `the resource is at version ${etag(version)}; the request was made for another`,
    fix: 'read the resource again and repeat the change on what it is now',
  });
}
