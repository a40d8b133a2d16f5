/** Everything by which files are searched. Each becomes one term; there is no way to give a term itself. */
export type DriveQuery = {
  text?: string | undefined;
  nameContains?: string | undefined;
  mimeType?: string | undefined;
  folder?: string | undefined;
  modifiedAfter?: string | undefined;
  modifiedBefore?: string | undefined;
  ownedByMe?: boolean | undefined;
};

/**
 * A value in a search (https://developers.google.com/workspace/drive/api/guides/ref-search-terms). INVARIANT (a value stays one): the two characters
 * that could end it are escaped, the escape itself first.
 */
const quoted = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export function driveQuery(q: DriveQuery): string {
  return [
    'trashed = false',
    q.text !== undefined && `fullText contains ${quoted(q.text)}`,
    q.nameContains !== undefined && `name contains ${quoted(q.nameContains)}`,
    q.mimeType !== undefined && `mimeType = ${quoted(q.mimeType)}`,
    q.folder !== undefined && `${quoted(q.folder)} in parents`,
    q.modifiedAfter !== undefined && `modifiedTime > ${quoted(q.modifiedAfter)}`,
    q.modifiedBefore !== undefined && `modifiedTime < ${quoted(q.modifiedBefore)}`,
    q.ownedByMe === true && "'me' in owners",
  ]
    .filter((t) => t !== false)
    .join(' and ');
}
