import { z } from 'zod';
import { pathLine } from './lines.ts';
import { isWithheld } from './path-rule.ts';
import type { Limits } from './settings.ts';

/** Files as GitHub lists them for commits, comparisons and pull requests. Patches are taken from here only; a raw diff is never read. */
export const ChangedFiles = z.array(
  z.looseObject({
    filename: z.string(),
    previous_filename: z.string().optional(),
    status: z.string(),
    additions: z.number(),
    deletions: z.number(),
    patch: z.string().optional(),
  }),
);
export type ChangedFile = z.output<typeof ChangedFiles>[number];

/** What may be shown of changes, and how many files may not. A file that was or becomes a withheld one goes with its name and its lines. */
export function shownChanges(
  limits: Limits,
  files: readonly ChangedFile[],
): { shown: ChangedFile[]; withheld: number } {
  const shown = files.filter(
    (f) =>
      !isWithheld(limits.paths, f.filename) &&
      (f.previous_filename === undefined || !isWithheld(limits.paths, f.previous_filename)),
  );
  return { shown, withheld: files.length - shown.length };
}

/** Changes in lines. */
export function changeLines(files: readonly ChangedFile[]): string[] {
  return files.flatMap((f) => [
    `## ${f.previous_filename === undefined ? '' : `${pathLine(f.previous_filename)} -> `}${pathLine(f.filename)} (${f.status}, +${f.additions} -${f.deletions})`,
    ...(f.patch === undefined ? ['(no lines: binary, too large, or only renamed)'] : f.patch.split('\n')),
  ]);
}

/** How many files were withheld; which is not said. */
export const withheldLine = (n: number): string[] =>
  n === 0 ? [] : [`(${n} ${n === 1 ? 'file was' : 'files were'} withheld by the path rules of this connector)`];

export const changeFacts = (files: readonly ChangedFile[]): object[] =>
  files.map((f) => ({ path: f.filename, status: f.status, additions: f.additions, deletions: f.deletions }));
