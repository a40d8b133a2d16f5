import type { GitStore } from './git-store.ts';

export type DiffFile = {
  sha: string | null;
  filename: string;
  status: 'added' | 'removed' | 'modified' | 'renamed';
  additions: number;
  deletions: number;
  changes: number;
  patch?: string;
  previous_filename?: string;
};

const lines = (b: Buffer | undefined): string[] => {
  const text = b?.toString('utf8') ?? '';
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
};

/** One hunk from the first to the last line that differs: no diff that git would make, but one that git would apply. */
function patchOf(
  before: readonly string[],
  after: readonly string[],
): { patch: string; additions: number; deletions: number } {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  const gone = before.slice(head, before.length - tail);
  const come = after.slice(head, after.length - tail);
  const context = before.slice(Math.max(0, head - 3), head);
  const from = Math.max(0, head - 3) + 1;
  return {
    patch: [
      `@@ -${from},${context.length + gone.length} +${from},${context.length + come.length} @@`,
      ...context.map((l) => ` ${l}`),
      ...gone.map((l) => `-${l}`),
      ...come.map((l) => `+${l}`),
    ].join('\n'),
    additions: come.length,
    deletions: gone.length,
  };
}

/** What a tree changed into another has changed, with renames found as GitHub finds them: by what is in the files. */
export function diffTrees(git: GitStore, from: string | undefined, to: string): DiffFile[] {
  const a = from === undefined ? new Map() : git.files(from);
  const b = git.files(to);
  const bytes = (e: { mode: string; sha: string } | undefined): Buffer | undefined =>
    e && (e.mode === '160000' ? Buffer.from(`Subproject commit ${e.sha}\n`) : git.read(e.sha, 'blob'));
  const out: DiffFile[] = [];
  const removed = [...a].filter(([p]) => !b.has(p));
  for (const [path, e] of b) {
    const before = a.get(path);
    if (before?.sha === e.sha && before.mode === e.mode) continue;
    let old: [string, { mode: string; sha: string }] | undefined;
    if (!before) {
      const mine = new Set(lines(bytes(e)));
      const like = (o: { mode: string; sha: string }): boolean => {
        const theirs = lines(bytes(o));
        return (
          o.sha === e.sha ||
          (mine.size > 0 && theirs.filter((l) => mine.has(l)).length * 2 >= Math.max(theirs.length, mine.size))
        );
      };
      const at = removed.findIndex(([, o]) => o.mode === e.mode && like(o));
      if (at >= 0) [old] = removed.splice(at, 1);
    }
    const p = patchOf(lines(bytes(before ?? old?.[1])), lines(bytes(e)));
    out.push({
      sha: e.sha,
      filename: path,
      status: old ? 'renamed' : before ? 'modified' : 'added',
      additions: p.additions,
      deletions: p.deletions,
      changes: p.additions + p.deletions,
      ...(p.additions + p.deletions > 0 ? { patch: p.patch } : {}),
      ...(old ? { previous_filename: old[0] } : {}),
    });
  }
  for (const [path, e] of removed) {
    const p = patchOf(lines(bytes(e)), []);
    out.push({
      sha: e.sha,
      filename: path,
      status: 'removed',
      additions: 0,
      deletions: p.deletions,
      changes: p.deletions,
      patch: p.patch,
    });
  }
  return out.sort((x, y) => (x.filename < y.filename ? -1 : 1));
}
