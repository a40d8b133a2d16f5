import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { readPath } from '#policy/argument-value.ts';
import { segment } from '../../kit/vendor-path.ts';

/** SharePoint takes no longer one. */
const MAX_PATH = 400;

/** Names that OneDrive and SharePoint keep for themselves, without regard to case and extension. */
const reserved = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|\.lock|desktop\.ini)(?:\..*)?$/i;

export const FilePath = z
  .string()
  .min(1)
  .max(MAX_PATH)
  .describe('Path from the root of the drive, e.g. /Reports/2026/june.docx, as it is and not encoded');

/** Why a name cannot be one of a file; undefined: it can. */
export function unfitName(name: string): string | undefined {
  if (name === '' || /^\.+$/.test(name)) return 'is no name';
  if (/[":*<>?/\\|]/.test(name)) return 'has one of the characters " * : < > ? / \\ | in it';
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return 'has control or invisible characters in it';
  if (name !== name.trim() || name.endsWith('.')) return 'begins or ends with a blank, or ends with a dot';
  if (reserved.test(name) || name.startsWith('~$') || /_vti_/i.test(name))
    return 'is a name that OneDrive keeps for itself';
  return undefined;
}

/**
 * The names along a path. INVARIANT (a path is one place): what Graph could read in another way than a rule of this organization did (`:` ends a
 * path, `..` walks, a percent sign may be decoded twice) is refused before anything is sent.
 */
export function namesOf(path: string): string[] {
  const read = readPath(path);
  if ('says' in read) throw unfit(path, read.says);
  const names = read.path.split('/').filter((n) => n !== '');
  for (const name of names) {
    const why = unfitName(name);
    if (why !== undefined) throw unfit(path, why);
  }
  return names;
}

/** Names as Graph takes them between two colons. */
export const pathSegments = (names: readonly string[]): string => names.map(segment).join('/');

const unfit = (path: string, why: string): Problem =>
  new Problem('invalid', 'connectors/onedrive-path', {
    says: `the path ${JSON.stringify(path.slice(0, 200))} ${why}`,
    fix: 'give a path from the root of the drive with plain names, as list_children shows them',
  });
