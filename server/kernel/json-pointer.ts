/** A segment of an RFC 6901 JSON Pointer as the name that it means (§4: first `~1`, then `~0`). */
export const unescapeSegment = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~');
/** A name as a segment of a pointer. */
export const escapeSegment = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
