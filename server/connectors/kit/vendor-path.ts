import { Problem } from '#kernel/problem.ts';

/**
 * One segment of a path from something that came in an argument. INVARIANT (a segment stays one): nothing that is given can leave its place in the
 * path, because it is encoded whole and the two names that walk are refused.
 */
export function segment(value: string): string {
  const why =
    value === ''
      ? 'it is empty'
      : value === '.' || value === '..'
        ? `"${value}" walks through folders`
        : !value.isWellFormed()
          ? 'it has half of a surrogate pair'
          : /[\u0000-\u001f\u007f-\u009f]/.test(value)
            ? 'it has a control character'
            : undefined;
  if (why !== undefined)
    throw new Problem('invalid', 'connectors/path-segment', {
      says: `this cannot be part of an address: ${why}`,
      fix: 'give an id or a name as another tool of this connector shows it',
    });
  return encodeURIComponent(value);
}

/** A path of a file as people write it, segment by segment; slashes at its ends do not count. */
export const segments = (path: string): string =>
  path
    .replace(/^\/+|\/+$/g, '')
    .split('/')
    .map(segment)
    .join('/');

/** The address of a request under a base that is trusted. `path` was put together from `segment`s; what was not is a mistake of ours. */
export function under(base: string, path: string): URL {
  const at = URL.parse(base);
  const url = at && URL.parse(base + path);
  const walked = url && url.pathname !== at.pathname.replace(/\/$/, '') + path;
  if (
    !path.startsWith('/') ||
    path.startsWith('//') ||
    !url ||
    url.origin !== at.origin ||
    walked ||
    /[?#\\]/.test(path)
  )
    throw new Error(`the path of a request to ${at?.host ?? 'a vendor'} is not made of segments`);
  return url;
}
