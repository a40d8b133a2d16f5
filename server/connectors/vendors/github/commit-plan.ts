import { Problem } from '#kernel/problem.ts';
import { admittedPath, findAt, notThere, withheld, type Found } from './git-walk.ts';
import { isGuarded, isWithheld } from './path-rule.ts';
import { foldedText } from './path-spelling.ts';
import type { OpenRepository } from './repository.ts';

export type FileChange = { path: string; content?: string | undefined };
/** An entry of GitHub's request for a tree; without `sha` the content is a new blob, with null the file goes. */
export type TreeChange =
  | { path: string; mode: string; type: 'blob'; content: string }
  | { path: string; mode: string; type: 'blob'; sha: null };

export const isGuardedBy = (r: OpenRepository, path: string): boolean =>
  r.limits.settings.guarded_writes === 'refuse' && isGuarded(path);

/** A path that may be written. Asks nobody. */
function writablePath(r: OpenRepository, text: string): string {
  const path = admittedPath(r, text);
  if (isWithheld(r.limits.paths, path)) throw withheld();
  if (isGuardedBy(r, path))
    throw new Problem('forbidden', 'connectors/github-guarded', {
      says: 'workflows, actions, CODEOWNERS and .gitmodules are not changed through this connector',
      fix: 'change it at GitHub; an administrator can set guarded_writes to "allow"',
    });
  // GitHub refuses most of these too; a checkout on another system may not.
  if (path === '' || path.split('/').some((n) => /^(?:\.git|git~\d+)[. ]*$/.test(foldedText(n))))
    throw new Problem('invalid', 'connectors/github-git-folder', {
      says: 'no file can be written there: git keeps its own things under that name',
      fix: 'take another name',
    });
  return path;
}

/**
 * What a commit is to change, once all of it may be. INVARIANT (a file for a file): a link, a submodule or a folder is never replaced, and
 * nothing is written through a link, so that what is written is where its path says.
 */
export async function planTree(r: OpenRepository, commit: string, files: readonly FileChange[]): Promise<TreeChange[]> {
  const paths = files.map((f) => writablePath(r, f.path));
  if (new Set(paths.map(foldedText)).size < paths.length)
    throw new Problem('invalid', 'connectors/github-path-twice', {
      says: 'a path is there twice',
      fix: 'give every file once',
    });
  const plan: TreeChange[] = [];
  for (const [i, path] of paths.entries()) {
    const there = await existing(r, commit, path);
    const content = files[i]?.content;
    if (there && (there.kind !== 'file' || there.path !== path))
      throw new Problem('conflict', 'connectors/github-not-a-file', {
        says: there.kind === 'file' ? 'the path goes over a symbolic link' : 'there is a folder at the path',
        fix: 'give the path of a file itself',
      });
    const mode = there?.mode ?? '100644';
    if (content !== undefined) plan.push({ path, mode, type: 'blob', content });
    else if (there) plan.push({ path, mode, type: 'blob', sha: null });
    else throw notThere('file there to remove');
  }
  return plan;
}

async function existing(
  r: OpenRepository,
  commit: string,
  path: string,
): Promise<Extract<Found, { kind: 'file' }> | (Found & { mode?: undefined }) | undefined> {
  try {
    const found = await findAt(r, commit, path);
    return found.kind === 'file' ? found : { ...found, mode: undefined };
  } catch (e) {
    if (e instanceof Problem && e.code === 'connectors/github-no-file') return undefined;
    throw e;
  }
}
